// Gradients of a convolution's weights and biases in FP32 arithmetic. Pixels are split into slices, whose sums a second
// kernel adds in order.
#include "tile.cuh"

struct ConvWeightArgs {
	View x, dy;
	float *sums; // [slice][out lane][tap][in lane]; the gradient itself where there is one slice
	int kernel, stride;
	int slice; // pixels of dy in a slice
	int pad_;
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

// Rows are out lanes, columns taps times in lanes, terms pixels; the grid is tiles of columns, tiles of rows, slices.
template <class Tile> __device__ void weight_gradient(const ConvWeightArgs &a) {
	constexpr int row_quads = Tile::BM / 4, column_quads = Tile::BN / 4;
	constexpr int row_reads = TERMS * row_quads > Tile::threads ? TERMS * row_quads / Tile::threads : 1;
	constexpr int column_reads = TERMS * column_quads / Tile::threads, apart = Tile::threads / column_quads;
	SHARED(float, rows, 2 * TERMS * Tile::BM);
	SHARED(float, columns, 2 * TERMS * Tile::BN);
	const int thread = threadIdx.x, m0 = blockIdx.y * Tile::BM, n0 = blockIdx.x * Tile::BN;
	const int size = a.kernel * a.kernel * a.x.c;
	const long long begin = (long long)blockIdx.z * a.slice, end = min(begin + a.slice, pixels(a.dy));

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
	int slices;
	int slice; // pixels in a slice
};

// A thread adds 8 lanes over a slice.
template <class T> __device__ void bias_gradient(const BiasArgs &a) {
	const int groups = a.dy.c / LANES;
	const long long all = (long long)groups * a.slices;
	for (long long i = global_thread(); i < all; i += global_threads()) {
		const long long slice = i / groups, begin = slice * a.slice, end = min(begin + a.slice, pixels(a.dy));
		const int lane = (int)(i % groups) * LANES;
		float sum[8] = {};
		for (long long p = begin; p < end; p++) {
			float v[8];
			load8(at<T>(a.dy, p) + lane, v);
#pragma unroll
			for (int k = 0; k < 8; k++)
				sum[k] += v[k];
		}
		store8(a.sums + slice * a.dy.c + lane, sum);
	}
}

FLAT_KERNEL(conv32_bias_f32, BiasArgs, 256) { bias_gradient<float>(a); }
FLAT_KERNEL(conv32_bias_bf16, BiasArgs, 256) { bias_gradient<bf16>(a); }

struct SlicesArgs {
	const float *from; // [slices][n]
	float *to;         // [n]
	long long n;
	int slices;
	int pad_;
};

FLAT_KERNEL(sum_slices, SlicesArgs, 256) {
	for (long long i = global_thread(); i < a.n; i += global_threads()) {
		float sum = 0;
		for (int s = 0; s < a.slices; s++)
			sum += a.from[s * a.n + i];
		a.to[i] = sum;
	}
}
