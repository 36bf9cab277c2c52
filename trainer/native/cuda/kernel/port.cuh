// What kernels are written in: CUDA C where nvcc compiles them, the emulator's stand-ins where a C++ compiler does.
//
// A kernel takes one argument, a struct `a` that Go fills in (cuda.Args); fields of 8 bytes come first or stand at multiples
// of 8. KERNEL declares one that uses barriers, shared memory or warp functions, FLAT_KERNEL one whose threads know nothing
// of each other; `threads` is the largest block it may be launched with. OUT_OF_LINE is for functions that are called, and not
// copied into each kernel.
#pragma once

#include <stdint.h>

#ifdef __CUDACC__

// What kernels begin with where the machine has it, before they touch memory: wait until all kernels that this one was started
// behind have ended and their memory is to be seen, then let the next be placed, which waits in turn. Both do nothing in a
// kernel that was started in the plain way (cuda.Dependent).
__device__ __forceinline__ void wait_for_earlier() {
#if __CUDA_ARCH__ >= 900
	asm volatile("griddepcontrol.wait;" ::: "memory");
	asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

#define KERNEL(name, Args, threads)                                                                      \
	static __device__ __forceinline__ void name##_body(const Args &a);                                   \
	extern "C" __global__ void __launch_bounds__(threads) name(const __grid_constant__ Args a) {         \
		wait_for_earlier();                                                                              \
		name##_body(a);                                                                                  \
	}                                                                                                    \
	static __device__ __forceinline__ void name##_body([[maybe_unused]] const Args &a)
#define FLAT_KERNEL KERNEL
#define OUT_OF_LINE __noinline__
#define SHARED(T, name, n) __shared__ __align__(16) T name[n]
#define DYNAMIC_SHARED(T, name)                        \
	extern __shared__ __align__(128) unsigned char dynamic_shared_[]; \
	T *name = reinterpret_cast<T *>(dynamic_shared_)

#else

#include "../emulator/source/emulator.h"

#endif

// bf16 is a float32 without its 16 lower bits, rounded to nearest even.
struct bf16 {
	uint16_t bits;
};

__device__ __forceinline__ float to_float(float v) { return v; }
__device__ __forceinline__ float to_float(bf16 v) { return __uint_as_float((uint32_t)v.bits << 16); }

template <class T> __device__ __forceinline__ T from_float(float v);
template <> __device__ __forceinline__ float from_float<float>(float v) { return v; }
template <> __device__ __forceinline__ bf16 from_float<bf16>(float v) {
	bf16 r;
#ifdef __CUDACC__
	asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(r.bits) : "f"(v));
#else
	uint32_t u = __float_as_uint(v);
	if ((u & 0x7fffffffu) > 0x7f800000u)
		r.bits = 0x7fff;
	else
		r.bits = (uint16_t)((u + 0x7fffu + (u >> 16 & 1)) >> 16);
#endif
	return r;
}

// Eight neighbouring lanes of one pixel, the unit in which activations are read and written: 32 bytes of float, 16 of bf16.
constexpr int LANES = 8;

struct alignas(16) Quad {
	uint32_t w[4];
};

__device__ __forceinline__ void load8(const float *p, float (&v)[8]) {
	const Quad a = reinterpret_cast<const Quad *>(p)[0], b = reinterpret_cast<const Quad *>(p)[1];
#pragma unroll
	for (int i = 0; i < 4; i++) {
		v[i] = __uint_as_float(a.w[i]);
		v[i + 4] = __uint_as_float(b.w[i]);
	}
}

__device__ __forceinline__ void load8(const bf16 *p, float (&v)[8]) {
	const Quad a = *reinterpret_cast<const Quad *>(p);
#pragma unroll
	for (int i = 0; i < 4; i++) {
		v[2 * i] = __uint_as_float(a.w[i] << 16);
		v[2 * i + 1] = __uint_as_float(a.w[i] & 0xffff0000u);
	}
}

__device__ __forceinline__ void store8(float *p, const float (&v)[8]) {
	Quad a, b;
#pragma unroll
	for (int i = 0; i < 4; i++) {
		a.w[i] = __float_as_uint(v[i]);
		b.w[i] = __float_as_uint(v[i + 4]);
	}
	reinterpret_cast<Quad *>(p)[0] = a;
	reinterpret_cast<Quad *>(p)[1] = b;
}

__device__ __forceinline__ void store8(bf16 *p, const float (&v)[8]) {
	Quad a;
#pragma unroll
	for (int i = 0; i < 4; i++)
		a.w[i] = (uint32_t)from_float<bf16>(v[2 * i]).bits | (uint32_t)from_float<bf16>(v[2 * i + 1]).bits << 16;
	*reinterpret_cast<Quad *>(p) = a;
}

// A window of stored lanes of an activation, as kernel.View in Go. Pixel (n, y, x) begins at
// p + (((long long)n * h + y) * w + x) * stride.
struct View {
	void *p;    // the window's first lane of the first pixel
	int n, h, w;
	int c;      // lanes of the window, a multiple of 16; 4 for the image
	int stride; // elements from pixel to pixel
	int pad_;
};

__device__ __forceinline__ long long pixels(const View &v) { return (long long)v.n * v.h * v.w; }

template <class T> __device__ __forceinline__ T *at(const View &v, long long pixel) {
	return reinterpret_cast<T *>(v.p) + pixel * v.stride;
}

// The window of v.c lanes that lies so many of them further on: a group of a convolution, where v is that of the first.
template <class T> __device__ __forceinline__ View group_of(View v, int group) {
	v.p = reinterpret_cast<T *>(v.p) + (long long)group * v.c;
	return v;
}

// The thread's number in the whole grid, of one dimension, and the number of threads.
__device__ __forceinline__ long long global_thread() { return (long long)blockIdx.x * blockDim.x + threadIdx.x; }
__device__ __forceinline__ long long global_threads() { return (long long)gridDim.x * blockDim.x; }

// The sum over the 32 lanes of a warp, in all of them; the order is the same in every run.
template <class T> __device__ __forceinline__ T warp_sum(T v) {
#pragma unroll
	for (int d = 16; d > 0; d >>= 1)
		v += __shfl_xor_sync(0xffffffffu, v, d);
	return v;
}

// ---- tensor cores and asynchronous copies, sm_80 and later

// d (16x8, float) += a (16x16, bf16, rows) * b (16x8, bf16, columns): mma.sync.m16n8k16. Lane l of the warp holds, with
// g = l / 4 and t = l % 4: a[0] row g, columns 2t..; a[1] row g+8; a[2] row g, columns 2t+8..; a[3] row g+8, columns 2t+8..;
// b[0] column g, rows 2t..; b[1] rows 2t+8..; d[0..1] row g, columns 2t..; d[2..3] row g+8.
__device__ __forceinline__ void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#ifdef __CUDACC__
	asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
	             : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
	             : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
	emulator::mma_bf16(d, a, b);
#endif
}

// Four 8x8 matrices of 16-bit values from shared memory: lanes 8i..8i+7 give the addresses of the rows of matrix i, each of
// 16 bytes. Lane l receives, of each, row l / 4, columns 2 (l % 4) and the next; transposed: column l / 4, those rows.
__device__ __forceinline__ void load_matrices(uint32_t (&r)[4], const void *row) {
#ifdef __CUDACC__
	uint32_t p = (uint32_t)__cvta_generic_to_shared(row);
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(p) : "memory");
#else
	emulator::load_matrices(r, row, false);
#endif
}

__device__ __forceinline__ void load_matrices_transposed(uint32_t (&r)[4], const void *row) {
#ifdef __CUDACC__
	uint32_t p = (uint32_t)__cvta_generic_to_shared(row);
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(p) : "memory");
#else
	emulator::load_matrices(r, row, true);
#endif
}

// Starts a copy of 16 bytes from global to shared memory; where not there is false, of 16 zero bytes (from is not read then).
__device__ __forceinline__ void copy_async(void *to, const void *from, bool there) {
#ifdef __CUDACC__
	uint32_t p = (uint32_t)__cvta_generic_to_shared(to);
	asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(p), "l"(from), "r"(there ? 16 : 0) : "memory");
#else
	emulator::copy_async(to, from, there ? 16 : 0, 16);
#endif
}

// The same through the L1 cache, for what neighbours will read again.
__device__ __forceinline__ void copy_async_near(void *to, const void *from, bool there) {
#ifdef __CUDACC__
	uint32_t p = (uint32_t)__cvta_generic_to_shared(to);
	asm volatile("cp.async.ca.shared.global [%0], [%1], 16, %2;" ::"r"(p), "l"(from), "r"(there ? 16 : 0) : "memory");
#else
	emulator::copy_async(to, from, there ? 16 : 0, 16);
#endif
}

// The same for 8 bytes.
__device__ __forceinline__ void copy_async8(void *to, const void *from, bool there) {
#ifdef __CUDACC__
	uint32_t p = (uint32_t)__cvta_generic_to_shared(to);
	asm volatile("cp.async.ca.shared.global [%0], [%1], 8, %2;" ::"r"(p), "l"(from), "r"(there ? 8 : 0) : "memory");
#else
	emulator::copy_async(to, from, there ? 8 : 0, 8);
#endif
}

// Closes the group of copies that the thread started since the last one.
__device__ __forceinline__ void commit_copies() {
#ifdef __CUDACC__
	asm volatile("cp.async.commit_group;" ::: "memory");
#else
	emulator::commit_copies();
#endif
}

// Waits until all but the last n groups of the thread have arrived. Other threads see them after a barrier.
template <int n> __device__ __forceinline__ void wait_copies() {
#ifdef __CUDACC__
	asm volatile("cp.async.wait_group %0;" ::"n"(n) : "memory");
#else
	emulator::wait_copies(n);
#endif
}
