// Kernels that are placed before the kernel ahead of them in their stream has ended, and wait for it themselves ("programmatic
// dependent launch" in the driver's words).
#ifndef MAPSWEEP_CUDA_DEPENDENT_H
#define MAPSWEEP_CUDA_DEPENDENT_H

#include <stddef.h>
#include <stdint.h>

int mapsweep_cuda_can_depend(void); // whether the driver has the functions for it, captured or not: 12.3 or later

// The compute capability, 10 major + minor, for which the kernel's PTX was made, whatever it was compiled to since.
int mapsweep_cuda_ptx_version(uintptr_t function, int *version);

// As mapsweep_cuda_launch. What was put into the stream before it must be a kernel.
int mapsweep_cuda_launch_dependent(uintptr_t function, const unsigned *grid, const unsigned *block, unsigned shared, uintptr_t stream,
                                   const void *arguments, size_t bytes);

int mapsweep_cuda_dependent_edges(uintptr_t graph, size_t *edges); // how many of a graph's edges are of that kind

#endif
