// Types of the functions in our cuda.h and C files beside those in NVIDIA's cuda.h, by the symbols that the driver exports; and the
// structs that some take.
#include "like.h"
#define __CUDA_API_VERSION_INTERNAL // declares symbols of all versions
#include <cuda.h>
#include "functions.h"

#define SAME(name, symbol, parameters) static_assert(std::is_same_v<CUresult parameters, decltype(symbol)>, #symbol);
MAPSWEEP_CUDA_FUNCTIONS(SAME)
#include "structs.h"
static_assert(sizeof(attribute) == sizeof(CUlaunchAttribute) && offsetof(attribute, id) == offsetof(CUlaunchAttribute, id));
static_assert(offsetof(attribute, value) == offsetof(CUlaunchAttribute, value) &&
              offsetof(attribute, value.allowed) == offsetof(CUlaunchAttribute, value.programmaticStreamSerializationAllowed) &&
              like<decltype(attribute::value.allowed), decltype(CUlaunchAttribute::value.programmaticStreamSerializationAllowed)>::value);
static_assert(sizeof(config) == sizeof(CUlaunchConfig) && offsetof(config, grid) == offsetof(CUlaunchConfig, gridDimX) &&
              offsetof(config, block) == offsetof(CUlaunchConfig, blockDimX) && offsetof(config, shared) == offsetof(CUlaunchConfig, sharedMemBytes) &&
              offsetof(config, stream) == offsetof(CUlaunchConfig, hStream) && offsetof(config, attributes) == offsetof(CUlaunchConfig, attrs) &&
              offsetof(config, count) == offsetof(CUlaunchConfig, numAttrs));
static_assert(sizeof(edge) == sizeof(CUgraphEdgeData) && offsetof(edge, type) == offsetof(CUgraphEdgeData, type));

#define CALLED(symbol, parameters) static_assert(like<CUresult parameters, decltype(symbol)>::value, #symbol);
#include "called.h"
