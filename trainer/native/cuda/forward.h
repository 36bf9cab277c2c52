// What forward.c tells about the driver. Every function loads the driver if that has not happened yet.
#ifndef MAPSWEEP_CUDA_FORWARD_H
#define MAPSWEEP_CUDA_FORWARD_H

#include <stddef.h>

int mapsweep_cuda_loaded(void);         // 1: libcuda.so.1 is open
int mapsweep_cuda_status(void);         // what its cuInit returned; 100 where it is not open
const char *mapsweep_cuda_reason(void); // why it could not be opened
void *mapsweep_cuda_symbol(const char *name); // a function of the driver; NULL where it has none of that name
const char *mapsweep_cuda_forwarded(size_t i); // the name of the i-th function that cu's calls are forwarded to; NULL after the last

#endif
