// Batch normalisation over lanes, with SiLU or without, of one product or of the sum of two (layers.Rep), each normalised.
// With m pixels and xhat = (y - mean) / sqrt(var + eps): z = gamma xhat + beta, a = z sigmoid(z), and backward, Ioffe and
// Szegedy, "Batch Normalization", section 3: dy = gamma / sqrt(var + eps) (dz - mean(dz) - xhat mean(dz xhat)).
//
// Lanes without a channel have gamma, beta and y of zero, so that all of theirs is zero.
#include "share.cuh"

constexpr int COLUMN_THREADS = 512;         // of kernels that add up rows of partial sums: 32 lanes, 16 rows at once
constexpr int COLUMN_ROWS = COLUMN_THREADS / 32;
constexpr int SUM_THREADS = 256;            // of kernels that add up pixels
constexpr int SUM_GROUPS = 32;              // of 8 lanes, at most, in a block of them

// A product and what normalises it.
struct Arm {
	View y;
	const float *gamma, *beta; // [c]
	const float *batch;        // [2][c]: mean and 1/sqrt(var + eps)
};

__device__ __forceinline__ float sigmoid(float z) { return __fdividef(1.0f, 1.0f + __expf(-z)); }

// z = y scale + shift.
__device__ __forceinline__ void affine(const Arm &a, int lane, float (&scale)[8], float (&shift)[8]) {
	float mean[8], inv[8], gamma[8], beta[8];
	load8(a.batch + lane, mean);
	load8(a.batch + a.y.c + lane, inv);
	load8(a.gamma + lane, gamma);
	load8(a.beta + lane, beta);
#pragma unroll
	for (int k = 0; k < 8; k++) {
		scale[k] = gamma[k] * inv[k];
		shift[k] += beta[k] - mean[k] * scale[k];
	}
}

// ---- rows of partial sums

// Rows of partial sums, [all][kinds][lanes]. Folded, the rows of each of `splits` equal runs are added up already: the sum
// stands in the first row of the run, and what is lost by rounding it in the second.
struct Rows {
	float *p;
	int all, splits; // 0: not folded
	int lanes, pad_;
};

__device__ __forceinline__ int run_start(const Rows &r, int split) { return (int)((long long)r.all * split / r.splits); }

// The sums of a lane over rows first..last-1, where folded counted two for each run, in the threads below 32; lane counts
// from the block's first on. All threads of the block must come.
template <int KINDS> __device__ void column_sums(const Rows &r, int first, int last, int lane, double (&sum)[KINDS]) {
	SHARED(double, part, KINDS * COLUMN_THREADS);
	const int t = threadIdx.x;
#pragma unroll
	for (int q = 0; q < KINDS; q++)
		sum[q] = 0;
	if (lane < r.lanes) {
#pragma unroll 4
		for (int i = first + t / 32; i < last; i += COLUMN_ROWS) {
			const int row = r.splits ? run_start(r, i / 2) + i % 2 : i;
			const float *p = r.p + (long long)row * KINDS * r.lanes + lane;
#pragma unroll
			for (int q = 0; q < KINDS; q++)
				sum[q] += p[q * r.lanes];
		}
	}
#pragma unroll
	for (int q = 0; q < KINDS; q++)
		part[q * COLUMN_THREADS + t] = sum[q];
	__syncthreads();
	if (t < 32) {
#pragma unroll
		for (int q = 0; q < KINDS; q++)
			for (int i = 1; i < COLUMN_ROWS; i++)
				sum[q] += part[q * COLUMN_THREADS + i * 32 + t];
	}
}

// Folds run blockIdx.x for 32 lanes.
KERNEL(norm_fold, Rows, COLUMN_THREADS) {
	const int lane = blockIdx.y * 32 + threadIdx.x % 32, first = run_start(a, blockIdx.x), last = run_start(a, blockIdx.x + 1);
	const Rows plain = {a.p, a.all, 0, a.lanes, 0};
	double sum[2];
	column_sums<2>(plain, first, last, lane, sum);
	if (threadIdx.x >= 32 || lane >= a.lanes)
		return;
#pragma unroll
	for (int q = 0; q < 2; q++) {
		float *p = a.p + ((long long)first * 2 + q) * a.lanes + lane;
		const float whole = (float)sum[q];
		p[0] = whole;
		p[2 * a.lanes] = (float)(sum[q] - whole);
	}
}

struct StatisticsArgs {
	Rows rows; // of sums and sums of squares
	float *mean, *var, *batch;
	double *totals; // [2][lanes]: of the pixels of all GPUs, or null: of the rows alone
	double count;   // pixels
	float eps, momentum;
};

// Mean and variance of the batch from a lane's sums; the running variance takes the unbiased one.
__device__ __forceinline__ void finish(const StatisticsArgs &a, int lane, const double (&sum)[2]) {
	const double mean = sum[0] / a.count, square = sum[1] / a.count - mean * mean, var = square > 0 ? square : 0;
	const double unbiased = a.count > 1 ? var * a.count / (a.count - 1) : var;
	a.mean[lane] += a.momentum * ((float)mean - a.mean[lane]);
	a.var[lane] += a.momentum * ((float)unbiased - a.var[lane]);
	a.batch[lane] = (float)mean;
	a.batch[a.rows.lanes + lane] = (float)(1 / sqrt(var + a.eps));
}

// With totals the sums alone, which norm_statistics_over finishes when they are those of all GPUs.
KERNEL(norm_statistics, StatisticsArgs, COLUMN_THREADS) {
	const int lane = blockIdx.x * 32 + threadIdx.x % 32;
	double sum[2];
	column_sums<2>(a.rows, 0, a.rows.splits ? 2 * a.rows.splits : a.rows.all, lane, sum);
	if (threadIdx.x >= 32 || lane >= a.rows.lanes)
		return;
	if (a.totals) {
		a.totals[lane] = sum[0];
		a.totals[a.rows.lanes + lane] = sum[1];
		return;
	}
	finish(a, lane, sum);
}

FLAT_KERNEL(norm_statistics_over, StatisticsArgs, 256) {
	for (long long i = global_thread(); i < a.rows.lanes; i += global_threads()) {
		const double sum[2] = {a.totals[i], a.totals[a.rows.lanes + i]};
		finish(a, (int)i, sum);
	}
}

// The running statistics as the batch's.
FLAT_KERNEL(norm_running, StatisticsArgs, 256) {
	for (long long i = global_thread(); i < a.rows.lanes; i += global_threads()) {
		a.batch[i] = a.mean[i];
		a.batch[a.rows.lanes + i] = (float)(1 / sqrt((double)a.var[i] + a.eps));
	}
}

// ---- forward

struct ActivateArgs {
	View out, add; // add.p may be null
	Arm arm[2];
	int linear, pad_;
};

template <class T, int ARMS> __device__ void activate(const ActivateArgs &a) {
	const Share s = share_of(a.out);
	const long long all = pixels(a.out);
	float scale[ARMS][8], shift[8] = {};
#pragma unroll
	for (int i = 0; i < ARMS; i++)
		affine(a.arm[i], s.lane, scale[i], shift);
	for (long long p = s.pixel; p < all; p += s.step) {
		float y[ARMS][8], add[8] = {};
#pragma unroll
		for (int i = 0; i < ARMS; i++)
			load8(at<T>(a.arm[i].y, p) + s.lane, y[i]);
		if (a.add.p)
			load8(at<T>(a.add, p) + s.lane, add);
#pragma unroll
		for (int k = 0; k < 8; k++) {
			float z = shift[k];
#pragma unroll
			for (int i = 0; i < ARMS; i++)
				z += y[i][k] * scale[i][k];
			add[k] += a.linear ? z : z * sigmoid(z);
		}
		store8(at<T>(a.out, p) + s.lane, add);
	}
}

FLAT_KERNEL(norm_activate_f32, ActivateArgs, 256) { activate<float, 1>(a); }
FLAT_KERNEL(norm_activate_bf16, ActivateArgs, 256) { activate<bf16, 1>(a); }
FLAT_KERNEL(rep_activate_f32, ActivateArgs, 256) { activate<float, 2>(a); }
FLAT_KERNEL(rep_activate_bf16, ActivateArgs, 256) { activate<bf16, 2>(a); }

// ---- sums over pixels

// add_rows adds up what the threads of a block have of Q sums for each of 8 lanes: thread t those of group t % groups of lanes, 0
// where it has none. Row q of to, all of c lanes, gets its first 8 * groups values.
template <int Q> __device__ void add_rows(const float (&sum)[Q][8], int groups, float *to, int c) {
	SHARED(float, values, 8 * (SUM_THREADS + SUM_GROUPS));
	SHARED(float, parts, SUM_THREADS);
	const int t = threadIdx.x, rows = SUM_THREADS / groups;
	// Values of threads lie [8][rows][groups], each of the 8 moved on so that a warp's reads meet all banks. Each sum is
	// made by several threads, and then by one of theirs.
	const int sums = groups * 8, makers = SUM_THREADS / sums, own = t % sums, maker = t / sums;
	const float *from = values + own / groups * (SUM_THREADS + groups) + own % groups;
#pragma unroll
	for (int q = 0; q < Q; q++) {
#pragma unroll
		for (int k = 0; k < 8; k++)
			values[k * (SUM_THREADS + groups) + t] = sum[q][k];
		__syncthreads();
		float v = 0;
		for (int row = maker < makers ? maker : rows; row < rows; row += makers)
			v += from[row * groups];
		parts[t] = v;
		__syncthreads();
		if (t < sums) {
			for (int m = 1; m < makers; m++)
				v += parts[m * sums + t];
			to[(long long)q * c + own % groups * LANES + own / groups] = v;
		}
	}
}

struct ProductArgs {
	View y;
	float *partial; // [gridDim.x][2][c]: sums, and sums of squares
};

// What a convolution of ours leaves beside its product, of one that another library made. A block adds up SUM_GROUPS groups of
// 8 lanes, or what there is, over its share of the pixels.
template <class T> __device__ void product_sums(const ProductArgs &a) {
	const int t = threadIdx.x, first = blockIdx.y * SUM_GROUPS, groups = min(SUM_GROUPS, a.y.c / LANES - first);
	const int rows = SUM_THREADS / groups, lane = (first + t % groups) * LANES;
	const long long all = pixels(a.y), step = (long long)gridDim.x * rows;
	float sum[2][8] = {};
	if (t < rows * groups) {
#pragma unroll 2
		for (long long p = (long long)blockIdx.x * rows + t / groups; p < all; p += step) {
			float y[8];
			load8(at<T>(a.y, p) + lane, y);
#pragma unroll
			for (int k = 0; k < 8; k++) {
				sum[0][k] += y[k];
				sum[1][k] += y[k] * y[k];
			}
		}
	}
	add_rows<2>(sum, groups, a.partial + (long long)blockIdx.x * 2 * a.y.c + first * LANES, a.y.c);
}

KERNEL(product_sums_f32, ProductArgs, SUM_THREADS) { product_sums<float>(a); }
KERNEL(product_sums_bf16, ProductArgs, SUM_THREADS) { product_sums<bf16>(a); }

// ---- backward

struct GradArgs {
	View da;
	Arm arm[2];
	float *partial;       // [gridDim.x][1 + arms][c]: sums of dz, and of dz (y - mean) of each arm
	const float *factors; // [arms][2][c], of norm_learned
	int linear, pad_;
};

// dz of 8 lanes from da and the arms' y.
template <int ARMS> __device__ __forceinline__ void before(const float (&da)[8], const float (&y)[ARMS][8], const float (&scale)[ARMS][8],
                                                           const float (&shift)[8], int linear, float (&dz)[8]) {
#pragma unroll
	for (int k = 0; k < 8; k++) {
		float z = shift[k];
#pragma unroll
		for (int i = 0; i < ARMS; i++)
			z += y[i][k] * scale[i][k];
		const float s = sigmoid(z);
		dz[k] = linear ? da[k] : da[k] * s * (1 + z * (1 - s));
	}
}

// A block adds up SUM_GROUPS groups of 8 lanes, or what there is, over its share of the pixels.
template <class T, int ARMS> __device__ void grad_sums(const GradArgs &a) {
	const int t = threadIdx.x, first = blockIdx.y * SUM_GROUPS, groups = min(SUM_GROUPS, a.da.c / LANES - first);
	const int rows = SUM_THREADS / groups, lane = (first + t % groups) * LANES;
	const long long all = pixels(a.da), step = (long long)gridDim.x * rows;
	float sum[1 + ARMS][8] = {};
	if (t < rows * groups) {
		float scale[ARMS][8], shift[8] = {}, mean[ARMS][8];
#pragma unroll
		for (int i = 0; i < ARMS; i++) {
			affine(a.arm[i], lane, scale[i], shift);
			load8(a.arm[i].batch + lane, mean[i]);
		}
#pragma unroll 2
		for (long long p = (long long)blockIdx.x * rows + t / groups; p < all; p += step) {
			float da[8], y[ARMS][8], dz[8];
			load8(at<T>(a.da, p) + lane, da);
#pragma unroll
			for (int i = 0; i < ARMS; i++)
				load8(at<T>(a.arm[i].y, p) + lane, y[i]);
			before<ARMS>(da, y, scale, shift, a.linear, dz);
#pragma unroll
			for (int k = 0; k < 8; k++) {
				sum[0][k] += dz[k];
#pragma unroll
				for (int i = 0; i < ARMS; i++)
					sum[1 + i][k] += dz[k] * (y[i][k] - mean[i][k]);
			}
		}
	}
	add_rows<1 + ARMS>(sum, groups, a.partial + (long long)blockIdx.x * (1 + ARMS) * a.da.c + first * LANES, a.da.c);
}

KERNEL(norm_grad_sums_f32, GradArgs, SUM_THREADS) { grad_sums<float, 1>(a); }
KERNEL(norm_grad_sums_bf16, GradArgs, SUM_THREADS) { grad_sums<bf16, 1>(a); }
KERNEL(rep_grad_sums_f32, GradArgs, SUM_THREADS) { grad_sums<float, 2>(a); }
KERNEL(rep_grad_sums_bf16, GradArgs, SUM_THREADS) { grad_sums<bf16, 2>(a); }

// An arm's gradients of parameters, and the factors, [2][c], of dy = gamma inv dz - f0 - f1 (y - mean).
struct Learned {
	const float *gamma, *inv; // [c]
	float *dgamma, *dbeta, *factors;
};

struct LearnedArgs {
	Rows rows;
	Learned arm[2];
	double *totals; // [1 + arms][lanes]: of the pixels of all GPUs, or null: of the rows alone
	double count;   // pixels
};

// An arm's factors from the lane's sums of dz, and of dz (y - mean).
__device__ __forceinline__ void factors(const LearnedArgs &a, const Learned &l, int lane, double dz, double dzy) {
	const double inv = l.inv[lane], scale = l.gamma[lane] * inv;
	l.factors[lane] = (float)(scale * dz / a.count);
	l.factors[a.rows.lanes + lane] = (float)(scale * inv * (dzy * inv) / a.count);
}

// Gradients of parameters are of this GPU's pixels, for they are added up with all others. With totals the factors are left to
// learned_over, which has the sums of all GPUs.

template <int ARMS> __device__ void learned(const LearnedArgs &a) {
	const int lane = blockIdx.x * 32 + threadIdx.x % 32, c = a.rows.lanes;
	double sum[1 + ARMS];
	column_sums<1 + ARMS>(a.rows, 0, a.rows.all, lane, sum);
	if (threadIdx.x >= 32 || lane >= c)
		return;
#pragma unroll
	for (int i = 0; i < ARMS; i++) {
		const Learned &l = a.arm[i];
		l.dgamma[lane] = (float)(sum[1 + i] * l.inv[lane]);
		l.dbeta[lane] = (float)sum[0];
		if (!a.totals)
			factors(a, l, lane, sum[0], sum[1 + i]);
	}
	if (a.totals)
#pragma unroll
		for (int q = 0; q <= ARMS; q++)
			a.totals[q * c + lane] = sum[q];
}

template <int ARMS> __device__ void learned_over(const LearnedArgs &a) {
	const int c = a.rows.lanes;
	for (long long k = global_thread(); k < ARMS * c; k += global_threads()) { // one arm a thread, or registers spill
		const int i = (int)k / c, lane = (int)k % c;
		factors(a, a.arm[i], lane, a.totals[lane], a.totals[(1 + i) * c + lane]);
	}
}

KERNEL(norm_learned, LearnedArgs, COLUMN_THREADS) { learned<1>(a); }
KERNEL(rep_learned, LearnedArgs, COLUMN_THREADS) { learned<2>(a); }
FLAT_KERNEL(norm_learned_over, LearnedArgs, 256) { learned_over<1>(a); }
FLAT_KERNEL(rep_learned_over, LearnedArgs, 256) { learned_over<2>(a); }

// dy over y.
template <class T, int ARMS> __device__ void grad(const GradArgs &a) {
	const Share s = share_of(a.da);
	const long long all = pixels(a.da);
	float scale[ARMS][8], shift[8] = {}, slope[ARMS][8], rest[ARMS][8];
#pragma unroll
	for (int i = 0; i < ARMS; i++) {
		affine(a.arm[i], s.lane, scale[i], shift);
		const float *f = a.factors + i * 2 * a.da.c + s.lane;
		float mean[8], same[8];
		load8(a.arm[i].batch + s.lane, mean);
		load8(f, same);
		load8(f + a.da.c, slope[i]);
#pragma unroll
		for (int k = 0; k < 8; k++)
			rest[i][k] = same[k] - slope[i][k] * mean[k];
	}
	for (long long p = s.pixel; p < all; p += s.step) {
		float da[8], y[ARMS][8], dz[8];
		load8(at<T>(a.da, p) + s.lane, da);
#pragma unroll
		for (int i = 0; i < ARMS; i++)
			load8(at<T>(a.arm[i].y, p) + s.lane, y[i]);
		before<ARMS>(da, y, scale, shift, a.linear, dz);
#pragma unroll
		for (int i = 0; i < ARMS; i++) {
#pragma unroll
			for (int k = 0; k < 8; k++)
				y[i][k] = scale[i][k] * dz[k] - (slope[i][k] * y[i][k] + rest[i][k]);
			store8(at<T>(a.arm[i].y, p) + s.lane, y[i]);
		}
	}
}

FLAT_KERNEL(norm_grad_f32, GradArgs, 256) { grad<float, 1>(a); }
FLAT_KERNEL(norm_grad_bf16, GradArgs, 256) { grad<bf16, 1>(a); }
FLAT_KERNEL(rep_grad_f32, GradArgs, 256) { grad<float, 2>(a); }
FLAT_KERNEL(rep_grad_bf16, GradArgs, 256) { grad<bf16, 2>(a); }
