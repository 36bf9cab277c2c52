// Convolutions in bf16 by warpgroups (sm_90a): the gradient of the weights as conv16_weights.cu gathers it. Both matrices lie by
// pixels, and are turned as they are read.
#include "conv16_columns.cuh"
#include "conv16_wgmma.cuh"

#ifdef HAS_WGMMA

template <class T> __device__ __forceinline__ void weights_group(const WeightArgs &whole) {
	DYNAMIC_SHARED(bf16, start);
	bf16 *shared = on_panel(start);
	const WeightArgs a = weight_group(whole, blockIdx.z);
	const int all = a.kernel * a.kernel * a.x.c; // columns
	const int lane = blockIdx.x / a.columns * T::BM, column = blockIdx.x % a.columns * T::BN;
	const unsigned first = blockIdx.y * (unsigned)a.each, last = first + (unsigned)a.each, count = (unsigned)pixels(a.dy), end = last < count ? last : count;
	const ColumnReader<T, 8> reader(a, column);
	Sums<T> sums;
	sums.zero();
	stages<T, true, true>(sums, shared, (int)(end - first + T::BK - 1) / T::BK, [&](bf16 *stage, int s) {
		load_rows<T>(stage, a, lane, first + s * T::BK, end);
		reader.load(stage + T::BM * T::BK, a, first + s * T::BK, end);
	});
	store_weights<T>(sums, a.dw + (long long)(blockIdx.y * gridDim.z + blockIdx.z) * a.dy.c * all, lane, column, a.dy.c, all, Warps<T>());
}

// Shapes, as conv16_wgmma.go lists them.
using Weights128x256 = GroupTile<128, 256, 3>;
using Weights128x128 = GroupTile<128, 128, 3>;
using Weights64x128 = GroupTile<64, 128, 4>;

#define GROUP_WEIGHTS(shape) \
	KERNEL(conv16_wgmma_weights_##shape, WeightArgs, Weights##shape::THREADS) { weights_group<Weights##shape>(a); }

GROUP_WEIGHTS(128x256)
GROUP_WEIGHTS(128x128)
GROUP_WEIGHTS(64x128)

#endif
