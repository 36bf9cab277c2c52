// The kernels for AVX2 with FMA: 16 registers of 8 floats; 12 sums, the weights of a block (2) and a broadcast.
#if defined(__x86_64__)
#include <string.h>

#include "kernels.h"

#pragma GCC target("avx2,fma")
#define MS_AVX2
#include "simd.h"

#define MAX_M 6
#define MAX_NB 1
#define TILES(F) F(1, 1) F(2, 1) F(4, 1) F(6, 1)
#define HALF_TILES(F) F(1, 1) F(2, 1) F(4, 1) F(6, 1)
#define IMAGE_TILES(F) TILES(F)
#define WEIGHT_I_MAX 4
#define WEIGHT_I_WIDE 4
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

#define TABLE ms_kernels_avx2
#define TABLE_NAME "avx2"
#include "table.h"
#endif
