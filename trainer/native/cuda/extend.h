// The driver's functions that gorgonia.org/cu does not call, on the same handles: capture of a stream and launch of the
// graph, pinned host memory, pools of device memory, attributes of kernels, and launches with one block of arguments of
// any length. Each returns a CUresult; 801 (not supported) where the driver lacks the function.
#ifndef MAPSWEEP_CUDA_EXTEND_H
#define MAPSWEEP_CUDA_EXTEND_H

#include <stddef.h>
#include <stdint.h>

int mapsweep_cuda_begin_capture(uintptr_t stream);
int mapsweep_cuda_end_capture(uintptr_t stream, uintptr_t *graph); // graph may be 0: the capture was spoilt
int mapsweep_cuda_instantiate(uintptr_t graph, uintptr_t *exec);
int mapsweep_cuda_graph_nodes(uintptr_t graph, size_t *nodes);
int mapsweep_cuda_graph_launch(uintptr_t exec, uintptr_t stream);
int mapsweep_cuda_graph_destroy(uintptr_t graph);
int mapsweep_cuda_exec_destroy(uintptr_t exec);
int mapsweep_cuda_host_alloc(size_t bytes, void **host, uint64_t *device); // device: where kernels find it
int mapsweep_cuda_host_free(void *host);
int mapsweep_cuda_pool_alloc(size_t bytes, uintptr_t stream, uint64_t *memory);
int mapsweep_cuda_pool_free(uint64_t memory, uintptr_t stream);
int mapsweep_cuda_pool_keep(int device, uint64_t bytes); // how much the default pool keeps after a synchronisation
int mapsweep_cuda_pool_trim(int device);
int mapsweep_cuda_load_functions(uintptr_t module); // all of a module, at once
int mapsweep_cuda_shared_limit(uintptr_t function, int bytes); // dynamic shared memory a block may ask for
int mapsweep_cuda_release_primary(int device);

// Grid and block are x, y, z.
int mapsweep_cuda_launch(uintptr_t function, const unsigned *grid, const unsigned *block, unsigned shared, uintptr_t stream,
                         const void *arguments, size_t bytes);

#endif
