// NCCL 2 as this package uses it: functions found at run time, communicators and streams pointers.
#include <stddef.h>
#include <stdint.h>

struct mapsweep_nccl; // the library's functions
extern const char *const mapsweep_nccl_names[]; // in that order, and a null

struct mapsweep_nccl_id { // ncclUniqueId
	char bytes[128];
};

const char *mapsweep_nccl_words(const struct mapsweep_nccl *l, int status);

// The rest return NCCL's status, 0 for success. Those of a communicator want a thread on which the device's context is current.
int mapsweep_nccl_version(const struct mapsweep_nccl *l, int *version);
int mapsweep_nccl_id(const struct mapsweep_nccl *l, struct mapsweep_nccl_id *id);
int mapsweep_nccl_join(const struct mapsweep_nccl *l, const struct mapsweep_nccl_id *id, int ranks, int rank, void **comm);
int mapsweep_nccl_leave(const struct mapsweep_nccl *l, void *comm);
int mapsweep_nccl_abort(const struct mapsweep_nccl *l, void *comm);
int mapsweep_nccl_failed(const struct mapsweep_nccl *l, void *comm, int *status); // the failure of work under way

// n values at an address become the sums over all ranks; float, or double.
int mapsweep_nccl_sum(const struct mapsweep_nccl *l, void *comm, uintptr_t stream, uintptr_t p, size_t n, int doubles);

// Bytes at an address become those of rank `from`.
int mapsweep_nccl_copy(const struct mapsweep_nccl *l, void *comm, uintptr_t stream, uintptr_t p, size_t bytes, int from);

// What is put between the two travels together.
int mapsweep_nccl_group(const struct mapsweep_nccl *l, int begin);
