// The kernels in vectors of 4 floats as gcc and clang know them: SSE2 on amd64, NEON on arm64, plain code elsewhere.
#include <string.h>

#include "kernels.h"

#define MS_GENERIC
#include "simd.h"

#define MAX_M 3
#define MAX_NB 1
#define TILES(F) F(1, 1) F(2, 1) F(3, 1)
#define HALF_TILES(F) TILES(F)
#define IMAGE_TILES(F) TILES(F)
#define WEIGHT_I_MAX 2
#define WEIGHT_I_WIDE 2
#define WEIGHT_NB_MAX 1
#define WEIGHT_PIXELS 128
#define IMAGE_KERNEL_ROWS 1
#define BF_MAX_M 2
#define BF_MAX_NB 1
#define BF_TILES(F) F(1, 1) F(2, 1)
#define BF_HALF_TILES(F)
#define BF_WEIGHT_I 2
#define BF_WEIGHT_I_WIDE 2
#define BF_WEIGHT_NB 1
#define BF_WEIGHT_PIXELS 128
#define BF16_TABLE bf16_table
#define BF16_NAME "emulation"
#include "conv.h"
#include "bf16.h"
#include "bf16_dw.h"
#include "bf16_table.h"
#include "finish.h"
#include "winograd.h"
#include "winograd_dw.h"
#include "rep.h"
#include "batch.h"
#include "plain.h"
#include "pool.h"
#include "fused.h"
#include "resize.h"
#include "optim.h"

#define TABLE ms_kernels_generic
#define TABLE_NAME "generic"
#include "table.h"
