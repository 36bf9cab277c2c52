// Convolutions of 3 x 3 and stride 1 in bf16 on tensor cores: the product, and the gradient of the input, which is one too
// with mirrored taps.
//
// A block keeps the pixels around its tile (conv16_ground.cuh) in shared memory, 16 lanes of them at a time, and the nine taps
// read them there at displaced rows, where conv16.cu would copy each pixel nine times. Group z of the convolution is in grid z.
#include "conv16_ground.cuh"

struct DirectArgs {
	View x, y; // of the first group
	const bf16 *w; // [groups][lanes of the product][9][lanes of the input]
	const float *bias;
	float *partial;   // [tiles][2][lanes]
	int columns, add; // tiles of lanes side by side
	Lay lay;
	int lanes, pad_; // written of a pixel, of all groups
	Statistics statistics;
};

constexpr int TAPS = 9;

// load starts the copies of 16 lanes of all pixels around the tile, and of the weights that go with them: [tap][column][term],
// or [tap][term][column] for the gradient of the input.
template <class T, bool BACK> __device__ __forceinline__ void load(bf16 *stage, const DirectArgs &a, const int *from, int first, int lane) {
	for (int i = threadIdx.x; i < 2 * a.lay.around; i += T::THREADS) {
		const int place = i / 2, g = i % 2, pixel = from[place];
		copy_async(stage + swizzled<2>(place, g), at<bf16>(a.x, pixel) + blockIdx.z * a.x.c + lane + 8 * g, pixel >= 0);
	}
	bf16 *b = stage + a.lay.around * DEEP;
	constexpr int G = BACK ? T::BN / 8 : 2, ROWS = BACK ? DEEP : T::BN;
#pragma unroll 1
	for (int i = threadIdx.x; i < TAPS * ROWS * G; i += T::THREADS) {
		const int g = i % G, row = i / G, k = row % ROWS, tap = row / ROWS;
		if (BACK)
			copy_async(b + swizzled<G>(row, g), a.w + ((long long)((blockIdx.z * a.x.c + lane + k) * TAPS + tap) * a.y.c + first + 8 * g), first + 8 * g < a.y.c);
		else
			copy_async(b + swizzled<G>(row, g), a.w + ((long long)((blockIdx.z * a.y.c + first + k) * TAPS + tap) * a.x.c + lane + 8 * g), first + k < a.y.c);
	}
}

// Rows of a warp's tile as a lane addresses them: places and the taps that are inside the image.
template <class T> struct Rows {
	int centre[T::MI], inside[T::MI];
};

template <class T, bool BACK> __device__ __forceinline__ void add_taps(Sums<T> &sums, const bf16 *stage, const bf16 *zero, const DirectArgs &a, const Rows<T> &rows, const Warps<T> &w) {
	constexpr int G = BACK ? T::BN / 8 : 2;
	const bf16 *b = stage + a.lay.around * DEEP;
	const int low = w.lane & 15, high = w.lane >> 4, in8 = w.lane & 7, second = w.lane >> 3 & 1;
#pragma unroll 3
	for (int tap = 0; tap < TAPS; tap++) {
		const int dy = BACK ? 1 - tap / 3 : tap / 3 - 1, dx = BACK ? 1 - tap % 3 : tap % 3 - 1;
		uint32_t fa[T::MI][4];
#pragma unroll
		for (int i = 0; i < T::MI; i++) {
			const int place = rows.centre[i] + dy * a.lay.pitch + dx;
			load_matrices(fa[i], rows.inside[i] >> tap & 1 ? stage + swizzled<2>(place, high) : zero);
		}
#pragma unroll
		for (int j = 0; j < T::NI; j += 2) {
			const int n = (w.n * T::NI + j) * 8;
			uint32_t f[4];
			if (BACK)
				load_matrices_transposed(f, b + swizzled<G>(tap * DEEP + low, n / 8 + high));
			else
				load_matrices(f, b + swizzled<G>(tap * T::BN + n + in8 + 8 * high, second));
			const uint32_t f0[2] = {f[0], f[1]}, f1[2] = {f[2], f[3]};
#pragma unroll
			for (int i = 0; i < T::MI; i++) {
				mma_bf16(sums.d[i][j], fa[i], f0);
				mma_bf16(sums.d[i][j + 1], fa[i], f1);
			}
		}
	}
}

template <class T, bool BACK> __device__ __forceinline__ void direct(const DirectArgs &a) {
	DYNAMIC_SHARED(bf16, shared);
	SHARED(int, place, T::BM);
	SHARED(int, from, MOST_AROUND);
	SHARED(Quad, zero, 1);
	const int column = blockIdx.x % a.columns, tile = blockIdx.x / a.columns, first = column * T::BN;
	const Ground<T::BM> ground(a.lay, a.y, tile);
	for (int i = threadIdx.x; i < a.lay.around; i += T::THREADS)
		from[i] = ground.source(i);
	for (int i = threadIdx.x; i < T::BM; i += T::THREADS)
		place[i] = ground.target(i);
	if (threadIdx.x == 0)
		zero[0] = {{0, 0, 0, 0}};
	__syncthreads();
	const int stage = (a.lay.around + TAPS * T::BN) * DEEP, steps = a.x.c / DEEP;
	load<T, BACK>(shared, a, from, first, 0);
	commit_copies();
	const Warps<T> warps;
	Rows<T> rows;
#pragma unroll
	for (int i = 0; i < T::MI; i++) {
		const Site s = ground.site((warps.m * T::MI + i) * 16 + (warps.lane & 15));
		rows.centre[i] = s.centre;
		rows.inside[i] = s.inside(a.y, BACK);
	}
	Sums<T> sums;
	sums.zero();
	for (int s = 0; s < steps; s++) {
		wait_copies<0>();
		__syncthreads();
		if (s + 1 < steps)
			load<T, BACK>(shared + (s + 1) % 2 * stage, a, from, first, (s + 1) * DEEP);
		commit_copies();
		add_taps<T, BACK>(sums, shared + s % 2 * stage, reinterpret_cast<const bf16 *>(zero), a, rows, warps);
	}
	__syncthreads();
	const Finish f = finish_group(a, tile, a.add);
	finish<T>(sums, shared, place, first, f, warps);
	if (!BACK)
		finish_product<T>(a, shared);
}

// Shapes, as conv16_direct.go lists them.
using Direct128x128 = MatrixTile<128, 128, 2, 4, 1, DEEP, 2>;
using Direct128x64 = MatrixTile<128, 64, 2, 2, 1, DEEP, 2>;
using Direct128x32 = MatrixTile<128, 32, 4, 1, 1, DEEP, 2>;
using Direct128x16 = MatrixTile<128, 16, 4, 1, 1, DEEP, 2>;
using Direct64x32 = MatrixTile<64, 32, 2, 2, 1, DEEP, 2>;

#define DIRECT(shape)                                                                                                  \
	KERNEL(conv16_direct_##shape, DirectArgs, Direct##shape::THREADS) { direct<Direct##shape, false>(a); } \
	KERNEL(conv16_direct_back_##shape, DirectArgs, Direct##shape::THREADS) { direct<Direct##shape, true>(a); }

DIRECT(128x128)
DIRECT(128x64)
DIRECT(128x32)
DIRECT(128x16)
DIRECT(64x32)
