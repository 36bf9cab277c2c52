// Tiles of bf16 convolutions that warpgroups multiply (wgmma.cuh): each takes 64 rows and all columns, 64 terms a stage.
#pragma once

#include "conv16.cuh"
#include "wgmma.cuh"

#ifdef HAS_WGMMA

// GroupTile stands where MatrixTile does: a warp has 16 rows and all columns, and holds them as it would of mma_bf16. What lies by
// terms lies in panels of 64 rows or columns, one after the other.
template <int BM_, int BN_, int STAGES_> struct GroupTile : MatrixTile<BM_, BN_, BM_ / 16, 1, 1, PANEL, STAGES_> {
	static constexpr int EACH = PANEL * PANEL; // values of a panel
	static_assert(BM_ % 64 == 0 && BN_ % 64 == 0 && STAGES_ >= 3, "whole warpgroups; a stage is filled, one waits, one is read");

	static __device__ __forceinline__ int term_place(int term, int group) { return group / 8 * EACH + swizzled<8>(term, group % 8); }
	static __device__ __forceinline__ int row_place(int term, int group) { return term_place(term, group); }
};

template <class T> __device__ __forceinline__ float (&accumulators(Sums<T> &sums))[T::NI * 4] { return reinterpret_cast<float(&)[T::NI * 4]>(sums.d); }

// multiply_group issues the product of one stage: a is BM x 64 or, with AT, 64 x BM; b is BN x 64 or, with BT, 64 x BN.
template <class T, bool AT, bool BT> __device__ __forceinline__ void multiply_group(Sums<T> &sums, const bf16 *a, const bf16 *b) {
	constexpr uint32_t APART = T::EACH * sizeof(bf16);
	constexpr int ALONG = 16 * 2 / 16, ACROSS = 16 * PANEL * 2 / 16; // from 16 terms to the next, in descriptors: along rows, or turned
	const uint64_t rows = describe(a + threadIdx.x / 128 * T::EACH, APART), columns = describe(b, APART);
	float(&d)[T::NI * 4] = accumulators(sums);
	settle(d);
	fence_registers();
#pragma unroll
	for (int k = 0; k < PANEL / 16; k++)
		wgmma<AT, BT>(d, rows + k * (AT ? ACROSS : ALONG), columns + k * (BT ? ACROSS : ALONG));
	commit_products();
	settle(d);
}

// stages runs a loop over stages, one at least: load(stage, s) starts the copies of one. The products of a stage go on while the next is waited
// for, so that a stage is overwritten only after the one that follows it was issued and all threads have met since.
template <class T, bool AT, bool BT, class Load> __device__ __forceinline__ void stages(Sums<T> &sums, bf16 *shared, int steps, const Load &load) {
#pragma unroll
	for (int s = 0; s < T::STAGES - 2; s++) {
		if (s < steps)
			load(shared + s * T::STAGE, s);
		commit_copies();
	}
	int s = 0;
	do {
		wait_copies<T::STAGES - 3>();
		fence_copies();
		__syncthreads();
		const bf16 *stage = shared + s % T::STAGES * T::STAGE;
		multiply_group<T, AT, BT>(sums, stage, stage + T::BM * T::BK);
		const int next = s + T::STAGES - 2;
		if (next < steps)
			load(shared + next % T::STAGES * T::STAGE, next);
		commit_copies();
		wait_products<1>();
	} while (++s < steps);
	wait_products<0>();
	settle(accumulators(sums));
	wait_copies<0>();
	__syncthreads();
}

#endif
