// A tile of a matrix product in FP32: threads of a block that each hold TM x TN sums in registers, over two operands in shared
// memory, 16 terms at a time. Rows and columns belong to threads in fours, a quarter or half of the tile apart, so that a warp reads
// shared memory without bank conflicts and writes runs of lanes.
#pragma once

#include "port.cuh"

constexpr int TERMS = 16; // of the sums, from one barrier to the next

__device__ __forceinline__ void load4(const float *p, float *v) {
	const Quad a = *reinterpret_cast<const Quad *>(p);
#pragma unroll
	for (int i = 0; i < 4; i++)
		v[i] = __uint_as_float(a.w[i]);
}

__device__ __forceinline__ void store4(float *p, const float *v) {
	Quad a;
#pragma unroll
	for (int i = 0; i < 4; i++)
		a.w[i] = __float_as_uint(v[i]);
	*reinterpret_cast<Quad *>(p) = a;
}

__device__ __forceinline__ void zero4(float *v) {
#pragma unroll
	for (int i = 0; i < 4; i++)
		v[i] = 0;
}

// ThreadTile is BM x BN sums, TM x TN of them in each of `threads` threads.
template <int BM_, int BN_, int TM_, int TN_> struct ThreadTile {
	static constexpr int BM = BM_, BN = BN_, TM = TM_, TN = TN_;
	static constexpr int across = BN / TN, down = BM / TM, threads = across * down;
	float sum[TM][TN];

	__device__ __forceinline__ void clear() {
#pragma unroll
		for (int i = 0; i < TM; i++)
#pragma unroll
			for (int j = 0; j < TN; j++)
				sum[i][j] = 0;
	}

	// The row and the column in the tile of the thread's sum [i][j].
	static __device__ __forceinline__ int row(int thread, int i) { return i / 4 * (4 * down) + thread / across * 4 + i % 4; }
	static __device__ __forceinline__ int column(int thread, int j) { return j / 4 * (4 * across) + thread % across * 4 + j % 4; }

	// sum += a^T b over TERMS terms: a is [TERMS][BM], b [TERMS][BN].
	__device__ __forceinline__ void add(int thread, const float *a, const float *b) {
		a += row(thread, 0);
		b += column(thread, 0);
#pragma unroll 4
		for (int k = 0; k < TERMS; k++) {
			float x[TM], y[TN];
#pragma unroll
			for (int i = 0; i < TM; i += 4)
				load4(a + k * BM + i * down, x + i);
#pragma unroll
			for (int j = 0; j < TN; j += 4)
				load4(b + k * BN + j * across, y + j);
#pragma unroll
			for (int i = 0; i < TM; i++)
#pragma unroll
				for (int j = 0; j < TN; j++)
					sum[i][j] += x[i] * y[j];
		}
	}
};
