// Gradients of weights and biases leave sums over slices of pixels; they are added up here, for many gradients in one launch.
#include "port.cuh"

// One gradient. Its tiles, of so many floats that the threads of a block make 4 each `apart` times, are blocks from `first` on.
struct Slices {
	const float *from; // [count][floats]
	float *to;
	int floats;        // a multiple of 4
	int count, apart;  // of slices; threads that share the slices of a float: 1, 4 or 16
	int first;
};

constexpr int MOST_SLICES = 127; // so that arguments take less than 4 KiB

struct SumSlicesArgs {
	Slices all[MOST_SLICES];
	int count, pad_;
};

// The order in which slices are added is the same whatever is `apart`: every sixteenth one, and then those sums.
constexpr int PARTS = 16, SLICE_THREADS = 256;
constexpr int AHEAD = 4; // loads of a thread that are under way at a time

// The gradient of a block: the last one that begins there or before.
__device__ __forceinline__ int find_slices(const SumSlicesArgs &a, int block) {
	int low = 0, high = a.count;
	while (high - low > 1) {
		const int middle = (low + high) / 2;
		if (a.all[middle].first <= block)
			low = middle;
		else
			high = middle;
	}
	return low;
}

// Four floats of slice k, or zeros behind the last one: adding them changes no sum, and loads need not wait for each other.
__device__ __forceinline__ void load_slice(const Slices &s, int k, int i, float (&v)[4]) {
	const bool there = k < s.count;
	const Quad q = *reinterpret_cast<const Quad *>(s.from + (long long)(there ? k : 0) * s.floats + i);
#pragma unroll
	for (int c = 0; c < 4; c++)
		v[c] = there ? __uint_as_float(q.w[c]) : 0;
}

// No more than 16 slices: a thread adds all of them.
__device__ __forceinline__ void sum_few(const Slices &s, int tile) {
	const int i = (tile * SLICE_THREADS + threadIdx.x) * 4;
	if (i >= s.floats)
		return;
	float sum[4] = {};
#pragma unroll 1
	for (int k = 0; k < s.count; k += AHEAD) {
		float v[AHEAD][4];
#pragma unroll
		for (int j = 0; j < AHEAD; j++)
			load_slice(s, k + j, i, v[j]);
#pragma unroll
		for (int j = 0; j < AHEAD; j++)
#pragma unroll
			for (int c = 0; c < 4; c++)
				sum[c] += v[j][c];
	}
	Quad q;
#pragma unroll
	for (int c = 0; c < 4; c++)
		q.w[c] = __float_as_uint(sum[c]);
	*reinterpret_cast<Quad *>(s.to + i) = q;
}

// More: APART threads make PARTS sums of every sixteenth slice, which are then added.
template <int APART> __device__ __forceinline__ void sum_many(const Slices &s, int tile, float *parts) {
	constexpr int quads = SLICE_THREADS / APART, floats = 4 * quads, own = PARTS / APART, ahead = AHEAD / own;
	const int first = threadIdx.x / quads, four = threadIdx.x % quads * 4, i = tile * floats + four;
	float sum[own][4] = {};
	if (i < s.floats) {
#pragma unroll 1
		for (int k = first; k < s.count; k += PARTS * ahead) {
			float v[AHEAD][4];
#pragma unroll
			for (int j = 0; j < AHEAD; j++)
				load_slice(s, k + j * APART, i, v[j]);
#pragma unroll
			for (int j = 0; j < AHEAD; j++)
#pragma unroll
				for (int c = 0; c < 4; c++)
					sum[j % own][c] += v[j][c];
		}
	}
#pragma unroll
	for (int j = 0; j < own; j++)
#pragma unroll
		for (int c = 0; c < 4; c++)
			parts[(first + j * APART) * floats + four + c] = sum[j][c];
	__syncthreads();
	const int to = tile * floats + threadIdx.x;
	if (threadIdx.x >= floats || to >= s.floats)
		return;
	float all = 0;
#pragma unroll
	for (int p = 0; p < PARTS; p++)
		all += parts[p * floats + threadIdx.x];
	s.to[to] = all;
}

KERNEL(sum_slices, SumSlicesArgs, SLICE_THREADS) {
	SHARED(float, parts, PARTS * SLICE_THREADS);
	const Slices &s = a.all[find_slices(a, blockIdx.x)];
	const int tile = blockIdx.x - s.first;
	if (s.apart == 1)
		sum_few(s, tile);
	else if (s.apart == 4)
		sum_many<4>(s, tile, parts);
	else
		sum_many<16>(s, tile, parts);
}
