// Kernels of the race detector's tests: what is ordered, and what is not. n of Args leaves something out.
#include "../../kernel/port.cuh"

namespace {
struct Args {
	float *out;
	const float *in;
	int n, pad_;
};
}

enum { WHOLE, NO_FIRST, NO_SECOND };

// Threads of two warps read each other's value after a barrier.
KERNEL(race_barrier, Args, 64) {
	SHARED(float, room, 64);
	room[threadIdx.x] = 1; // its own
	if (a.n != NO_FIRST)
		__syncthreads();
	a.out[blockIdx.x * blockDim.x + threadIdx.x] = room[63 - threadIdx.x]; // the opposite one's
	if (a.n != NO_SECOND)
		__syncthreads();
	room[threadIdx.x] = 1; // once more
}

// Lanes of a warp read each other's value after a barrier of the warp, or a shuffle, which is none.
KERNEL(race_warp, Args, 32) {
	SHARED(float, room, 32);
	room[threadIdx.x] = 1; // before
	if (a.n == NO_FIRST)
		__shfl_sync(~0u, 1, 0);
	else
		__syncwarp();
	a.out[blockIdx.x * blockDim.x + threadIdx.x] = room[31 - threadIdx.x]; // after
}

// A barrier of the warp is none for another warp.
KERNEL(race_warps, Args, 64) {
	SHARED(float, room, 64);
	room[threadIdx.x] = 1; // of a warp
	__syncwarp();
	a.out[blockIdx.x * blockDim.x + threadIdx.x] = room[63 - threadIdx.x]; // of the other
}

// Each thread writes a byte, of words that four share; then all write one.
KERNEL(race_bytes, Args, 64) {
	unsigned char *bytes = reinterpret_cast<unsigned char *>(a.out);
	bytes[threadIdx.x] = 1;
	__syncthreads();
	a.out[threadIdx.x / (a.n ? 2 : 1) + 16] = 1; // a word
}

// What arrives in shared memory is waited for by the thread that asked for it, and then by the others.
KERNEL(race_copies, Args, 32) {
	SHARED(float, room, 128);
	copy_async(room + 4 * threadIdx.x, a.in + 4 * threadIdx.x, true); // a copy
	commit_copies();
	if (a.n != NO_FIRST)
		wait_copies<0>();
	if (a.n != NO_SECOND)
		__syncthreads();
	a.out[blockIdx.x * blockDim.x + threadIdx.x] = room[127 - 4 * threadIdx.x]; // what it brought
}

FLAT_KERNEL(race_blocks, Args, 32) { a.out[a.n ? 0 : global_thread()] = 1; /* one place or many */ }

FLAT_KERNEL(race_reads, Args, 32) {
	const float v = a.in[global_thread() ^ a.n]; // of another block
	a.out[global_thread()] = v;
}

FLAT_KERNEL(race_counts, Args, 32) {
	int *count = reinterpret_cast<int *>(a.out);
	if (a.n == WHOLE || blockIdx.x)
		atomicAdd(count, 1); // by one
	else
		*count += 1; // plainly
}

// The last block to arrive adds what all have left. in is the counter.
KERNEL(race_last, Args, 64) {
	SHARED(int, last, 1);
	float *parts = a.out + 1;
	parts[blockIdx.x * 64 + threadIdx.x] = 1; // a part
	__syncthreads();
	if (threadIdx.x == 0) {
		if (a.n != NO_FIRST)
			__threadfence();
		last[0] = atomicAdd(reinterpret_cast<int *>(const_cast<float *>(a.in)), 1) == (int)gridDim.x - 1;
	}
	__syncthreads();
	if (!last[0])
		return;
	if (a.n != NO_SECOND)
		__threadfence();
	float sum = 0;
	for (unsigned i = threadIdx.x; i < gridDim.x * 64; i += 64)
		sum += parts[i]; // all parts
	if (threadIdx.x == 0)
		a.out[0] = sum;
}

FLAT_KERNEL(race_put, Args, 32) { a.out[global_thread()] = 1; /* put */ }
FLAT_KERNEL(race_get, Args, 32) { a.out[global_thread()] = a.in[global_thread()]; /* get */ }

KERNEL(race_unwritten, Args, 32) {
	SHARED(float, room, 33);
	room[threadIdx.x] = 1;
	__syncthreads();
	a.out[blockIdx.x * blockDim.x + threadIdx.x] = room[threadIdx.x + 1]; // one too far
}
