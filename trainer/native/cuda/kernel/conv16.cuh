// What the bf16 convolutions share: tiles of a matrix product in shared memory, their products on tensor cores
// (mma.sync.m16n8k16, sums in FP32), and how a finished tile is stored.
#pragma once

#include "statistics.cuh"

// swizzled is where 8 values of a row of G such groups lie: groups change places from row to row, so that eight rows of one
// column of groups, and eight neighbours of one row, touch all banks once.
template <int G> __device__ __forceinline__ int swizzled(int row, int group) {
	const int turn = G >= 8 ? row & 7 : G == 4 ? row >> 1 & 3 : row >> 2 & 1;
	return (row * G + (group ^ turn)) * 8;
}

// MatrixTile is the shape in which a block computes BM x BN elements of a product with warps WM x WN x WK, by BK terms at a time,
// STAGES of which are in shared memory or on their way there. Warps along WK share the terms out; their sums are added at the end.
template <int BM_, int BN_, int WM_, int WN_, int WK_, int BK_, int STAGES_> struct MatrixTile {
	static constexpr int BM = BM_, BN = BN_, WM = WM_, WN = WN_, WK = WK_, BK = BK_, STAGES = STAGES_;
	static constexpr int THREADS = 32 * WM * WN * WK;
	static constexpr int MI = BM / WM / 16, NI = BN / WN / 8; // matrices of 16 x 8 of a warp
	static constexpr int STAGE = (BM + BN) * BK;              // values
	static constexpr int PITCH = BN + 8;                      // of the finished tile, without bank conflicts
	static_assert(MI * WM * 16 == BM && NI * WN * 8 == BN && NI % 2 == 0 && BK % (16 * WK) == 0, "a warp has whole matrices");

	// Where eight columns, or rows, of a term lie, where they lie by terms.
	static __device__ __forceinline__ int term_place(int term, int group) { return swizzled<BN / 8>(term, group); }
	static __device__ __forceinline__ int row_place(int term, int group) { return swizzled<BM / 8>(term, group); }
};

// Accumulators of a warp: its part of the tile in matrices of 16 x 8, as mma_bf16 has them.
template <class T> struct Sums {
	float d[T::MI][T::NI][4];

	__device__ __forceinline__ void zero() {
#pragma unroll
		for (int i = 0; i < T::MI; i++)
#pragma unroll
			for (int j = 0; j < T::NI; j++)
#pragma unroll
				for (int k = 0; k < 4; k++)
					d[i][j][k] = 0;
	}
};

__device__ __forceinline__ void store2(float *p, float a, float b) {
	struct alignas(8) Two {
		float v[2];
	};
	*reinterpret_cast<Two *>(p) = {{a, b}};
}

// Where a warp stands in its block.
template <class T> struct Warps {
	int lane, m, n, k;
	__device__ __forceinline__ Warps() {
		const int w = threadIdx.x / 32;
		lane = threadIdx.x % 32;
		m = w % T::WM;
		n = w / T::WM % T::WN;
		k = w / (T::WM * T::WN);
	}
};

// multiply adds the product of one stage: a is BM x BK or, with AT, BK x BM; b is BN x BK or, with BT, BK x BN; `terms` of the
// stage count, a multiple of 16.
template <class T, bool AT, bool BT> __device__ __forceinline__ void multiply(Sums<T> &sums, const bf16 *a, const bf16 *b, const Warps<T> &w, int terms) {
	constexpr int GA = (AT ? T::BM : T::BK) / 8, GB = (BT ? T::BN : T::BK) / 8;
	const int low = w.lane & 15, high = w.lane >> 4, in8 = w.lane & 7, second = w.lane >> 3 & 1;
	const int m0 = w.m * T::MI * 16, n0 = w.n * T::NI * 8;
#pragma unroll
	for (int s = 0; s < T::BK / 16 / T::WK; s++) {
		const int k0 = (s * T::WK + w.k) * 16;
		if (k0 >= terms)
			break;
		uint32_t fa[T::MI][4];
#pragma unroll
		for (int i = 0; i < T::MI; i++) {
			const int m = m0 + i * 16;
			if (AT)
				load_matrices_transposed(fa[i], a + swizzled<GA>(k0 + in8 + 8 * high, m / 8 + second));
			else
				load_matrices(fa[i], a + swizzled<GA>(m + low, k0 / 8 + high));
		}
#pragma unroll
		for (int j = 0; j < T::NI; j += 2) {
			const int n = n0 + j * 8;
			uint32_t f[4];
			if (BT)
				load_matrices_transposed(f, b + swizzled<GB>(k0 + low, n / 8 + high));
			else
				load_matrices(f, b + swizzled<GB>(n + in8 + 8 * high, k0 / 8 + second));
			const uint32_t f0[2] = {f[0], f[1]}, f1[2] = {f[2], f[3]};
#pragma unroll
			for (int i = 0; i < T::MI; i++) {
				mma_bf16(sums.d[i][j], fa[i], f0);
				mma_bf16(sums.d[i][j + 1], fa[i], f1);
			}
		}
	}
}

// gather_sums adds what the warps along WK have, in order, into the first of them. Shared memory is free before and after.
template <class T> __device__ __forceinline__ void gather_sums(Sums<T> &sums, float *shared, const Warps<T> &w) {
	constexpr int EACH = T::MI * T::NI * 4, PART = T::WM * T::WN * 32;
	if (T::WK == 1)
		return;
	float *flat = &sums.d[0][0][0];
	const int at = (w.n * T::WM + w.m) * 32 + w.lane;
	if (w.k > 0) {
#pragma unroll
		for (int i = 0; i < EACH; i++)
			shared[((w.k - 1) * EACH + i) * PART + at] = flat[i];
	}
	__syncthreads();
	if (w.k == 0) {
#pragma unroll
		for (int k = 0; k < T::WK - 1; k++)
#pragma unroll
			for (int i = 0; i < EACH; i++)
				flat[i] += shared[(k * EACH + i) * PART + at];
	}
	__syncthreads();
}

// A finished tile goes to the pixels place[row] (-1: none) of a window, lanes from `first` on.
struct Finish {
	View y;
	const float *bias; // or null
	float *partial;    // or null: [2][lanes] of this tile of pixels, from y's first lane on
	int lanes;         // of the results of all groups
	int add;
};

// Where the block's group of a tile goes. It is asked for at the end, so that no register holds it before.
template <class Args> __device__ __forceinline__ Finish finish_group(const Args &a, int tile, bool add) {
	const int first = blockIdx.z * a.y.c;
	return {group_of<bf16>(a.y, blockIdx.z), a.bias ? a.bias + first : nullptr, a.partial ? a.partial + (long long)tile * 2 * a.lanes + first : nullptr, a.lanes, add};
}

// The same of a gradient of weights.
template <class Args> __device__ __forceinline__ Args weight_group(Args a, int group) {
	a.x = group_of<bf16>(a.x, group);
	a.dy = group_of<bf16>(a.dy, group);
	return a;
}

// column_sums writes the sums and the sums of squares of a tile's stored values, lane by lane: over the rows of a thread, of
// a warp, of the block, always in this order.
template <class T> __device__ __forceinline__ void column_sums(const Sums<T> &sums, const Finish &f, int first, const Warps<T> &w) {
	SHARED(float, columns, 2 * T::WM * T::BN);
	if (w.k == 0) {
#pragma unroll
		for (int j = 0; j < T::NI; j++)
#pragma unroll
			for (int h = 0; h < 2; h++) {
				float s = 0, q = 0;
#pragma unroll
				for (int i = 0; i < T::MI; i++) {
					const float u = sums.d[i][j][h], v = sums.d[i][j][h + 2];
					s += u + v;
					q += u * u + v * v;
				}
#pragma unroll
				for (int d = 4; d < 32; d *= 2) {
					s += __shfl_xor_sync(0xffffffffu, s, d);
					q += __shfl_xor_sync(0xffffffffu, q, d);
				}
				if (w.lane < 4) {
					const int n = (w.n * T::NI + j) * 8 + 2 * w.lane + h;
					columns[w.m * T::BN + n] = s;
					columns[(T::WM + w.m) * T::BN + n] = q;
				}
			}
	}
	__syncthreads();
	for (int i = threadIdx.x; i < 2 * T::BN; i += T::THREADS) {
		const int n = i % T::BN, which = i / T::BN;
		float s = 0;
#pragma unroll
		for (int m = 0; m < T::WM; m++)
			s += columns[(which * T::WM + m) * T::BN + n];
		if (first + n < f.y.c)
			f.partial[(long long)which * f.lanes + first + n] = s;
	}
}

// finish rounds a tile and stores it through shared memory (BM x PITCH values), 16 bytes a thread.
template <class T> __device__ __forceinline__ void finish(Sums<T> &sums, bf16 *shared, const int *place, int first, const Finish &f, const Warps<T> &w) {
	gather_sums<T>(sums, reinterpret_cast<float *>(shared), w);
	if (w.k == 0) {
#pragma unroll
		for (int i = 0; i < T::MI; i++)
#pragma unroll
			for (int j = 0; j < T::NI; j++) {
				const int row = (w.m * T::MI + i) * 16 + w.lane / 4, n = (w.n * T::NI + j) * 8 + 2 * (w.lane % 4);
				float b[2] = {0, 0};
				if (f.bias && first + n < f.y.c) {
					b[0] = f.bias[first + n];
					b[1] = f.bias[first + n + 1];
				}
				bf16 v[4];
#pragma unroll
				for (int k = 0; k < 4; k++) {
					v[k] = from_float<bf16>(sums.d[i][j][k] + b[k % 2]);
					sums.d[i][j][k] = to_float(v[k]);
				}
				uint32_t *to = reinterpret_cast<uint32_t *>(shared + row * T::PITCH + n);
				to[0] = v[0].bits | (uint32_t)v[1].bits << 16;
				to[4 * T::PITCH] = v[2].bits | (uint32_t)v[3].bits << 16;
			}
	}
	if (f.partial)
		column_sums<T>(sums, f, first, w);
	else
		__syncthreads();
	constexpr int G = T::BN / 8;
	for (int i = threadIdx.x; i < T::BM * G; i += T::THREADS) {
		const int row = i / G, n = i % G * 8, pixel = place[row];
		if (pixel < 0 || first + n >= f.y.c)
			continue;
		bf16 *to = at<bf16>(f.y, pixel) + first + n;
		const bf16 *from = shared + row * T::PITCH + n;
		if (f.add) {
			float u[8], v[8];
			load8(from, u);
			load8(to, v);
#pragma unroll
			for (int k = 0; k < 8; k++)
				u[k] += v[k];
			store8(to, u);
		} else
			*reinterpret_cast<Quad *>(to) = *reinterpret_cast<const Quad *>(from);
	}
}

// finish_tiles has the block that is the last of its lanes make the statistics of all tiles, which are `columns` side by side in each of
// the groups of so many lanes. It is called, not copied, and asks for nothing that the block would have to keep in registers till then.
template <int THREADS> __device__ OUT_OF_LINE void finish_tiles(const Statistics &s, const float *partial, int columns, int lanes, int width, bf16 *shared) {
	const int tile = blockIdx.x / columns, column = blockIdx.x % columns, first = column * width;
	finish_statistics<THREADS>(s, partial, tile, blockIdx.z * columns + column, blockIdx.z * lanes + first, width, lanes - first, reinterpret_cast<double *>(shared));
}

// finish_product follows a product.
template <class T, class Args> __device__ __forceinline__ void finish_product(const Args &a, bf16 *shared) {
	static_assert(T::THREADS >= T::BN, "a thread has a lane");
	if (a.statistics.arrivals.count)
		finish_tiles<T::THREADS>(a.statistics, a.partial, a.columns, a.y.c, T::BN, shared);
}
