// Products of a warpgroup on the tensor cores of sm_90a (PTX ISA 9.0, section 9.7.15, asynchronous warpgroup level matrix
// instructions): four warps, of which the first has a number divisible by four, multiply 64 x 16 by 16 x N values of bf16 that lie
// in shared memory, with sums in FP32. They are issued and go on by themselves; a group of them is waited for.
//
// Matrices lie in panels: rows of 64 values, 128 bytes, whose eight groups of 16 bytes change places from row to row as swizzled<8>
// has them. A panel begins at a multiple of 1024 bytes. A row of a panel has 64 terms of a row of the matrix, or, turned, a term
// of 64 rows of it.
//
// Kernels that use this are for one machine alone: HAS_WGMMA tells whether it is the one that is compiled for.
#pragma once

#include "port.cuh"

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define HAS_WGMMA

constexpr int PANEL = 64; // values of a row

// The address in shared memory, which a descriptor takes.
__device__ __forceinline__ uint32_t shared_address(const void *p) {
#ifdef __CUDACC__
	return (uint32_t)__cvta_generic_to_shared(p);
#else
	return emulator::shared_address(p);
#endif
}

// on_panel is the first place from p on where a panel may begin, at most 1008 bytes further: dynamic shared memory begins anywhere.
__device__ __forceinline__ bf16 *on_panel(bf16 *p) { return p + (-shared_address(p) & 1023u) / sizeof(bf16); }

// describe is a descriptor of a matrix from its first row and term on, 16 terms in all: eight rows of a panel are 1024 bytes from
// the next eight, and, turned, panels of 64 rows are `apart` bytes from each other.
__device__ __forceinline__ uint64_t describe(const void *first, uint32_t apart) {
	const uint64_t swizzle_128 = 1;
	return (uint64_t)(shared_address(first) >> 4 & 0x3fff) | (uint64_t)(apart >> 4) << 16 | (uint64_t)(1024 >> 4) << 32 | swizzle_128 << 62;
}

// Shows the tensor cores what copies of this thread, which it has waited for, brought to shared memory. A barrier tells others.
__device__ __forceinline__ void fence_copies() {
#ifdef __CUDACC__
	asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#else
	emulator::fence_copies();
#endif
}

// Must come between other uses of accumulators and the first product that goes to them.
__device__ __forceinline__ void fence_registers() {
#ifdef __CUDACC__
	asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#else
	emulator::fence_registers();
#endif
}

// Closes the group of products since the last one.
__device__ __forceinline__ void commit_products() {
#ifdef __CUDACC__
	asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#else
	emulator::commit_products();
#endif
}

// Waits until all but the last n groups are done: their operands may be overwritten, and, with none left, accumulators looked at.
template <int n> __device__ __forceinline__ void wait_products() {
#ifdef __CUDACC__
	asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(n) : "memory");
#else
	emulator::wait_products(n);
#endif
}

#ifdef __CUDACC__
#define WGMMA_8(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])

template <bool TURNED_A, bool TURNED_B> __device__ __forceinline__ void wgmma_asm(float (&d)[32], uint64_t a, uint64_t b) {
	asm volatile("{.reg .pred add; setp.eq.u32 add, 0, 0; wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {"
	             "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31"
	             "}, %32, %33, add, 1, 1, %34, %35;}"
	             : WGMMA_8(0), WGMMA_8(8), WGMMA_8(16), WGMMA_8(24)
	             : "l"(a), "l"(b), "n"((int)TURNED_A), "n"((int)TURNED_B));
}

template <bool TURNED_A, bool TURNED_B> __device__ __forceinline__ void wgmma_asm(float (&d)[64], uint64_t a, uint64_t b) {
	asm volatile("{.reg .pred add; setp.eq.u32 add, 0, 0; wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
	             "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,"
	             "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63"
	             "}, %64, %65, add, 1, 1, %66, %67;}"
	             : WGMMA_8(0), WGMMA_8(8), WGMMA_8(16), WGMMA_8(24), WGMMA_8(32), WGMMA_8(40), WGMMA_8(48), WGMMA_8(56)
	             : "l"(a), "l"(b), "n"((int)TURNED_A), "n"((int)TURNED_B));
}

template <bool TURNED_A, bool TURNED_B> __device__ __forceinline__ void wgmma_asm(float (&d)[128], uint64_t a, uint64_t b) {
	asm volatile("{.reg .pred add; setp.eq.u32 add, 0, 0; wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {"
	             "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,"
	             "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63,"
	             "%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79,%80,%81,%82,%83,%84,%85,%86,%87,%88,%89,%90,%91,%92,%93,%94,%95,"
	             "%96,%97,%98,%99,%100,%101,%102,%103,%104,%105,%106,%107,%108,%109,%110,%111,%112,%113,%114,%115,%116,%117,%118,%119,%120,%121,%122,%123,%124,%125,%126,%127"
	             "}, %128, %129, add, 1, 1, %130, %131;}"
	             : WGMMA_8(0), WGMMA_8(8), WGMMA_8(16), WGMMA_8(24), WGMMA_8(32), WGMMA_8(40), WGMMA_8(48), WGMMA_8(56),
	               WGMMA_8(64), WGMMA_8(72), WGMMA_8(80), WGMMA_8(88), WGMMA_8(96), WGMMA_8(104), WGMMA_8(112), WGMMA_8(120)
	             : "l"(a), "l"(b), "n"((int)TURNED_A), "n"((int)TURNED_B));
}
#endif

// settle keeps the compiler from moving uses of accumulators across it: it does not know which of them are waited for where.
template <int N> __device__ __forceinline__ void settle(float (&d)[N]) {
#ifdef __CUDACC__
#pragma unroll
	for (int i = 0; i < N; i++)
		asm volatile("" : "+f"(d[i])::"memory");
#else
	(void)d;
#endif
}

// wgmma issues d (64 x N) += a (64 x 16) b (16 x N), N being 64, 128 or 256. Lane l of warp w of the group holds, with row
// 16 w + l / 4: d[4 j..] columns 8 j + 2 (l % 4) and the next of this row, then of the row 8 below.
template <bool TURNED_A, bool TURNED_B, int HALF> __device__ __forceinline__ void wgmma(float (&d)[HALF], uint64_t a, uint64_t b) {
#ifdef __CUDACC__
	wgmma_asm<TURNED_A, TURNED_B>(d, a, b);
#else
	emulator::wgmma(d, 2 * HALF, a, b, TURNED_A, TURNED_B);
#endif
}

#endif
