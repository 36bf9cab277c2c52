//go:build linux && cgo && (amd64 || arm64)

#include "dependent.h"

#include <stdlib.h>

#include "call.h"

// An attribute of a launch. The driver's values are unions of 64 bytes; each of those here begins with an int.
struct attribute {
	int id;
	char pad[4];
	union {
		char bytes[64];
		int allowed;
		void *aligned;
	} value;
};

struct config {
	unsigned grid[3], block[3], shared;
	CUstream stream;
	struct attribute *attributes;
	unsigned count;
};

// A graph's edge; 0 is an ordinary one.
struct edge {
	unsigned char from_port, to_port, type, reserved[5];
};

_Static_assert(sizeof(struct attribute) == 72 && offsetof(struct attribute, value) == 8, "CUlaunchAttribute");
_Static_assert(sizeof(struct config) == 56 && offsetof(struct config, stream) == 32, "CUlaunchConfig");
_Static_assert(sizeof(struct edge) == 8, "CUgraphEdgeData");

enum {
	ptx_version = 5,     // CU_FUNC_ATTRIBUTE_PTX_VERSION
	serialization = 6,   // CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION
	programmatic = 1,    // CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC
};

int mapsweep_cuda_can_depend(void) {
	return mapsweep_cuda_symbol("cuFuncGetAttribute") && mapsweep_cuda_symbol("cuLaunchKernelEx") && mapsweep_cuda_symbol("cuGraphGetEdges_v2");
}

int mapsweep_cuda_ptx_version(uintptr_t function, int *version) {
	CALL((int *, int, CUfunction), "cuFuncGetAttribute", version, ptx_version, (CUfunction)function);
}

static int launch(const struct config *c, CUfunction kernel, void **extra) {
	CALL((const struct config *, CUfunction, void **, void **), "cuLaunchKernelEx", c, kernel, NULL, extra);
}

int mapsweep_cuda_launch_dependent(uintptr_t function, const unsigned *grid, const unsigned *block, unsigned shared, uintptr_t stream,
                                   const void *arguments, size_t bytes) {
	struct attribute behind = {.id = serialization, .value.allowed = 1};
	struct config c = {.grid = {grid[0], grid[1], grid[2]}, .block = {block[0], block[1], block[2]}, .shared = shared,
	                   .stream = STREAM(stream), .attributes = &behind, .count = 1};
	void *extra[] = {(void *)1, (void *)arguments, (void *)2, &bytes, NULL}; // as in extend.c
	return launch(&c, (CUfunction)function, extra);
}

static int get_edges(CUgraph graph, CUgraphNode *from, CUgraphNode *to, struct edge *data, size_t *count) {
	CALL((CUgraph, CUgraphNode *, CUgraphNode *, struct edge *, size_t *), "cuGraphGetEdges_v2", graph, from, to, data, count);
}

int mapsweep_cuda_dependent_edges(uintptr_t graph, size_t *edges) {
	size_t count = 0;
	*edges = 0;
	int status = get_edges((CUgraph)graph, NULL, NULL, NULL, &count);
	if (status != CUDA_SUCCESS || count == 0)
		return status;
	CUgraphNode *nodes = calloc(2 * count, sizeof *nodes);
	struct edge *data = calloc(count, sizeof *data);
	status = nodes && data ? get_edges((CUgraph)graph, nodes, nodes + count, data, &count) : CUDA_ERROR_OUT_OF_MEMORY;
	for (size_t i = 0; i < count && status == CUDA_SUCCESS; i++)
		*edges += data[i].type == programmatic;
	free(nodes);
	free(data);
	return status;
}
