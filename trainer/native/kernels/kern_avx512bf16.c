// Convolutions with operands in bfloat16 by the instructions of AVX512_BF16 (Cooper Lake, Zen 4 and later); the rest of a
// layer is kern_avx512.c's.
#if defined(__x86_64__)
#include <string.h>

#include "kernels.h"

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")
#define MS_AVX512
#define MS_BF16
#include "simd.h"

#define BF_MAX_M 16
#define BF_MAX_NB 3
#define BF_TILES(F) \
	F(1, 1) F(2, 1) F(4, 1) F(6, 1) F(8, 1) F(12, 1) F(16, 1) F(1, 2) F(2, 2) F(4, 2) F(6, 2) F(8, 2) F(10, 2) F(12, 2) F(1, 3) F(2, 3) F(4, 3) F(6, 3) F(8, 3)
#define BF_HALF_TILES(F) F(1, 1) F(2, 1) F(4, 1) F(8, 1) F(16, 1) F(1, 2) F(2, 2) F(4, 2) F(8, 2) F(10, 2) F(12, 2)
#define BF_WEIGHT_I 16
#define BF_WEIGHT_I_WIDE 8
#define BF_WEIGHT_NB 2
#define BF_WEIGHT_PIXELS 128
#include "bf16.h"
#include "bf16_dw.h"

#define BF16_TABLE ms_bf16_avx512
#define BF16_NAME "AVX512_BF16"
#include "bf16_table.h"
#endif
