// The end of a training step: sums of gradients over batches, their global norm, the optimisers, the copy of the weights in
// bf16 and the moving average, over all parameters at once. Formulas are those of trainer/native/optim and trainer/native/kernels.
//
// Arenas are arranged alike. A thread treats 4 floats, a quad; the table has a byte for each 16 floats that says how they are
// treated.
#include "step.cuh"

enum { moves = 1, decays = 2, biases = 4, frozen = 8 }; // bits of the table

constexpr int NORM_THREADS = 256;

__device__ __forceinline__ void load4(const float *p, float (&v)[4]) {
	const Quad q = *reinterpret_cast<const Quad *>(p);
#pragma unroll
	for (int i = 0; i < 4; i++)
		v[i] = __uint_as_float(q.w[i]);
}

__device__ __forceinline__ void store4(float *p, const float (&v)[4]) {
	Quad q;
#pragma unroll
	for (int i = 0; i < 4; i++)
		q.w[i] = __float_as_uint(v[i]);
	*reinterpret_cast<Quad *>(p) = q;
}

struct alignas(8) Pair {
	uint32_t w[2];
};

__device__ __forceinline__ void store4(bf16 *p, const float (&v)[4]) {
	Pair q;
#pragma unroll
	for (int i = 0; i < 2; i++)
		q.w[i] = (uint32_t)from_float<bf16>(v[2 * i]).bits | (uint32_t)from_float<bf16>(v[2 * i + 1]).bits << 16;
	*reinterpret_cast<Pair *>(p) = q;
}

__device__ __forceinline__ double squares(const float (&v)[4]) {
	double s = 0;
#pragma unroll
	for (int i = 0; i < 4; i++)
		s += (double)v[i] * v[i];
	return s;
}

// The sum over a block of NORM_THREADS threads, for thread 0; the order is the same in every run.
__device__ __forceinline__ double block_sum(double v) {
	SHARED(double, part, NORM_THREADS / 32);
	v = warp_sum(v);
	__syncthreads(); // part may be read still, by a sum before
	if (threadIdx.x % 32 == 0)
		part[threadIdx.x / 32] = v;
	__syncthreads();
	double sum = 0;
	if (threadIdx.x == 0)
		for (int i = 0; i < NORM_THREADS / 32; i++)
			sum += part[i];
	return sum;
}

// ---- sum of squares of an arena: one sum a block, then one of those

struct SquaresArgs {
	const float *p;
	double *partial; // [blocks]
	long long quads;
};

KERNEL(sum_squares, SquaresArgs, NORM_THREADS) {
	double sum = 0;
	for (long long i = global_thread(); i < a.quads; i += global_threads()) {
		float v[4];
		load4(a.p + 4 * i, v);
		sum += squares(v);
	}
	sum = block_sum(sum);
	if (threadIdx.x == 0)
		a.partial[blockIdx.x] = sum;
}

struct TotalArgs {
	const double *partial;
	double *total;
	int n, pad_;
};

KERNEL(sum_total, TotalArgs, NORM_THREADS) {
	double sum = 0;
	for (int i = threadIdx.x; i < a.n; i += NORM_THREADS)
		sum += a.partial[i];
	sum = block_sum(sum);
	if (threadIdx.x == 0)
		*a.total = sum;
}

// ---- the norm of all gradients, and what becomes of the step

struct NormArgs {
	StepState *state;
	float *grads, *sum;   // sum may be null: no batches are summed
	const uint8_t *table; // [quads / 4]
	double *partial;      // [blocks]
	Losses losses;
	long long quads;
};

// decide is for one thread, after all blocks. square is the sum of the squares of all gradients.
__device__ void decide(StepState *s, double square) {
	const double clip = s->in.clip;
	s->moved = 1;
	s->norm = sqrt(square);
	if (!all_finite(s->norm)) {
		s->halted = 2;
		return;
	}
	s->factor = clip > 0 ? (float)fmin(1., clip / (s->norm + 1e-6)) : 1;
	s->finite = 1;
}

// The block that arrives last adds the sums of all of them, in order.
KERNEL(step_norm, NormArgs, NORM_THREADS) {
	StepState *s = a.state;
	if (s->idle)
		return;
	if (!all_finite(a.losses)) {
		if (global_thread() == 0)
			s->halted = 1;
		return;
	}
	const bool move = s->in.move != 0;
	double square = 0;
	for (long long i = global_thread(); i < a.quads; i += global_threads()) {
		const int is = a.table[i / 4];
		float g[4];
		load4(a.grads + 4 * i, g);
		if (a.sum) {
			float v[4];
			load4(a.sum + 4 * i, v);
#pragma unroll
			for (int k = 0; k < 4; k++)
				g[k] += v[k];
			store4(a.sum + 4 * i, g);
		} else if (is & frozen) {
			const float none[4] = {0, 0, 0, 0};
			store4(a.grads + 4 * i, none);
		}
		if (is & moves)
			square += squares(g);
	}
	if (!move)
		return;
	SHARED(int, last, 1);
	square = block_sum(square);
	if (threadIdx.x == 0) {
		a.partial[blockIdx.x] = square;
		__threadfence();
		last[0] = atomicAdd(&s->arrived, 1u) == gridDim.x - 1;
	}
	__syncthreads();
	if (!last[0])
		return;
	__threadfence();
	square = 0;
	for (unsigned i = threadIdx.x; i < gridDim.x; i += NORM_THREADS)
		square += reinterpret_cast<const volatile double *>(a.partial)[i];
	square = block_sum(square);
	if (threadIdx.x == 0)
		decide(s, square);
}

// ---- the optimisers

struct MoveArgs {
	const StepState *state;
	float *weights;
	bf16 *rounded;                // null: no copy in bf16
	const float *grads;
	float *sum;                   // null: no batches are summed
	float *momentum;
	float *square, *peak;         // Adam and AdamW; peak null: not AMSGrad
	float *average;               // null: none
	float *stats, *average_stats; // running statistics and their average, which may be null
	float *kept;                  // what becomes of stats again where a step is idle
	const uint8_t *table;
	long long quads, stat_quads;
	float fresh2, beta2;          // 1 - beta2, beta2
	float epsilon;
	int pad_;
};

__device__ __forceinline__ void towards(float *average, long long at, const float (&v)[4], float share) {
	float m[4];
	load4(average + at, m);
#pragma unroll
	for (int k = 0; k < 4; k++)
		m[k] = fmaf(share, v[k] - m[k], m[k]);
	store4(average + at, m);
}

struct SGD {
	static __device__ __forceinline__ void step(const MoveArgs &a, const StepState &s, int is, long long at, float (&w)[4], const float (&g)[4]) {
		const float rate = s.in.rate[is & biases ? 1 : 0], momentum = s.in.momentum, decay = is & decays ? s.in.decay : 0;
		float m[4];
		load4(a.momentum + at, m);
#pragma unroll
		for (int k = 0; k < 4; k++) {
			const float d = fmaf(g[k], s.factor, decay * w[k]);
			m[k] = fmaf(momentum, m[k], d);
			w[k] = fmaf(fmaf(momentum, m[k], d), -rate, w[k]);
		}
		store4(a.momentum + at, m);
	}
};

struct Adam {
	static __device__ __forceinline__ void step(const MoveArgs &a, const StepState &s, int is, long long at, float (&w)[4], const float (&g)[4]) {
		const int bias = is & biases ? 1 : 0;
		const float rate = s.in.rate[bias], keep = is & decays ? s.in.keep[bias] : 1, l2 = is & decays ? s.in.decay : 0;
		float m[4], v[4], under[4];
		load4(a.momentum + at, m);
		load4(a.square + at, v);
#pragma unroll
		for (int k = 0; k < 4; k++) {
			float d = g[k] * s.factor;
			d = l2 != 0 ? fmaf(w[k], l2, d) : d;
			m[k] = fmaf(d - m[k], s.in.fresh, m[k]);
			v[k] = fmaf(d * d, a.fresh2, v[k] * a.beta2);
			under[k] = v[k];
		}
		store4(a.momentum + at, m);
		store4(a.square + at, v);
		if (a.peak) {
			float peak[4];
			load4(a.peak + at, peak);
#pragma unroll
			for (int k = 0; k < 4; k++)
				under[k] = fmaxf(peak[k], v[k]);
			store4(a.peak + at, under);
		}
#pragma unroll
		for (int k = 0; k < 4; k++)
			w[k] = w[k] * keep - rate * (m[k] / (sqrtf(under[k]) / s.in.root + a.epsilon));
	}
};

struct LION {
	static __device__ __forceinline__ void step(const MoveArgs &a, const StepState &s, int is, long long at, float (&w)[4], const float (&g)[4]) {
		const int bias = is & biases ? 1 : 0;
		const float rate = s.in.rate[bias], keep = is & decays ? s.in.keep[bias] : 1;
		float m[4];
		load4(a.momentum + at, m);
#pragma unroll
		for (int k = 0; k < 4; k++) {
			const float d = g[k] * s.factor - m[k];
			const float c = fmaf(d, s.in.fresh, m[k]);
			m[k] = fmaf(d, a.fresh2, m[k]);
			w[k] = w[k] * keep - (c > 0 ? rate : c < 0 ? -rate : 0);
		}
		store4(a.momentum + at, m);
	}
};

// Running statistics have moved in the forward pass: in an idle step they are put back.
__device__ __forceinline__ void move_stats(const MoveArgs &a, const StepState &s) {
	for (long long i = global_thread(); i < a.stat_quads; i += global_threads()) {
		float v[4];
		if (s.idle) {
			if (a.kept) {
				load4(a.kept + 4 * i, v);
				store4(a.stats + 4 * i, v);
			}
			continue;
		}
		load4(a.stats + 4 * i, v);
		if (a.kept)
			store4(a.kept + 4 * i, v);
		if (a.average_stats && s.moved)
			towards(a.average_stats, 4 * i, v, s.in.average);
	}
}

template <class Rule> __device__ void move_all(const MoveArgs &a) {
	const StepState &s = *a.state;
	move_stats(a, s);
	if (!s.moved)
		return;
	const float none[4] = {0, 0, 0, 0};
	for (long long i = global_thread(); i < a.quads; i += global_threads()) {
		const int is = a.table[i / 4];
		const long long at = 4 * i;
		float w[4];
		load4(a.weights + at, w);
		if (s.finite && is & moves) {
			float g[4];
			load4((a.sum ? a.sum : a.grads) + at, g);
			Rule::step(a, s, is, at, w, g);
			store4(a.weights + at, w);
			if (a.rounded)
				store4(a.rounded + at, w);
		}
		if (a.sum)
			store4(a.sum + at, none);
		if (a.average)
			towards(a.average, at, w, s.in.average);
	}
}

FLAT_KERNEL(step_sgd, MoveArgs, 256) { move_all<SGD>(a); }
FLAT_KERNEL(step_adam, MoveArgs, 256) { move_all<Adam>(a); }
FLAT_KERNEL(step_lion, MoveArgs, 256) { move_all<LION>(a); }
