// Sums over all blocks of a launch, made by those blocks that arrive last: no launch follows to add them up.
//
// Each block leaves a row of sums for its column of lanes, and counts itself (an integer counter; no sum is made by atomics).
// Rows are added in their own order whoever comes last, so that the same numbers come out in every run. Of many rows, each
// run of them is folded to doubles by the last block of the run, and the last of the folding blocks adds up the runs: no block
// reads more than two square roots of them.
#pragma once

#include "port.cuh"

struct Arrivals {
	unsigned *count; // [columns][1 + runs]: of runs, and of rows of each run; 0 before the launch and after it
	double *folded;  // [runs][kinds][lanes], where there are several
	int rows, each;  // all, and those of a run but the last one
	int runs, pad_;
};

// last_to_arrive tells all threads of a block whether it is the last of `all` that come to a counter, which then is 0 again. What
// the others wrote before they came can be read from then on, around L1 (add_column).
//
// The first barrier has the thread that counts see what the block wrote; its fence, being cumulative, puts all of that before the
// count for the whole GPU. The second fence puts the count before what is read next, by other threads after the barrier.
__device__ __forceinline__ bool last_to_arrive(unsigned *counter, unsigned all) {
	__syncthreads();
	bool last = false;
	if (threadIdx.x == 0) {
		__threadfence();
		last = atomicInc(counter, all - 1) == all - 1;
		__threadfence();
	}
	return __syncthreads_or(last);
}

// add_column has the first `width` threads of a block hold the sums of a lane each over rows first..last-1 of [rows][KINDS][lanes];
// p is that of the block's first lane, and lanes from `there` on do not exist. room has KINDS * THREADS doubles of shared memory,
// free again after the next barrier.
//
// Rows were written by other blocks of the same launch. L1 caches are not kept coherent, and what a kernel seems only to read
// a compiler may load past them all: __ldcg reads from L2, where all blocks meet.
template <int KINDS, int THREADS, class T>
__device__ __forceinline__ void add_column(const T *p, int lanes, int first, int last, int width, int there, double *room, double (&sum)[KINDS]) {
	const int t = threadIdx.x, makers = THREADS / width, maker = t / width, lane = t % width;
#pragma unroll
	for (int q = 0; q < KINDS; q++)
		sum[q] = 0;
	if (lane < there && maker < makers) {
#pragma unroll 8
		for (int i = first + maker; i < last; i += makers) {
#pragma unroll
			for (int q = 0; q < KINDS; q++)
				sum[q] += __ldcg(p + ((long long)i * KINDS + q) * lanes + lane);
		}
	}
	if (makers == 1)
		return;
#pragma unroll
	for (int q = 0; q < KINDS; q++)
		room[q * THREADS + t] = sum[q];
	__syncthreads();
	if (t < width) {
#pragma unroll
		for (int q = 0; q < KINDS; q++)
			for (int m = 1; m < makers; m++)
				sum[q] += room[q * THREADS + m * width + t];
	}
}

// column_total leaves the sums over all rows of partial, [rows][KINDS][lanes], in threads of the block of a column that arrives last: it is
// true in those that have a lane, first + threadIdx.x, and in no others. Before it the block has written its row.
template <int KINDS, int THREADS>
__device__ __forceinline__ bool column_total(const Arrivals &a, const float *partial, int lanes, int row, int column, int first, int width, int there, double *room, double (&sum)[KINDS]) {
	const int run = row / a.each, from = run * a.each, to = min(from + a.each, a.rows);
	unsigned *count = a.count + column * (1 + a.runs);
	if (!last_to_arrive(count + 1 + run, to - from))
		return false;
	add_column<KINDS, THREADS>(partial + first, lanes, from, to, width, there, room, sum);
	const bool mine = (int)threadIdx.x < min(width, there);
	if (a.runs == 1)
		return mine;
	if (mine)
#pragma unroll
		for (int q = 0; q < KINDS; q++)
			a.folded[((long long)run * KINDS + q) * lanes + first + threadIdx.x] = sum[q];
	if (!last_to_arrive(count, a.runs))
		return false;
	add_column<KINDS, THREADS>(a.folded + first, lanes, 0, a.runs, width, there, room, sum);
	return mine;
}
