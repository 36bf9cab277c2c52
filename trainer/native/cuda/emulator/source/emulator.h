// A GPU in a process: kernels that are written in CUDA C (kernel/port.cuh), run by a C++ compiler's code, one fiber for
// each thread of a block. Blocks of a launch follow each other. It is for tests, and strict where a GPU is silent: fibers
// and blocks run in an order that EMULATOR_ORDER chooses (forward, reverse, shuffle), so that a race shows as a result that
// changes; asynchronous copies arrive when they are waited for and not before; dynamic shared memory starts as NaN.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "races.h"

#define __device__
#define __host__
#define __global__
#define __forceinline__ inline
#define __restrict__ __restrict
#define OUT_OF_LINE inline
#define __align__(n) alignas(n)

struct uint3 {
	unsigned x, y, z;
};

namespace emulator {

// Counter is a barrier: who waits remembers the turn and goes on when it has changed.
struct Counter {
	int turn = 0, arrived = 0;
};

struct Copy {
	void *to;
	const void *from;
	int bytes, room;
};

// Copies are those of a thread that have not arrived, in the order they were started; groups are the ends of closed groups.
struct Copies {
	std::vector<Copy> started;
	std::vector<size_t> groups;
	size_t arrived = 0, waited = 0; // copies and groups
};

// Accumulators of a thread that products of its warpgroup are on their way to: what they hold so far, and how many come still.
struct Accumulators {
	float *registers;
	std::vector<float> values;
	size_t awaited;
};

// What a thread has done with products of its warpgroup (wgmma.cpp).
struct Products {
	std::vector<Copy> unfenced; // copies that have arrived, which the tensor cores do not see yet
	std::vector<Accumulators> sums;
	std::vector<float *> destinations; // of products
	size_t issued = 0, committed = 0, taken = 0; // products; groups; products
	bool fenced = false;                          // registers
};

// Product is one of a warp, 16 rows of its warpgroup's: operands as they lie in shared memory when it is issued, its result later.
struct Product {
	uint64_t a, b; // descriptors
	int columns;
	bool turned_a, turned_b;
	std::vector<uint16_t> operands; // 16 x 16 of a, then columns x 16 of b
	std::vector<float> result;      // 16 x columns
};

struct Warp;

struct Fiber {
	void *stack_pointer = nullptr; // while it does not run
	char *stack = nullptr;
	uint3 thread;
	unsigned lane;
	Warp *warp;
	Fiber *next, *previous; // a ring of those in the warp that have not returned, in the order of the launch
	const int *waits;       // for this to change from turn
	int turn;
	unsigned exchanges; // with the warp, so far
	Copies copies;
	Products products;
	races::Thread race;
	void *sanitizer = nullptr;
};

struct Warp {
	Counter barrier;
	int alive = 0;
	unsigned place;         // in the order of the launch
	Fiber *first = nullptr; // of those that have not returned
	// What lanes show each other before a barrier, to be read after it. They do so in two places by turns: all have read the
	// one when the barrier after writing to the other opens.
	struct Shown {
		uint64_t values[32];
		const void *rows[32];
		uint32_t a[16][8], b[8][8]; // of mma_bf16, pairs of values: a's by columns, b's by rows
		float product[16][8];
		bool multiplied;
	} shown[2];
	std::vector<Product> products;     // of the block, issued so far
	std::vector<size_t> product_groups; // ends of those that are committed
	size_t groups_done = 0, forgotten = 0; // groups; products whose results are gone
};

// What a block needs. Each thread of the process has its own, so that several may launch at the same time.
struct Block {
	uint3 index, count, size; // blockIdx, gridDim, blockDim
	uint3 thread;             // threadIdx in flat kernels
	Counter barrier;
	int alive = 0;
	std::vector<Warp> warps;
	std::vector<Warp *> order; // in which they run
	std::vector<char> dynamic; // memory for it, except for the race detector, which has its own
	size_t shared_bytes;
	std::vector<char> seen; // dynamic shared memory as wgmma sees it, in kernels that use it

	char *shared() { return races::on ? races::dynamic_shared() : dynamic.data() + (-reinterpret_cast<uintptr_t>(dynamic.data()) & 127); }
};

#if defined(__x86_64__)
#define OF_THREAD __thread __attribute__((tls_model("initial-exec"))) // so that no function is called to find them
#else
#define OF_THREAD __thread
#endif
extern OF_THREAD Block *block;
extern OF_THREAD Fiber *current;    // that runs; none in flat kernels
extern OF_THREAD const uint3 *here; // threadIdx
extern OF_THREAD char *static_shared; // of all kernels
size_t reserve_shared(size_t bytes); // for a variable: where in it

void yield(); // lets others run until current->waits has changed

inline void wait(Counter &c, int alive) {
	if (++c.arrived >= alive) {
		c.arrived = 0;
		c.turn++;
		return;
	}
	current->waits = &c.turn;
	current->turn = c.turn;
	yield();
}

inline unsigned lane() { return current->lane; }
inline Warp::Shown &shown() { return current->warp->shown[current->exchanges++ % 2]; }
inline void sync_warp() { wait(current->warp->barrier, current->warp->alive); }
inline void sync_block() {
	races::arrive();
	wait(block->barrier, block->alive);
	races::passed();
}

template <class T> T exchange(T v, unsigned from) {
	static_assert(sizeof(T) <= 8, "a shuffle moves at most 8 bytes");
	Warp::Shown &w = shown();
	uint64_t u = 0;
	memcpy(&u, &v, sizeof v);
	w.values[lane()] = u;
	sync_warp();
	T r;
	memcpy(&r, &w.values[from & 31], sizeof r);
	return r;
}

void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
void load_matrices(uint32_t (&r)[4], const void *row, bool transposed);
void copy_async(void *to, const void *from, int bytes, int room);
void commit_copies();
void wait_copies(int still);

uint32_t shared_address(const void *p);
void copy_started(const Copy &c);
void copy_arrived(const Copy &c);
void fence_copies();
void fence_registers();
void wgmma(float *d, int columns, uint64_t a, uint64_t b, bool turned_a, bool turned_b);
void commit_products();
void wait_products(int still);
void begin_products(Warp &w);
void end_products(); // of a block

// Kernel is an entry of the list that the driver looks kernels up in.
struct Kernel {
	const char *name;
	void (*body)(const void *args);
	size_t args;
	int threads;
	bool flat;
	Kernel *next;
	Kernel(const char *name, void (*body)(const void *), size_t args, int threads, bool flat);
};

extern Kernel *kernels;
extern OF_THREAD const Kernel *running;
extern OF_THREAD const void *arguments;

// Orders are lists of 0..n-1, as EMULATOR_ORDER has them.
class Order {
public:
	Order();
	const std::vector<unsigned> &of(unsigned n); // until the next call

private:
	enum { forward, reverse, shuffle } kind;
	unsigned random = 1;
	std::vector<unsigned> list;
};

void *map(size_t bytes); // fresh memory, taken as it is touched
void run_block(Order &o);

void run(const Kernel &k, uint3 grid, uint3 block, unsigned shared, const void *args);

} // namespace emulator

#define EMULATED_KERNEL(name, Args, threads, flat)                                                             \
	static void name##_body(const Args &a);                                                                    \
	static emulator::Kernel name##_entry(#name, [](const void *p) { name##_body(*static_cast<const Args *>(p)); }, \
	                                     sizeof(Args), threads, flat);                                         \
	static void name##_body([[maybe_unused]] const Args &a)

#define KERNEL(name, Args, threads) EMULATED_KERNEL(name, Args, threads, false)
#define FLAT_KERNEL(name, Args, threads) EMULATED_KERNEL(name, Args, threads, true)
#define SHARED(T, name, n)                                                    \
	static const size_t name##_at_ = emulator::reserve_shared(sizeof(T) * (n)); \
	T(&name)[n] = *reinterpret_cast<T(*)[n]>(emulator::static_shared + name##_at_)
#define DYNAMIC_SHARED(T, name) T *name = reinterpret_cast<T *>(emulator::block->shared())

#define threadIdx (*emulator::here)
#define blockIdx (emulator::block->index)
#define blockDim (emulator::block->size)
#define gridDim (emulator::block->count)

inline void __syncthreads() { emulator::sync_block(); }
inline void __syncwarp(unsigned = ~0u) {
	emulator::sync_warp();
	races::passed_warp();
}
inline void __threadfence() { races::fence(); }

template <class T> T __shfl_sync(unsigned, T v, int from) { return emulator::exchange(v, from); }
template <class T> T __shfl_xor_sync(unsigned, T v, int mask) { return emulator::exchange(v, emulator::lane() ^ mask); }
template <class T> T __shfl_down_sync(unsigned, T v, int d) {
	unsigned l = emulator::lane();
	return emulator::exchange(v, l + d < 32 ? l + d : l);
}
template <class T> T __shfl_up_sync(unsigned, T v, int d) {
	unsigned l = emulator::lane();
	return emulator::exchange(v, l >= (unsigned)d ? l - d : l);
}

// A lane that has returned counts as false.
inline unsigned __ballot_sync(unsigned, bool v) {
	emulator::Warp::Shown &w = emulator::shown();
	w.values[emulator::lane()] = v;
	emulator::sync_warp();
	unsigned r = 0;
	for (int i = 0; i < 32 && i < (int)(emulator::block->size.x * emulator::block->size.y * emulator::block->size.z); i++)
		r |= (unsigned)(w.values[i] != 0) << i;
	return r;
}
inline bool __any_sync(unsigned m, bool v) { return __ballot_sync(m, v) != 0; }
inline bool __all_sync(unsigned m, bool v) { return __ballot_sync(m, !v) == 0; }
inline int __syncthreads_or(int v) {
	static thread_local int any;
	emulator::sync_block();
	any = 0;
	emulator::sync_block();
	any |= v;
	emulator::sync_block();
	return any;
}

template <class T> EMULATED_ATOMIC T atomicAdd(T *p, T v) {
	races::atomic(p, sizeof *p, __builtin_return_address(0));
	T old = *p;
	*p += v;
	return old;
}
template <class T> EMULATED_ATOMIC T atomicInc(T *p, T most) {
	races::atomic(p, sizeof *p, __builtin_return_address(0));
	T old = *p;
	*p = old >= most ? 0 : old + 1;
	return old;
}
template <class T> EMULATED_ATOMIC T atomicMax(T *p, T v) {
	races::atomic(p, sizeof *p, __builtin_return_address(0));
	T old = *p;
	if (v > old)
		*p = v;
	return old;
}
template <class T> EMULATED_ATOMIC T atomicMin(T *p, T v) {
	races::atomic(p, sizeof *p, __builtin_return_address(0));
	T old = *p;
	if (v < old)
		*p = v;
	return old;
}
template <class T> EMULATED_ATOMIC T atomicOr(T *p, T v) {
	races::atomic(p, sizeof *p, __builtin_return_address(0));
	T old = *p;
	*p |= v;
	return old;
}
template <class T> EMULATED_ATOMIC T atomicExch(T *p, T v) {
	races::atomic(p, sizeof *p, __builtin_return_address(0));
	T old = *p;
	*p = v;
	return old;
}
template <class T> EMULATED_ATOMIC T atomicCAS(T *p, T expected, T v) {
	races::atomic(p, sizeof *p, __builtin_return_address(0));
	T old = *p;
	if (old == expected)
		*p = v;
	return old;
}

inline float __uint_as_float(uint32_t u) {
	float f;
	memcpy(&f, &u, 4);
	return f;
}
inline uint32_t __float_as_uint(float f) {
	uint32_t u;
	memcpy(&u, &f, 4);
	return u;
}
inline int __float_as_int(float f) { return (int)__float_as_uint(f); }
inline float __int_as_float(int i) { return __uint_as_float((uint32_t)i); }
inline int __popc(unsigned v) { return __builtin_popcount(v); }
inline int __ffs(int v) { return __builtin_ffs(v); }
inline int __clz(int v) { return v ? __builtin_clz(v) : 32; }
inline float rsqrtf(float v) { return 1 / std::sqrt(v); }
inline float __expf(float v) { return std::exp(v); }
inline float __logf(float v) { return std::log(v); }
inline float __fdividef(float a, float b) { return a / b; }
template <class T> T __ldg(const T *p) { return *p; }
template <class T> T __ldcg(const T *p) { return *p; }
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
inline long long min(long long a, long long b) { return a < b ? a : b; }
inline long long max(long long a, long long b) { return a > b ? a : b; }
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }
