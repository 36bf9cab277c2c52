// trainer/native/cuda/cudnn/library.c beside cuDNN's headers.
#include "like.h"
#include <cudnn.h>
#include "functions.h"
#include "trainer/native/cuda/cudnn/library.h"

#define SAME(result, name, parameters) static_assert(like<result parameters, decltype(name)>::value, #name);
FUNCTIONS(SAME)
#include "numbers.h"

template <class T> constexpr bool performance() {
	using ours = mapsweep_cudnn_algorithm;
	return sizeof(ours) == sizeof(T) && offsetof(ours, algorithm) == offsetof(T, algo) && offsetof(ours, status) == offsetof(T, status) &&
	       offsetof(ours, time) == offsetof(T, time) && offsetof(ours, memory) == offsetof(T, memory) &&
	       offsetof(ours, deterministic) == offsetof(T, determinism) && offsetof(ours, math) == offsetof(T, mathType);
}
static_assert(performance<cudnnConvolutionFwdAlgoPerf_t>() && performance<cudnnConvolutionBwdDataAlgoPerf_t>() && performance<cudnnConvolutionBwdFilterAlgoPerf_t>());
static_assert(CUDNN_STATUS_SUCCESS == 0 && CUDNN_DETERMINISTIC == 1);
