// Detections of a batch: candidates of a head and greedy suppression within each class, as trainer/native/decode.go and
// trainer/evaluate's NMS. The order in which candidates are collected does not matter: each has a key of its own, its score,
// falling, then its place (anchor, then class).
//
// Legend: images N, anchors A, classes K, bins R.
#include "boxes.cuh"

struct Found {
	int cls;
	float score, x0, y0, x1, y1;
};

// What an image has. too_many: there were more candidates than room for them, and nothing was found.
struct FoundCount {
	int count, too_many;
};

struct NmsArgs {
	const float *box, *cls, *points, *strides; // logits [N][A][4 R] and [N][A][K]; [A][2], [A]
	unsigned long long *keys;                  // [N][capacity]
	int *count;                                // [N] candidates
	FoundCount *counts;                        // [N]
	Found *found;                              // [N][keep]
	double iou;                                // those that overlap a better one by more go
	float logit, score;                        // what candidates must exceed
	int images, anchors, classes, bins;
	int capacity, top, keep, size; // size: pixels a side
};

constexpr int THREADS = 256;

FLAT_KERNEL(nms_start, NmsArgs, 256) {
	for (long long i = global_thread(); i < a.images; i += global_threads())
		a.count[i] = 0;
}

// Collects the keys of an image (grid y) above the limits.
FLAT_KERNEL(nms_candidates, NmsArgs, 256) {
	const int image = blockIdx.y, all = a.anchors * a.classes;
	const float *logits = a.cls + (long long)image * all;
	for (long long i = global_thread(); i < all; i += global_threads()) {
		const float z = logits[i];
		if (!(z > a.logit))
			continue;
		const float p = probability(z);
		if (!(p > a.score))
			continue;
		const int place = atomicAdd(&a.count[image], 1);
		if (place < a.capacity)
			a.keys[(long long)image * a.capacity + place] = (unsigned long long)(0x7fffffffu - __float_as_uint(p)) << 32 | (unsigned)i;
	}
}

// What a block has in shared memory.
struct Room {
	unsigned long long *gathered, *keys; // [top]; keys are in order
	float *boxes;                        // [top][4]
	unsigned *over;                      // [top][words]: which later candidates a candidate suppresses
	int *kept;                           // [top]
	int *bins;                           // [256]
	int words;
};

__device__ __forceinline__ Room room_of(const NmsArgs &a, unsigned char *at) {
	Room r;
	r.words = (a.top + 31) / 32;
	r.gathered = reinterpret_cast<unsigned long long *>(at);
	r.keys = r.gathered + a.top;
	r.boxes = reinterpret_cast<float *>(r.keys + a.top);
	r.over = reinterpret_cast<unsigned *>(r.boxes + 4 * a.top);
	r.kept = reinterpret_cast<int *>(r.over + a.top * r.words);
	r.bins = r.kept + a.top;
	return r;
}

// The key of the given rank, from 1, among count: eight times, the keys that begin as it does are counted by their next byte.
__device__ __forceinline__ unsigned long long key_of_rank(const unsigned long long *keys, int count, int rank, int *bins, int *chosen) {
	unsigned long long begin = 0;
	for (int shift = 56; shift >= 0; shift -= 8) {
		bins[threadIdx.x] = 0;
		__syncthreads();
		for (int i = threadIdx.x; i < count; i += THREADS)
			if (shift == 56 || (keys[i] ^ begin) >> (shift + 8) == 0)
				atomicAdd(&bins[keys[i] >> shift & 255], 1);
		__syncthreads();
		int less = 0;
		for (int j = 0; j < (int)threadIdx.x; j++)
			less += bins[j];
		if (less < rank && rank <= less + bins[threadIdx.x]) {
			chosen[0] = threadIdx.x;
			chosen[1] = less;
		}
		__syncthreads();
		begin |= (unsigned long long)chosen[0] << shift;
		rank -= chosen[1];
		__syncthreads();
	}
	return begin;
}

// IoU, with a term against empty boxes.
__device__ __forceinline__ double iou_of(const float *a, const float *b) {
	const double w = min(a[2], b[2]) - max(a[0], b[0]), h = min(a[3], b[3]) - max(a[1], b[1]);
	if (w <= 0 || h <= 0)
		return 0;
	const double both = product(w, h);
	return both / (product(a[2] - a[0], a[3] - a[1]) + product(b[2] - b[0], b[3] - b[1]) - both + 1e-9);
}

// Takes the best `top` candidates of an image in order, decodes their boxes, clipped to the picture, and keeps those that no
// better kept one of their class suppresses, at most `keep`. A block takes an image.
KERNEL(nms_keep, NmsArgs, THREADS) {
	DYNAMIC_SHARED(unsigned char, memory);
	SHARED(int, chosen, 2);
	SHARED(int, some, 1);
	const int image = blockIdx.x, thread = threadIdx.x, count = a.count[image];
	if (count > a.capacity) {
		if (thread == 0)
			a.counts[image] = FoundCount{0, 1};
		return;
	}
	const Room r = room_of(a, memory);
	const unsigned long long *keys = a.keys + (long long)image * a.capacity;
	const unsigned long long last = count > a.top ? key_of_rank(keys, count, a.top, r.bins, chosen) : ~0ull;
	const int n = min(count, a.top);
	if (thread == 0)
		some[0] = 0;
	__syncthreads();
	for (int i = thread; i < count; i += THREADS)
		if (keys[i] <= last)
			r.gathered[atomicAdd(&some[0], 1)] = keys[i];
	__syncthreads();
	for (int i = thread; i < n; i += THREADS) {
		int rank = 0;
		for (int j = 0; j < n; j++)
			rank += r.gathered[j] < r.gathered[i];
		r.keys[rank] = r.gathered[i];
	}
	__syncthreads();
	for (int i = thread; i < 4 * n; i += THREADS) {
		const int anchor = (int)((unsigned)r.keys[i / 4] / a.classes), side = i % 4;
		double top, sum;
		const double d = expectation(a.box + (((long long)image * a.anchors + anchor) * 4 + side) * a.bins, a.bins, top, sum);
		const double v = corner(a.points + 2 * anchor, side, d, a.strides[anchor]);
		r.boxes[i] = (float)(v < 0 ? 0 : v > a.size ? a.size : v);
	}
	__syncthreads();
	for (int i = thread; i < n * r.words; i += THREADS) {
		const int one = i / r.words, from = i % r.words * 32, to = min(from + 32, n);
		const int cls = (unsigned)r.keys[one] % a.classes;
		unsigned over = 0;
		for (int j = max(from, one + 1); j < to; j++)
			if ((int)((unsigned)r.keys[j] % a.classes) == cls && iou_of(r.boxes + 4 * one, r.boxes + 4 * j) > a.iou)
				over |= 1u << (j - from);
		r.over[i] = over;
	}
	__syncthreads();
	if (thread < 32) { // a lane knows of 32 candidates whether they are suppressed
		unsigned gone = 0;
		int kept = 0;
		for (int i = 0; i < n && kept < a.keep; i++) {
			if (__shfl_sync(0xffffffffu, gone, i / 32) >> (i % 32) & 1)
				continue;
			if (thread == 0)
				r.kept[kept] = i;
			kept++;
			if (thread < r.words)
				gone |= r.over[i * r.words + thread];
		}
		if (thread == 0)
			some[0] = kept;
	}
	__syncthreads();
	if (thread == 0)
		a.counts[image] = FoundCount{some[0], 0};
	for (int i = thread; i < some[0]; i += THREADS) {
		const int at = r.kept[i];
		const unsigned long long key = r.keys[at];
		const float *b = r.boxes + 4 * at;
		const float score = __uint_as_float(0x7fffffffu - (unsigned)(key >> 32));
		a.found[(long long)image * a.keep + i] = Found{(int)((unsigned)key % a.classes), score, b[0], b[1], b[2], b[3]};
	}
}
