// Kernels of the emulator's own tests.
#include "../../kernel/wgmma.cuh"

struct Args {
	float *out;
	const float *in;
	int n, pad_;
};

__device__ int number() { return (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x; }
__device__ int threads() { return blockDim.x * blockDim.y * blockDim.z; }

// Each thread hands its number to the one opposite.
KERNEL(opposite, Args, 1024) {
	SHARED(int, room, 1024);
	room[number()] = number();
	__syncthreads();
	a.out[(blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x * threads() + blockIdx.x * threads() + number()] = (float)room[threads() - 1 - number()];
}

// The first n threads return before a barrier of the block and one of the warp; the others pass both.
KERNEL(returns_early, Args, 256) {
	SHARED(int, passed, 256);
	passed[threadIdx.x] = 0;
	__syncthreads();
	if ((int)threadIdx.x < a.n)
		return;
	passed[threadIdx.x] = 1;
	__syncthreads();
	__syncwarp();
	int sum = 0;
	for (unsigned i = 0; i < blockDim.x; i++)
		sum += passed[i];
	a.out[threadIdx.x] = (float)sum;
}

// Half of a warp waits for the block, the other half for the warp.
KERNEL(deadlock, Args, 256) {
	if (threadIdx.x % 32 < 16)
		__syncthreads();
	else
		__syncwarp();
	a.out[threadIdx.x] = 1;
}

// The last thread of the last block to write stays.
FLAT_KERNEL(last_block, Args, 256) { a.out[0] = (float)blockIdx.x; }
KERNEL(last_thread, Args, 256) { a.out[0] = (float)threadIdx.x; }

// What lanes of one warp tell each other: seven values a lane.
KERNEL(told, Args, 32) {
	const int l = threadIdx.x;
	const float v = a.in[l];
	float *to = a.out + 7 * l;
	to[0] = __shfl_sync(~0u, v, 5);
	to[1] = __shfl_xor_sync(~0u, v, 3);
	to[2] = __shfl_down_sync(~0u, v, 4);
	to[3] = __shfl_up_sync(~0u, v, 4);
	to[4] = (float)__popc(__ballot_sync(~0u, v > 0));
	to[5] = (float)(2 * __any_sync(~0u, l == 7) + __all_sync(~0u, l < 31));
	to[6] = (float)__syncthreads_or(l == 31 ? 4 : 1);
}

// in: a, 16 x 16 by rows, and b, 16 x 8 by columns. out: their product, 16 x 8, added to what is there.
KERNEL(product, Args, 32) {
	SHARED(bf16, rows, 16 * 16);
	SHARED(bf16, columns, 16 * 16);
	for (int i = threadIdx.x; i < 256; i += 32) {
		rows[i] = from_float<bf16>(a.in[i]);
		columns[i] = from_float<bf16>(i < 128 ? a.in[256 + i] : 0);
	}
	__syncthreads();
	const int l = threadIdx.x, g = l / 4, t = l % 4;
	uint32_t x[4], y[4];
	load_matrices(x, rows + (l % 16) * 16 + l / 16 * 8);
	load_matrices(y, columns + (l % 8) * 16 + l / 8 % 2 * 8);
	const uint32_t b[2] = {y[0], y[1]};
	float d[4];
	for (int i = 0; i < 4; i++)
		d[i] = a.out[(g + 8 * (i / 2)) * 8 + 2 * t + i % 2];
	mma_bf16(d, x, b);
	for (int i = 0; i < 4; i++)
		a.out[(g + 8 * (i / 2)) * 8 + 2 * t + i % 2] = d[i];
}

// Turns an 8 x 8 matrix: one that lies in shared memory by rows comes out by columns.
KERNEL(turned, Args, 32) {
	SHARED(bf16, rows, 4 * 64);
	for (int i = threadIdx.x; i < 256; i += 32)
		rows[i] = from_float<bf16>(a.in[i % 64]);
	__syncthreads();
	const int l = threadIdx.x;
	uint32_t x[4];
	load_matrices_transposed(x, rows + l * 8);
	a.out[l / 4 * 8 + l % 4 * 2] = __uint_as_float(x[3] << 16);
	a.out[l / 4 * 8 + l % 4 * 2 + 1] = __uint_as_float(x[3] & 0xffff0000u);
}

// Two groups of copies, looked at before and after each is waited for: what has arrived of 0 and 4, and of what is not there.
KERNEL(copies, Args, 1) {
	DYNAMIC_SHARED(float, room);
	float *to = a.out;
	*to++ = room[0];
	copy_async(room, a.in, true);
	commit_copies();
	copy_async(room + 4, a.in + 4, true);
	copy_async8(room + 8, a.in, false);
	commit_copies();
	*to++ = room[0];
	wait_copies<1>();
	*to++ = room[0];
	*to++ = room[4];
	wait_copies<0>();
	*to++ = room[4];
	*to++ = room[8];
}

KERNEL(copy_askew, Args, 1) {
	DYNAMIC_SHARED(float, room);
	copy_async(room + 1, a.in, true);
}

FLAT_KERNEL(count, Args, 256) { a.out[threadIdx.x] += 1; }

// A warpgroup multiplies 64 x 16 by 16 x 64 values; in has a by rows, or turned, by terms, then b alike: panels of 64 rows, or of 16
// terms. n says what is left out, or done too early.
enum { PLAIN, TURNED, NO_COPY_FENCE, NO_COMMIT, NO_WAIT, NO_REGISTER_FENCE, OVERWRITTEN, ASKEW };

template <bool TURNED_BOTH> __device__ void group_product(const Args &a) {
	DYNAMIC_SHARED(bf16, start);
	bf16 *x = on_panel(start), *y = x + 64 * 64;
	const bf16 *from = reinterpret_cast<const bf16 *>(a.in);
	for (int i = threadIdx.x; i < 1024; i += 128) { // groups of eight, x's before y's
		const int row = i / 8 % 64, group = i % 8;
		copy_async((i < 512 ? x : y) + row * 64 + (group ^ (row & 7)) * 8, from + i * 8, true);
	}
	commit_copies();
	wait_copies<0>();
	if (a.n != NO_COPY_FENCE)
		fence_copies();
	__syncthreads();
	float d[32];
	for (int i = 0; i < 32; i++)
		d[i] = 1;
	if (a.n != NO_REGISTER_FENCE)
		fence_registers();
	wgmma<TURNED_BOTH, TURNED_BOTH>(d, describe(x, 8192), describe(y, 8192) + (a.n == ASKEW ? 1ull << 49 : 0));
	if (a.n != NO_COMMIT)
		commit_products();
	if (a.n == OVERWRITTEN)
		copy_async(y, from, true);
	if (a.n != NO_WAIT)
		wait_products<0>();
	const int row = threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4, column = threadIdx.x % 4 * 2;
	for (int i = 0; i < 32; i++)
		a.out[(row + i / 2 % 2 * 8) * 64 + i / 4 * 8 + column + i % 2] = d[i];
}

KERNEL(warpgroup, Args, 128) {
	if (a.n == TURNED)
		group_product<true>(a);
	else
		group_product<false>(a);
}
