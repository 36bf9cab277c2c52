// Batch normalisation over lanes, with SiLU or without, of one product or of the sum of two (layers.Rep), each normalised.
// With m pixels and xhat = (y - mean) / sqrt(var + eps): z = gamma xhat + beta, a = z sigmoid(z), and backward, Ioffe and
// Szegedy, "Batch Normalization", section 3: dy = gamma / sqrt(var + eps) (dz - mean(dz) - xhat mean(dz xhat)).
//
// Lanes without a channel have gamma, beta and y of zero, so that all of theirs is zero.
#include "share.cuh"
#include "statistics.cuh"

constexpr int SUM_THREADS = 256; // of kernels that add up pixels
constexpr int SUM_GROUPS = 8;    // of 8 lanes, at most, in a block of them: 128 bytes of a pixel in bf16

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

// ---- statistics

FLAT_KERNEL(norm_statistics_over, Statistics, 256) {
	for (long long i = global_thread(); i < a.lanes; i += global_threads()) {
		const double sum[2] = {a.totals[i], a.totals[a.lanes + i]};
		finish_lane(a, (int)i, sum);
	}
}

// The running statistics as the batch's.
FLAT_KERNEL(norm_running, Statistics, 256) {
	for (long long i = global_thread(); i < a.lanes; i += global_threads()) {
		a.batch[i] = a.mean[i];
		a.batch[a.lanes + i] = (float)(1 / sqrt((double)a.var[i] + a.eps));
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

constexpr int SUM_ROOM = 8 * (SUM_THREADS + SUM_GROUPS);
static_assert(SUM_ROOM * sizeof(float) >= 3 * SUM_THREADS * sizeof(double), "room to add up rows of three sums");

// add_rows adds up what the threads of a block have of Q sums for each of 8 lanes: thread t those of group t % groups of lanes, 0
// where it has none. Row q of to, all of c lanes, gets its first 8 * groups values. values has SUM_ROOM floats of
// shared memory.
template <int Q> __device__ void add_rows(const float (&sum)[Q][8], int groups, float *values, float *to, int c) {
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
	Statistics statistics;
};

// What a convolution of ours makes beside its product, of one that another library made. A block adds up SUM_GROUPS groups of
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
	SHARED(float, room, SUM_ROOM);
	add_rows<2>(sum, groups, room, a.partial + (long long)blockIdx.x * 2 * a.y.c + first * LANES, a.y.c);
	if (a.statistics.arrivals.count)
		finish_statistics<SUM_THREADS>(a.statistics, a.partial, blockIdx.x, blockIdx.y, first * LANES, groups * LANES, groups * LANES, reinterpret_cast<double *>(room));
}

KERNEL(product_sums_f32, ProductArgs, SUM_THREADS) { product_sums<float>(a); }
KERNEL(product_sums_bf16, ProductArgs, SUM_THREADS) { product_sums<bf16>(a); }

// ---- backward

struct GradArgs {
	View da;
	Arm arm[2];
	float *partial;       // [gridDim.x][1 + arms][c]: sums of dz, and of dz (y - mean) of each arm
	const float *factors; // [arms][2][c], of learned
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

// An arm's gradients of parameters, and the factors, [2][c], of dy = gamma inv dz - f0 - f1 (y - mean).
struct Learned {
	const float *gamma, *inv; // [c]
	float *dgamma, *dbeta, *factors;
};

struct LearnedArgs {
	Arrivals arrivals;
	Learned arm[2];
	double *totals; // [1 + arms][lanes]: of the pixels of all GPUs, or null: of the rows alone
	double count;   // pixels
	int lanes, pad_;
};

// An arm's factors from the lane's sums of dz, and of dz (y - mean).
__device__ __forceinline__ void factors(const LearnedArgs &a, const Learned &l, int lane, double dz, double dzy) {
	const double inv = l.inv[lane], scale = l.gamma[lane] * inv;
	l.factors[lane] = (float)(scale * dz / a.count);
	l.factors[a.lanes + lane] = (float)(scale * inv * (dzy * inv) / a.count);
}

// learned is for a lane, from its sums over all rows. Gradients of parameters are of this GPU's pixels, for they are added up
// with all others. With totals the factors are left to learned_over, which has the sums of all GPUs.
template <int ARMS> __device__ __forceinline__ void learned(const LearnedArgs &a, int lane, const double (&sum)[1 + ARMS]) {
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
			a.totals[q * a.lanes + lane] = sum[q];
}

template <int ARMS> __device__ void learned_over(const LearnedArgs &a) {
	const int c = a.lanes;
	for (long long k = global_thread(); k < ARMS * c; k += global_threads()) { // one arm a thread, or registers spill
		const int i = (int)k / c, lane = (int)k % c;
		factors(a, a.arm[i], lane, a.totals[lane], a.totals[(1 + i) * c + lane]);
	}
}

FLAT_KERNEL(norm_learned_over, LearnedArgs, 256) { learned_over<1>(a); }
FLAT_KERNEL(rep_learned_over, LearnedArgs, 256) { learned_over<2>(a); }

struct GradSumsArgs {
	GradArgs grad;
	LearnedArgs learned;
};

// A block adds up SUM_GROUPS groups of 8 lanes, or what there is, over its share of the pixels; the
// last block of those lanes adds up what all have.
template <class T, int ARMS> __device__ void grad_sums(const GradSumsArgs &args) {
	const GradArgs &a = args.grad;
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
	SHARED(float, room, SUM_ROOM);
	add_rows<1 + ARMS>(sum, groups, room, a.partial + (long long)blockIdx.x * (1 + ARMS) * a.da.c + first * LANES, a.da.c);
	double total[1 + ARMS];
	if (column_total<1 + ARMS, SUM_THREADS>(args.learned.arrivals, a.partial, a.da.c, blockIdx.x, blockIdx.y, first * LANES, groups * LANES, groups * LANES, reinterpret_cast<double *>(room), total))
		learned<ARMS>(args.learned, first * LANES + threadIdx.x, total);
}

KERNEL(norm_grad_sums_f32, GradSumsArgs, SUM_THREADS) { grad_sums<float, 1>(a); }
KERNEL(norm_grad_sums_bf16, GradSumsArgs, SUM_THREADS) { grad_sums<bf16, 1>(a); }
KERNEL(rep_grad_sums_f32, GradSumsArgs, SUM_THREADS) { grad_sums<float, 2>(a); }
KERNEL(rep_grad_sums_bf16, GradSumsArgs, SUM_THREADS) { grad_sums<bf16, 2>(a); }

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
