// What gathered gradients of bf16 weights copy to shared memory, and how they store them. See conv16_weights.cu.
#pragma once

#include "conv16.cuh"

// Divisor divides numbers below 2^31 by multiplication (Granlund and Montgomery 1994, figure 4.1).
struct Divisor {
	unsigned by, magic;
	int shift;
	__device__ __forceinline__ unsigned quotient(unsigned n) const { return ((unsigned)((uint64_t)n * magic >> 32) + n) >> shift; }
};

struct WeightArgs {
	View x, dy; // of the first group
	float *dw;  // [slices][groups][lanes of dy][kernel * kernel][lanes of x]
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
				copy_async_near(b + T::term_place(k, unit), from, there);
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
		copy_async(to + T::row_place(k, g), at<bf16>(a.dy, first + k) + lane + g * 8, used && first + k < end);
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
