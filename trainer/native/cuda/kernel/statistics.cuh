// Mean and variance of a batch, which the kernels that make products, or read them, finish themselves.
#pragma once

#include "arrive.cuh"

// What becomes of sums and sums of squares over pixels, [rows][2][lanes].
struct Statistics {
	Arrivals arrivals; // count null: nothing
	float *mean, *var, *batch;
	double *totals; // [2][lanes]: of the pixels of all GPUs, or null: of the rows alone
	double count;   // pixels
	float eps, momentum;
	int lanes, pad_;
};

// Mean and variance of the batch from a lane's sums; the running variance takes the unbiased one.
__device__ __forceinline__ void finish_lane(const Statistics &s, int lane, const double (&sum)[2]) {
	const double mean = sum[0] / s.count, square = sum[1] / s.count - mean * mean, var = square > 0 ? square : 0;
	const double unbiased = s.count > 1 ? var * s.count / (s.count - 1) : var;
	s.mean[lane] += s.momentum * ((float)mean - s.mean[lane]);
	s.var[lane] += s.momentum * ((float)unbiased - s.var[lane]);
	s.batch[lane] = (float)mean;
	s.batch[s.lanes + lane] = (float)(1 / sqrt(var + s.eps));
}

// finish_statistics ends a block that has written its row of partial for a column of lanes, as column_total. With totals the
// sums alone are left there, which norm_statistics_over finishes when they are those of all GPUs.
template <int THREADS>
__device__ __forceinline__ void finish_statistics(const Statistics &s, const float *partial, int row, int column, int first, int width, int there, double *room) {
	double sum[2];
	if (!column_total<2, THREADS>(s.arrivals, partial, s.lanes, row, column, first, width, there, room, sum))
		return;
	const int lane = first + threadIdx.x;
	if (s.totals) {
		s.totals[lane] = sum[0];
		s.totals[s.lanes + lane] = sum[1];
	} else
		finish_lane(s, lane, sum);
}
