// Convolutions in bf16 by warpgroups (sm_90a): the product and the gradient of the input as conv16.cu gathers them, multiplied
// from shared memory without a way through registers.
#include "conv16_gather.cuh"
#include "conv16_wgmma.cuh"

#ifdef HAS_WGMMA

template <class T, bool BACK> __device__ __forceinline__ void gather_group(const GatherArgs &a) {
	DYNAMIC_SHARED(bf16, start);
	SHARED(int, place, T::BM);
	bf16 *shared = on_panel(start);
	const Taps t(a, BACK, 3 - blockIdx.y); // the parity with most taps first
	const Groups groups(a.x.c, t.ny * t.nx);
	const int column = blockIdx.x % a.columns, tile = blockIdx.x / a.columns, first = column * T::BN;
	const Reader<T, BACK> reader(a, t, (long long)tile * T::BM, place);
	Sums<T> sums;
	sums.zero();
	stages<T, false, BACK>(sums, shared, (groups.all * 8 + T::BK - 1) / T::BK, [&](bf16 *stage, int s) { reader.load(stage, a, t, groups, first, s); });
	const Finish f = finish_group(a, tile, a.add);
	finish<T>(sums, shared, place, first, f, Warps<T>());
	if (!BACK)
		finish_product<T>(a, shared);
}

// Shapes, as conv16_wgmma.go lists them.
using Tile128x256 = GroupTile<128, 256, 3>;
using Tile128x128 = GroupTile<128, 128, 4>;
using Tile64x128 = GroupTile<64, 128, 4>;
using Tile128x64 = GroupTile<128, 64, 4>;

#define GROUP_GATHER(shape)                                                                                                     \
	KERNEL(conv16_wgmma_forward_##shape, GatherArgs, Tile##shape::THREADS) { gather_group<Tile##shape, false>(a); } \
	KERNEL(conv16_wgmma_back_##shape, GatherArgs, Tile##shape::THREADS) { gather_group<Tile##shape, true>(a); }

GROUP_GATHER(128x256)
GROUP_GATHER(128x128)
GROUP_GATHER(64x128)
GROUP_GATHER(128x64)

#endif
