// Types of the functions in our cuda.h and extend.c beside those in NVIDIA's cuda.h, by the symbols that the driver exports.
#include "like.h"
#define __CUDA_API_VERSION_INTERNAL // declares symbols of all versions
#include <cuda.h>
#include "functions.h"

#define SAME(name, symbol, parameters) static_assert(std::is_same_v<CUresult parameters, decltype(symbol)>, #symbol);
MAPSWEEP_CUDA_FUNCTIONS(SAME)
#define CALLED(symbol, parameters) static_assert(like<CUresult parameters, decltype(symbol)>::value, #symbol);
#include "called.h"
