//go:build linux && cgo && (amd64 || arm64)

#include "extend.h"

#include <stdlib.h>

#include "call.h"

// NVIDIA's numbers: .ci/cuda-headers.sh holds each against the name beside it.
enum {
	capture_of_this_thread = 1, // CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
	portable_and_mapped = 3,    // CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP
	pool_keeps = 4,             // CU_MEMPOOL_ATTR_RELEASE_THRESHOLD
	most_dynamic_shared = 8,    // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
	end = 0,                    // CU_LAUNCH_PARAM_END_AS_INT
	buffer_at = 1,              // CU_LAUNCH_PARAM_BUFFER_POINTER_AS_INT
	buffer_bytes = 2,           // CU_LAUNCH_PARAM_BUFFER_SIZE_AS_INT
};

int mapsweep_cuda_begin_capture(uintptr_t stream) {
	CALL((CUstream, int), "cuStreamBeginCapture_v2", STREAM(stream), capture_of_this_thread);
}

int mapsweep_cuda_end_capture(uintptr_t stream, uintptr_t *graph) {
	CALL((CUstream, CUgraph *), "cuStreamEndCapture", STREAM(stream), (CUgraph *)graph);
}

int mapsweep_cuda_instantiate(uintptr_t graph, uintptr_t *exec) {
	CALL((CUgraphExec *, CUgraph, unsigned long long), "cuGraphInstantiateWithFlags", (CUgraphExec *)exec, (CUgraph)graph, 0);
}

int mapsweep_cuda_graph_nodes(uintptr_t graph, size_t *nodes) {
	CALL((CUgraph, CUgraphNode *, size_t *), "cuGraphGetNodes", (CUgraph)graph, NULL, nodes);
}

int mapsweep_cuda_graph_launch(uintptr_t exec, uintptr_t stream) {
	CALL((CUgraphExec, CUstream), "cuGraphLaunch", (CUgraphExec)exec, STREAM(stream));
}

int mapsweep_cuda_graph_destroy(uintptr_t graph) { CALL((CUgraph), "cuGraphDestroy", (CUgraph)graph); }

int mapsweep_cuda_exec_destroy(uintptr_t exec) { CALL((CUgraphExec), "cuGraphExecDestroy", (CUgraphExec)exec); }

static int host_alloc(size_t bytes, void **host) {
	CALL((void **, size_t, unsigned), "cuMemHostAlloc", host, bytes, portable_and_mapped);
}

static int host_address(void *host, uint64_t *device) {
	CALL((CUdeviceptr *, void *, unsigned), "cuMemHostGetDevicePointer_v2", (CUdeviceptr *)device, host, 0);
}

int mapsweep_cuda_host_alloc(size_t bytes, void **host, uint64_t *device) {
	int status = host_alloc(bytes, host);
	if (status != CUDA_SUCCESS)
		return status;
	status = host_address(*host, device);
	if (status != CUDA_SUCCESS)
		mapsweep_cuda_host_free(*host);
	return status;
}

int mapsweep_cuda_host_free(void *host) { CALL((void *), "cuMemFreeHost", host); }

int mapsweep_cuda_pool_alloc(size_t bytes, uintptr_t stream, uint64_t *memory) {
	CALL((CUdeviceptr *, size_t, CUstream), "cuMemAllocAsync", (CUdeviceptr *)memory, bytes, STREAM(stream));
}

int mapsweep_cuda_pool_free(uint64_t memory, uintptr_t stream) {
	CALL((CUdeviceptr, CUstream), "cuMemFreeAsync", memory, STREAM(stream));
}

static int default_pool(void **pool, int device) { CALL((void **, CUdevice), "cuDeviceGetDefaultMemPool", pool, device); }

static int set_pool(void *pool, int attribute, uint64_t *value) {
	CALL((void *, int, void *), "cuMemPoolSetAttribute", pool, attribute, value);
}

static int trim_pool(void *pool) { CALL((void *, size_t), "cuMemPoolTrimTo", pool, 0); }

int mapsweep_cuda_pool_keep(int device, uint64_t bytes) {
	void *pool;
	int status = default_pool(&pool, device);
	return status != CUDA_SUCCESS ? status : set_pool(pool, pool_keeps, &bytes);
}

int mapsweep_cuda_pool_trim(int device) {
	void *pool;
	int status = default_pool(&pool, device);
	return status != CUDA_SUCCESS ? status : trim_pool(pool);
}

static int count_functions(unsigned *count, CUmodule module) {
	CALL((unsigned *, CUmodule), "cuModuleGetFunctionCount", count, module);
}

static int list_functions(CUfunction *functions, unsigned count, CUmodule module) {
	CALL((CUfunction *, unsigned, CUmodule), "cuModuleEnumerateFunctions", functions, count, module);
}

static int load_function(CUfunction function) { CALL((CUfunction), "cuFuncLoad", function); }

int mapsweep_cuda_load_functions(uintptr_t module) {
	unsigned count = 0;
	int status = count_functions(&count, (CUmodule)module);
	if (status != CUDA_SUCCESS || count == 0)
		return status;
	CUfunction *functions = calloc(count, sizeof *functions);
	if (!functions)
		return CUDA_ERROR_OUT_OF_MEMORY;
	status = list_functions(functions, count, (CUmodule)module);
	for (unsigned i = 0; i < count && status == CUDA_SUCCESS; i++)
		status = load_function(functions[i]);
	free(functions);
	return status;
}

int mapsweep_cuda_shared_limit(uintptr_t function, int bytes) {
	CALL((CUfunction, int, int), "cuFuncSetAttribute", (CUfunction)function, most_dynamic_shared, bytes);
}

int mapsweep_cuda_release_primary(int device) { CALL((CUdevice), "cuDevicePrimaryCtxRelease_v2", device); }

static int launch(CUfunction kernel, const unsigned *g, const unsigned *b, unsigned shared, CUstream s, void **extra) {
	CALL((CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CUstream, void **, void **),
	     "cuLaunchKernel", kernel, g[0], g[1], g[2], b[0], b[1], b[2], shared, s, NULL, extra);
}

int mapsweep_cuda_launch(uintptr_t function, const unsigned *grid, const unsigned *block, unsigned shared, uintptr_t stream,
                         const void *arguments, size_t bytes) {
	void *extra[] = {(void *)buffer_at, (void *)arguments, (void *)buffer_bytes, &bytes, (void *)end};
	return launch((CUfunction)function, grid, block, shared, STREAM(stream), extra);
}
