// The kernels for AVX-512: 32 registers of 16 floats, so a tile may hold up to 24 of them as sums.
#if defined(__x86_64__)
#include <string.h>

#include "kernels.h"

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma")
#define MS_AVX512
#include "simd.h"

#define MAX_M 16
#define MAX_NB 3
#define TILES(F) \
	F(1, 1) F(2, 1) F(4, 1) F(6, 1) F(8, 1) F(12, 1) F(16, 1) F(1, 2) F(2, 2) F(4, 2) F(6, 2) F(8, 2) F(10, 2) F(12, 2) F(1, 3) F(2, 3) F(4, 3) F(6, 3) F(8, 3)
#define HALF_TILES(F) F(1, 1) F(2, 1) F(4, 1) F(8, 1) F(16, 1) F(1, 2) F(2, 2) F(4, 2) F(8, 2) F(10, 2) F(12, 2)
#define IMAGE_TILES(F) F(1, 1) F(2, 1) F(4, 1) F(8, 1) F(16, 1) F(1, 2) F(2, 2) F(4, 2) F(8, 2)
#define WEIGHT_I_MAX 16
#define WEIGHT_I_WIDE 8
#define WEIGHT_NB_MAX 2
#define WEIGHT_PIXELS 128
#define IMAGE_KERNEL_ROWS 3
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

#define TABLE ms_kernels_avx512
#define TABLE_NAME "avx512"
#include "table.h"
#endif
