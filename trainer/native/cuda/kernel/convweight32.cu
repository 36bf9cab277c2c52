// Gradients of a convolution's weights and biases in FP32 arithmetic. Pixels are split into slices, whose sums slices.cu adds
// in order.
#include "tile.cuh"

struct ConvWeightArgs {
	View x, dy;  // of the first group
	float *sums; // [slice][group][out lane][tap][in lane]; the gradient itself where there is one slice
	int kernel, stride;
	int slice; // pixels of dy in a slice
	int groups;
};

// Walk is a pixel of the result that moves on by TERMS.
struct Walk {
	int image, y, x;

	__device__ __forceinline__ void place(long long pixel, const View &v) {
		image = (int)(pixel / ((long long)v.h * v.w));
		const int rest = (int)(pixel - (long long)image * v.h * v.w);
		y = rest / v.w;
		x = rest % v.w;
	}

	__device__ __forceinline__ void next(const View &v) {
		x += TERMS % v.w;
		y += TERMS / v.w;
		if (x >= v.w) {
			x -= v.w;
			y++;
		}
		for (; y >= v.h; y -= v.h)
			image++;
	}
};

// Rows are out lanes, columns taps times in lanes, terms pixels; the grid is tiles of columns, tiles of rows, groups of slices.
template <class Tile> __device__ void weight_gradient(const ConvWeightArgs &all) {
	constexpr int row_quads = Tile::BM / 4, column_quads = Tile::BN / 4;
	constexpr int row_reads = TERMS * row_quads > Tile::threads ? TERMS * row_quads / Tile::threads : 1;
	constexpr int column_reads = TERMS * column_quads / Tile::threads, apart = Tile::threads / column_quads;
	SHARED(float, rows, 2 * TERMS * Tile::BM);
	SHARED(float, columns, 2 * TERMS * Tile::BN);
	const int thread = threadIdx.x, m0 = blockIdx.y * Tile::BM, n0 = blockIdx.x * Tile::BN;
	ConvWeightArgs a = all;
	a.x = group_of<float>(all.x, blockIdx.z % all.groups);
	a.dy = group_of<float>(all.dy, blockIdx.z % all.groups);
	const int size = a.kernel * a.kernel * a.x.c;
	const long long begin = (long long)(blockIdx.z / a.groups) * a.slice, end = min(begin + a.slice, pixels(a.dy));

	// Of the gathered operand a thread reads one tap and 4 lanes of some pixels, of the other some quads.
	const int column = thread % column_quads * 4, lane = (n0 + column) % a.x.c, tap = (n0 + column) / a.x.c;
	const int ky = tap / a.kernel - a.kernel / 2, kx = tap % a.kernel - a.kernel / 2;
	Walk walk[column_reads];
#pragma unroll
	for (int i = 0; i < column_reads; i++)
		walk[i].place(begin + thread / column_quads + i * apart, a.dy);

	Tile tile;
	tile.clear();
	float v[column_reads][4], u[row_reads][4];
	const int rounds = (int)((end - begin + TERMS - 1) / TERMS);
	for (int r = 0; r <= rounds; r++) {
		if (r < rounds) {
			const long long first = begin + (long long)r * TERMS;
#pragma unroll
			for (int i = 0; i < column_reads; i++) {
				const int y = walk[i].y * a.stride + ky, x = walk[i].x * a.stride + kx;
				const bool there = first + thread / column_quads + i * apart < end && n0 + column < size && y >= 0 && y < a.x.h && x >= 0 && x < a.x.w;
				if (there)
					load4(at<float>(a.x, ((long long)walk[i].image * a.x.h + y) * a.x.w + x) + lane, v[i]);
				else
					zero4(v[i]);
				walk[i].next(a.dy);
			}
#pragma unroll
			for (int i = 0; i < row_reads; i++) {
				const int q = thread + i * Tile::threads, m = m0 + q % row_quads * 4;
				const long long pixel = first + q / row_quads;
				if (q < TERMS * row_quads && pixel < end && m < a.dy.c)
					load4(at<float>(a.dy, pixel) + m, u[i]);
				else
					zero4(u[i]);
			}
		}
		if (r > 0)
			tile.add(thread, rows + (r - 1) % 2 * TERMS * Tile::BM, columns + (r - 1) % 2 * TERMS * Tile::BN);
		if (r < rounds) {
#pragma unroll
			for (int i = 0; i < column_reads; i++)
				store4(columns + (r % 2 * TERMS + thread / column_quads + i * apart) * Tile::BN + column, v[i]);
#pragma unroll
			for (int i = 0; i < row_reads; i++) {
				const int q = thread + i * Tile::threads;
				if (q < TERMS * row_quads)
					store4(rows + (r % 2 * TERMS + q / row_quads) * Tile::BM + q % row_quads * 4, u[i]);
			}
			__syncthreads();
		}
	}
	float *const to = a.sums + (long long)blockIdx.z * a.dy.c * size;
#pragma unroll
	for (int i = 0; i < Tile::TM; i++) {
		const int m = m0 + Tile::row(thread, i);
#pragma unroll
		for (int j = 0; j < Tile::TN; j += 4) {
			const int n = n0 + Tile::column(thread, j);
			if (m < a.dy.c && n < size)
				store4(to + (long long)m * size + n, tile.sum[i] + j);
		}
	}
}

#define CONV_WEIGHT(BM, BN, TM, TN) \
	KERNEL(conv32_weight_##BM##x##BN, ConvWeightArgs, BM / TM * (BN / TN)) { weight_gradient<ThreadTile<BM, BN, TM, TN>>(a); }

CONV_WEIGHT(64, 64, 8, 4)
CONV_WEIGHT(32, 64, 4, 4)
CONV_WEIGHT(16, 128, 4, 4)

struct BiasArgs {
	View dy;
	float *sums; // [slice][lane]
	int slice;   // pixels in a slice
	int pad_;
};

constexpr int BIAS_THREADS = 256, BIAS_GROUPS = 32; // groups of 8 lanes, at most, in a block

// A block adds groups of 8 lanes over a slice: its threads every so many pixels, and then, for each lane, one the sums of all of
// them. The grid is slices, runs of BIAS_GROUPS groups.
template <class T> __device__ void bias_gradient(const BiasArgs &a) {
	SHARED(float, values, LANES * (BIAS_THREADS + BIAS_GROUPS));
	const int t = threadIdx.x, first = blockIdx.y * BIAS_GROUPS, groups = min(BIAS_GROUPS, a.dy.c / LANES - first), rows = BIAS_THREADS / groups;
	const long long begin = (long long)blockIdx.x * a.slice, end = min(begin + a.slice, pixels(a.dy));
	float sum[8] = {};
	if (t < rows * groups) {
#pragma unroll 4
		for (long long p = begin + t / groups; p < end; p += rows) {
			float v[8];
			load8(at<T>(a.dy, p) + (first + t % groups) * LANES, v);
#pragma unroll
			for (int k = 0; k < 8; k++)
				sum[k] += v[k];
		}
	}
	// [8][rows][groups], each of the 8 moved on so that a warp's reads meet all banks.
	const int pitch = BIAS_THREADS + groups;
#pragma unroll
	for (int k = 0; k < 8; k++)
		values[k * pitch + t] = sum[k];
	__syncthreads();
	if (t >= groups * LANES)
		return;
	const float *from = values + t / groups * pitch + t % groups;
	float all = 0;
	for (int row = 0; row < rows; row++)
		all += from[row * groups];
	a.sums[(long long)blockIdx.x * a.dy.c + (first + t % groups) * LANES + t / groups] = all;
}

KERNEL(conv32_bias_f32, BiasArgs, BIAS_THREADS) { bias_gradient<float>(a); }
KERNEL(conv32_bias_bf16, BiasArgs, BIAS_THREADS) { bias_gradient<bf16>(a); }
