// Convolutions in bf16 on tensor cores: the gradient of the weights, an implicit product of matrices whose terms are pixels.
//
// Rows are lanes of the product, columns (tap, lane) of the input, in the order of the weights; eight lanes of a tap, 16
// bytes, are a group. Both matrices lie in shared memory with a pixel to a row, and are transposed as fragments are loaded.
// The pixels are divided into slices, one to a block, which leave sums of their own for conv16_add to add in order.
#include "conv16.cuh"

// Divisor divides numbers below 2^31 by multiplication (Granlund and Montgomery 1994, figure 4.1).
struct Divisor {
	unsigned by, magic;
	int shift;
	__device__ __forceinline__ unsigned quotient(unsigned n) const { return ((unsigned)((uint64_t)n * magic >> 32) + n) >> shift; }
};

struct WeightArgs {
	View x, dy;
	float *dw; // [slices][lanes of dy][kernel * kernel][lanes of x]
	Divisor width, height; // of dy
	int kernel, stride;
	int columns;  // tiles side by side
	int each;     // pixels of a slice, a multiple of the tile's stage
};

// Columns of the tile that a thread copies: EACH lanes (8, or 4 of the image) of one tap, from every APART-th pixel.
template <class T, int EACH> struct ColumnReader {
	static constexpr int UNITS = T::BN / EACH, APART = T::THREADS / UNITS;
	const bf16 *x; // of the tap's lanes
	int dy, dx, unit;
	bool used;

	__device__ __forceinline__ ColumnReader(const WeightArgs &a, int first) {
		unit = threadIdx.x % UNITS;
		const int column = first + unit * EACH, tap = column / a.x.c;
		used = tap < a.kernel * a.kernel;
		dy = tap / a.kernel - a.kernel / 2;
		dx = tap % a.kernel - a.kernel / 2;
		x = reinterpret_cast<const bf16 *>(a.x.p) + (column - tap * a.x.c);
	}

	__device__ __forceinline__ void load(bf16 *b, const WeightArgs &a, unsigned first, unsigned end) const {
#pragma unroll
		for (int k = threadIdx.x / UNITS; k < T::BK; k += APART) {
			const unsigned p = first + k, line = a.width.quotient(p), n = a.height.quotient(line);
			const int sx = (int)(p - line * a.width.by) * a.stride + dx, sy = (int)(line - n * a.height.by) * a.stride + dy;
			const bool there = used && p < end && sy >= 0 && sy < a.x.h && sx >= 0 && sx < a.x.w;
			const bf16 *from = x + (long long)(((int)n * a.x.h + sy) * a.x.w + sx) * a.x.stride;
			if (EACH == 8)
				copy_async_near(b + swizzled<T::BN / 8>(k, unit), from, there);
			else
				copy_async8(b + swizzled<T::BN / 8>(k, unit / 2) + unit % 2 * 4, from, there);
		}
	}
};

// load_rows starts copies of the lanes of dy.
template <class T> __device__ __forceinline__ void load_rows(bf16 *to, const WeightArgs &a, int lane, unsigned first, unsigned end) {
	constexpr int G = T::BM / 8, APART = T::THREADS / G;
	const int g = threadIdx.x % G;
	const bool used = lane + g * 8 < a.dy.c;
#pragma unroll
	for (int k = threadIdx.x / G; k < T::BK; k += APART)
		copy_async(to + swizzled<G>(k, g), at<bf16>(a.dy, first + k) + lane + g * 8, used && first + k < end);
}

template <class T> __device__ __forceinline__ void store_weights(const Sums<T> &sums, float *to, int lane, int column, int lanes, int columns, const Warps<T> &w) {
	if (w.k > 0)
		return;
#pragma unroll
	for (int i = 0; i < T::MI; i++)
#pragma unroll
		for (int j = 0; j < T::NI; j++)
#pragma unroll
			for (int h = 0; h < 2; h++) {
				const int m = lane + (w.m * T::MI + i) * 16 + w.lane / 4 + 8 * h, n = column + (w.n * T::NI + j) * 8 + 2 * (w.lane % 4);
				if (m < lanes && n < columns)
					store2(to + (long long)m * columns + n, sums.d[i][j][2 * h], sums.d[i][j][2 * h + 1]);
			}
}

template <class T, int EACH> __device__ __forceinline__ void weights(const WeightArgs &a) {
	DYNAMIC_SHARED(bf16, shared);
	const int all = a.kernel * a.kernel * a.x.c; // columns
	const int lane = blockIdx.x / a.columns * T::BM, column = blockIdx.x % a.columns * T::BN;
	const unsigned first = blockIdx.y * (unsigned)a.each, last = first + (unsigned)a.each, count = (unsigned)pixels(a.dy), end = last < count ? last : count;
	const ColumnReader<T, EACH> reader(a, column);
	const Warps<T> warps;
	Sums<T> sums;
	sums.zero();
	const int steps = (int)(end - first + T::BK - 1) / T::BK;
#pragma unroll
	for (int s = 0; s < T::STAGES - 1; s++) {
		if (s < steps) {
			load_rows<T>(shared + s * T::STAGE, a, lane, first + s * T::BK, end);
			reader.load(shared + s * T::STAGE + T::BM * T::BK, a, first + s * T::BK, end);
		}
		commit_copies();
	}
	for (int s = 0; s < steps; s++) {
		wait_copies<T::STAGES - 2>();
		__syncthreads();
		const int next = s + T::STAGES - 1;
		if (next < steps) {
			bf16 *stage = shared + next % T::STAGES * T::STAGE;
			load_rows<T>(stage, a, lane, first + next * T::BK, end);
			reader.load(stage + T::BM * T::BK, a, first + next * T::BK, end);
		}
		commit_copies();
		const bf16 *stage = shared + s % T::STAGES * T::STAGE;
		multiply<T, true, true>(sums, stage, stage + T::BM * T::BK, warps, (int)(end - first) - s * T::BK);
	}
	wait_copies<0>();
	__syncthreads();
	gather_sums<T>(sums, reinterpret_cast<float *>(shared), warps);
	store_weights<T>(sums, a.dw + (long long)blockIdx.y * a.dy.c * all, lane, column, a.dy.c, all, warps);
}

// Shapes, as conv16_tiles.go lists them.
using Weights128x128 = MatrixTile<128, 128, 2, 4, 1, 32, 4>;
using Weights64x64 = MatrixTile<64, 64, 2, 2, 1, 32, 5>;
using Weights32x64 = MatrixTile<32, 64, 1, 2, 2, 64, 4>;
using Weights16x64 = MatrixTile<16, 64, 1, 1, 4, 64, 4>;
using Weights32x32 = MatrixTile<32, 32, 1, 1, 4, 64, 5>;

#define WEIGHTS(shape) \
	KERNEL(conv16_weights_##shape, WeightArgs, Weights##shape::THREADS) { weights<Weights##shape, 8>(a); }
#define IMAGE_WEIGHTS(shape) \
	KERNEL(conv16_image_weights_##shape, WeightArgs, Weights##shape::THREADS) { weights<Weights##shape, 4>(a); }

WEIGHTS(128x128)
WEIGHTS(64x64)
WEIGHTS(32x64)
WEIGHTS(16x64)
WEIGHTS(32x32)
IMAGE_WEIGHTS(64x64)
IMAGE_WEIGHTS(32x64)
IMAGE_WEIGHTS(16x64)

struct AddArgs {
	const float *slices;
	float *sum;
	long long n; // floats of a slice, a multiple of 4
	int count, pad_;
};

// Sixteen threads add every sixteenth slice of four neighbouring floats each, and their sums are added in order.
KERNEL(conv16_add, AddArgs, 256) {
	SHARED(float, parts, 16 * 64);
	const int part = threadIdx.x / 16, four = threadIdx.x % 16 * 4;
	const long long i = blockIdx.x * 64ll + four;
	float s[4] = {0, 0, 0, 0};
	if (i < a.n) {
#pragma unroll 4
		for (int k = part; k < a.count; k += 16) {
			const Quad q = *reinterpret_cast<const Quad *>(a.slices + k * a.n + i);
#pragma unroll
			for (int j = 0; j < 4; j++)
				s[j] += __uint_as_float(q.w[j]);
		}
	}
#pragma unroll
	for (int j = 0; j < 4; j++)
		parts[part * 64 + four + j] = s[j];
	__syncthreads();
	const long long to = blockIdx.x * 64ll + threadIdx.x;
	if (threadIdx.x < 64 && to < a.n) {
		float sum = 0;
#pragma unroll
		for (int k = 0; k < 16; k++)
			sum += parts[k * 64 + threadIdx.x];
		a.sum[to] = sum;
	}
}
