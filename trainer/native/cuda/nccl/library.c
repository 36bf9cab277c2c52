//go:build linux && cgo && (amd64 || arm64)

// NCCL's functions by name.
#include "library.h"

// result, name, parameters: as NCCL 2 declares them, with enums as int and handles as void *.
#define FUNCTIONS(F)                                                                             \
	F(int, ncclGetVersion, (int *))                                                              \
	F(const char *, ncclGetErrorString, (int))                                                   \
	F(int, ncclGetUniqueId, (struct mapsweep_nccl_id *))                                         \
	F(int, ncclCommInitRank, (void **, int, struct mapsweep_nccl_id, int))                       \
	F(int, ncclCommDestroy, (void *))                                                            \
	F(int, ncclCommAbort, (void *))                                                              \
	F(int, ncclCommGetAsyncError, (void *, int *))                                               \
	F(int, ncclAllReduce, (const void *, void *, size_t, int, int, void *, void *))              \
	F(int, ncclBroadcast, (const void *, void *, size_t, int, int, void *, void *))              \
	F(int, ncclGroupStart, (void))                                                               \
	F(int, ncclGroupEnd, (void))

struct mapsweep_nccl {
#define FIELD(result, name, parameters) result(*name) parameters;
	FUNCTIONS(FIELD)
};

#define NAME(result, name, parameters) #name,
const char *const mapsweep_nccl_names[] = {FUNCTIONS(NAME) NULL};

enum { // NCCL's numbers: .ci/cuda-headers.sh holds each against the name beside it
	INT8 = 0,    // ncclInt8
	FLOAT32 = 7, // ncclFloat32
	FLOAT64 = 8, // ncclFloat64
	SUM = 0,     // ncclSum
};

const char *mapsweep_nccl_words(const struct mapsweep_nccl *l, int status) { return l->ncclGetErrorString(status); }

int mapsweep_nccl_version(const struct mapsweep_nccl *l, int *version) { return l->ncclGetVersion(version); }

int mapsweep_nccl_id(const struct mapsweep_nccl *l, struct mapsweep_nccl_id *id) { return l->ncclGetUniqueId(id); }

int mapsweep_nccl_join(const struct mapsweep_nccl *l, const struct mapsweep_nccl_id *id, int ranks, int rank, void **comm) {
	return l->ncclCommInitRank(comm, ranks, *id, rank);
}

int mapsweep_nccl_leave(const struct mapsweep_nccl *l, void *comm) { return l->ncclCommDestroy(comm); }

int mapsweep_nccl_abort(const struct mapsweep_nccl *l, void *comm) { return l->ncclCommAbort(comm); }

int mapsweep_nccl_failed(const struct mapsweep_nccl *l, void *comm, int *status) { return l->ncclCommGetAsyncError(comm, status); }

int mapsweep_nccl_sum(const struct mapsweep_nccl *l, void *comm, uintptr_t stream, uintptr_t p, size_t n, int doubles) {
	return l->ncclAllReduce((void *)p, (void *)p, n, doubles ? FLOAT64 : FLOAT32, SUM, comm, (void *)stream);
}

int mapsweep_nccl_copy(const struct mapsweep_nccl *l, void *comm, uintptr_t stream, uintptr_t p, size_t bytes, int from) {
	return l->ncclBroadcast((void *)p, (void *)p, bytes, INT8, from, comm, (void *)stream);
}

int mapsweep_nccl_group(const struct mapsweep_nccl *l, int begin) { return begin ? l->ncclGroupStart() : l->ncclGroupEnd(); }
