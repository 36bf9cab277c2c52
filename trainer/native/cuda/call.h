// Calls of the driver's functions that gorgonia.org/cu does not call.
#ifndef MAPSWEEP_CUDA_CALL_H
#define MAPSWEEP_CUDA_CALL_H

#include "cuda.h"
#include "forward.h"

// CALL returns what the driver's function of that name returns. It is looked up once: racing threads find the same address. Names
// of its own end in _, so that they do not hide those in the arguments.
#define CALL(parameters, name, ...)                                   \
	do {                                                              \
		typedef CUresult(*type_) parameters;                          \
		static type_ found_;                                          \
		type_ f_ = __atomic_load_n(&found_, __ATOMIC_RELAXED);        \
		if (!f_) {                                                    \
			f_ = (type_)mapsweep_cuda_symbol(name);                   \
			__atomic_store_n(&found_, f_, __ATOMIC_RELAXED);          \
		}                                                             \
		return f_ ? (int)f_(__VA_ARGS__) : CUDA_ERROR_NOT_SUPPORTED;  \
	} while (0)

#define STREAM(s) ((CUstream)(s))

#endif
