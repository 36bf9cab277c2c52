// trainer/native/cuda/nccl/library.c beside NCCL's header. cuda_runtime.h, which that reads, is not needed for its declarations.
#include "like.h"
#include <nccl.h>
#include "functions.h"
#include "trainer/native/cuda/nccl/library.h"

#define SAME(result, name, parameters) static_assert(like<result parameters, decltype(name)>::value, #name);
FUNCTIONS(SAME)
#include "numbers.h"

static_assert(sizeof(struct mapsweep_nccl_id) == sizeof(ncclUniqueId) && ncclSuccess == 0);
