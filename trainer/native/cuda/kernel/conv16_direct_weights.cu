// The gradient of the weights of convolutions of 3 x 3 and stride 1, in bf16 on tensor cores.
//
// As in conv16_weights.cu rows are lanes of the product, columns (tap, lane) and terms pixels, in slices; but a block has all
// nine taps of 16 lanes, so that the pixels around a tile (conv16_ground.cuh) are copied once and not nine times. Eight lanes
// of the nine taps belong to a warp.
#include "conv16_ground.cuh"

struct DirectWeightArgs {
	View x, dy; // of the first group
	float *dw;  // [slices][groups][lanes of dy][9][lanes of x]
	Lay lay;
	int tiles; // of pixels
	int each;  // of a slice
};

// Shape is a block's part: BM lanes of the product and 16 of the input, PIXELS at a time.
template <int BM_, int WM_, int WK_> struct Shape {
	static constexpr int BM = BM_, WM = WM_, WN = 2, WK = WK_, MI = BM / WM / 16, NI = 9;
	static constexpr int PIXELS = 128, THREADS = 32 * WM * WN * WK;
};

// load starts the copies of a tile's pixels: lanes of dy, and of x around them; and notes in `rows` the place of each pixel in
// shared memory, and which taps fall into the image, in the upper half.
template <class T> __device__ __forceinline__ void load_tile(bf16 *stage, int *rows, const DirectWeightArgs &a, int tile, int lane, int column) {
	constexpr int G = T::BM / 8;
	const Ground<T::PIXELS> ground(a.lay, a.dy, tile);
#pragma unroll 1
	for (int i = threadIdx.x; i < T::PIXELS * G; i += T::THREADS) {
		const int row = i / G, g = i % G, pixel = ground.target(row);
		copy_async(stage + swizzled<G>(row, g), at<bf16>(a.dy, pixel) + lane + 8 * g, pixel >= 0 && lane + 8 * g < a.dy.c);
	}
	bf16 *around = stage + T::PIXELS * T::BM;
#pragma unroll 1
	for (int i = threadIdx.x; i < 2 * a.lay.around; i += T::THREADS) {
		const int place = i / 2, g = i % 2, pixel = ground.source(place);
		copy_async(around + swizzled<2>(place, g), at<bf16>(a.x, pixel) + column + 8 * g, pixel >= 0);
	}
	for (int i = threadIdx.x; i < T::PIXELS; i += T::THREADS) {
		const Site s = ground.site(i);
		rows[i] = s.centre | s.inside(a.dy, false) << 16;
	}
}

// add_tile multiplies. A warp loads taps in pairs, one by the lower half of its lanes and one by the upper; away[] are the
// displacements of a lane's.
template <class T> __device__ __forceinline__ void add_tile(Sums<T> &sums, const bf16 *stage, const int *rows, const bf16 *zero, const int (&away)[5], const Warps<T> &w) {
	constexpr int G = T::BM / 8;
	const bf16 *around = stage + T::PIXELS * T::BM;
	const int low = w.lane & 15, high = w.lane >> 4, in8 = w.lane & 7, second = w.lane >> 3 & 1;
#pragma unroll 1
	for (int k = w.k * 16; k < T::PIXELS; k += 16 * T::WK) {
		uint32_t fa[T::MI][4];
#pragma unroll
		for (int i = 0; i < T::MI; i++)
			load_matrices_transposed(fa[i], stage + swizzled<G>(k + in8 + 8 * high, (w.m * T::MI + i) * 2 + second));
		const int row = rows[k + low], centre = row & 0xffff, inside = row >> (16 + high);
#pragma unroll
		for (int p = 0; p < 5; p++) {
			uint32_t f[4];
			load_matrices_transposed(f, inside >> 2 * p & 1 ? around + swizzled<2>(centre + away[p], w.n) : zero);
			const uint32_t f0[2] = {f[0], f[1]}, f1[2] = {f[2], f[3]};
#pragma unroll
			for (int i = 0; i < T::MI; i++) {
				mma_bf16(sums.d[i][2 * p], fa[i], f0);
				if (p < 4)
					mma_bf16(sums.d[i][2 * p + 1], fa[i], f1);
			}
		}
	}
}

template <class T> __device__ __forceinline__ void direct_weights(const DirectWeightArgs &all) {
	DYNAMIC_SHARED(bf16, shared);
	SHARED(int, rows, 2 * T::PIXELS);
	SHARED(Quad, zero, 1);
	const DirectWeightArgs a = weight_group(all, blockIdx.z);
	const int columns = a.x.c / DEEP, lane = blockIdx.x / columns * T::BM, column = blockIdx.x % columns * DEEP;
	const int first = blockIdx.y * a.each, last = first + a.each < a.tiles ? first + a.each : a.tiles;
	const int stage = T::PIXELS * T::BM + a.lay.around * DEEP;
	if (threadIdx.x == 0)
		zero[0] = {{0, 0, 0, 0}};
	load_tile<T>(shared, rows, a, first, lane, column);
	commit_copies();
	const Warps<T> w;
	int away[5];
#pragma unroll
	for (int p = 0; p < 5; p++) {
		const int tap = 2 * p + (w.lane >> 4);
		away[p] = (tap / 3 - 1) * a.lay.pitch + tap % 3 - 1;
	}
	Sums<T> sums;
	sums.zero();
	for (int t = first; t < last; t++) {
		const int turn = (t - first) % 2;
		wait_copies<0>();
		__syncthreads();
		if (t + 1 < last)
			load_tile<T>(shared + (1 - turn) * stage, rows + (1 - turn) * T::PIXELS, a, t + 1, lane, column);
		commit_copies();
		add_tile<T>(sums, shared + turn * stage, rows + turn * T::PIXELS, reinterpret_cast<const bf16 *>(zero), away, w);
	}
	__syncthreads();
	gather_sums<T>(sums, reinterpret_cast<float *>(shared), w);
	if (w.k > 0)
		return;
	float *to = a.dw + (long long)(blockIdx.y * gridDim.z + blockIdx.z) * a.dy.c * 9 * a.x.c + column + w.n * 8 + 2 * (w.lane % 4);
#pragma unroll
	for (int i = 0; i < T::MI; i++)
#pragma unroll
		for (int tap = 0; tap < 9; tap++)
#pragma unroll
			for (int h = 0; h < 2; h++) {
				const int m = lane + (w.m * T::MI + i) * 16 + w.lane / 4 + 8 * h;
				if (m < a.dy.c)
					store2(to + (long long)(m * 9 + tap) * a.x.c, sums.d[i][tap][2 * h], sums.d[i][tap][2 * h + 1]);
			}
}

// Shapes, as conv16_slices.go lists them.
using Shape128 = Shape<128, 4, 1>;
using Shape64 = Shape<64, 2, 1>;
using Shape32 = Shape<32, 1, 2>;
using Shape16 = Shape<16, 1, 2>;

#define DIRECT_WEIGHTS(lanes) \
	KERNEL(conv16_direct_weights_##lanes##x144, DirectWeightArgs, Shape##lanes::THREADS) { direct_weights<Shape##lanes>(a); }

DIRECT_WEIGHTS(128)
DIRECT_WEIGHTS(64)
DIRECT_WEIGHTS(32)
DIRECT_WEIGHTS(16)
