// Convolutions in bf16 on tensor cores: the product and the gradient of the input, as implicit products of matrices.
//
// Rows are the pixels that are written, columns their lanes, terms are (tap, lane) of the window that is read: eight lanes
// of a tap, 16 bytes, are a group, and groups follow each other as the weights do, so that no term is wasted on a border
// between taps. Blocks of group z of the convolution read and write lanes, and rows of weights, from z times those of a group on.
// A thread copies one group of several rows a stage, zeros where the tap falls outside the image.
//
// The gradient of an input of stride 2 is four products, one for each parity of the pixel (y, x): pixels of one parity are
// reached by the same 1, 2, 2 or 4 taps, so that 9 taps serve four pixels, where a gather by every tap would multiply
// three zeros in four.
#include "conv16_gather.cuh"

template <class T, bool BACK> __device__ __forceinline__ void gather(const GatherArgs &a) {
	DYNAMIC_SHARED(bf16, shared);
	SHARED(int, place, T::BM);
	const Taps t(a, BACK, 3 - blockIdx.y); // the parity with most taps first
	const Groups groups(a.x.c, t.ny * t.nx);
	const int column = blockIdx.x % a.columns, tile = blockIdx.x / a.columns, first = column * T::BN;
	const Reader<T, BACK> reader(a, t, (long long)tile * T::BM, place);
	const Warps<T> warps;
	Sums<T> sums;
	sums.zero();
	const int steps = (groups.all * 8 + T::BK - 1) / T::BK;
#pragma unroll
	for (int s = 0; s < T::STAGES - 1; s++) {
		if (s < steps)
			reader.load(shared + s * T::STAGE, a, t, groups, first, s);
		commit_copies();
	}
	for (int s = 0; s < steps; s++) {
		wait_copies<T::STAGES - 2>();
		__syncthreads();
		const int next = s + T::STAGES - 1;
		if (next < steps)
			reader.load(shared + next % T::STAGES * T::STAGE, a, t, groups, first, next);
		commit_copies();
		const bf16 *stage = shared + s % T::STAGES * T::STAGE;
		multiply<T, false, BACK>(sums, stage, stage + T::BM * T::BK, warps, groups.all * 8 - s * T::BK);
	}
	wait_copies<0>();
	__syncthreads();
	const Finish f = finish_group(a, tile, a.add);
	finish<T>(sums, shared, place, first, f, warps);
	if (!BACK)
		finish_product<T>(a, shared);
}

// Shapes, as conv16_tiles.go lists them.
using Tile128x128 = MatrixTile<128, 128, 2, 4, 1, 32, 4>;
using Tile128x64 = MatrixTile<128, 64, 2, 2, 1, 32, 4>;
using Tile64x64 = MatrixTile<64, 64, 2, 2, 1, 32, 4>;
using Tile128x32 = MatrixTile<128, 32, 4, 1, 1, 32, 4>;
using Tile64x32 = MatrixTile<64, 32, 2, 1, 2, 64, 4>;
using Tile128x16 = MatrixTile<128, 16, 4, 1, 1, 32, 4>;
using Tile32x32 = MatrixTile<32, 32, 1, 1, 4, 64, 5>;
using Tile32x16 = MatrixTile<32, 16, 1, 1, 4, 64, 5>;

#define GATHER(shape)                                                                                              \
	KERNEL(conv16_forward_##shape, GatherArgs, Tile##shape::THREADS) { gather<Tile##shape, false>(a); } \
	KERNEL(conv16_back_##shape, GatherArgs, Tile##shape::THREADS) { gather<Tile##shape, true>(a); }

GATHER(128x128)
GATHER(128x64)
GATHER(64x64)
GATHER(128x32)
GATHER(64x32)
GATHER(128x16)
GATHER(32x32)
GATHER(32x16)
