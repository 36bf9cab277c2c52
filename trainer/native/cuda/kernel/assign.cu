// Task-aligned assignment of a batch (Feng et al. 2021, arXiv:2108.07755), as trainer/native/assign: three kernels after
// each other. Orders of threads do not matter: what meets in one place meets as the maximum or minimum of integers.
//
// Legend: images N, anchors A, classes K, bins R; truths are ordered by image, those of image n are first[n] to first[n+1]-1.
#include "boxes.cuh"
#include "settings.cuh"

constexpr double LEAST = 1e-9; // alignment that a claim must exceed
constexpr int THREADS = 128;

// A point that an object claims. owner: the object that gets it, -1: this claim is lost.
struct Claim {
	double metric, overlap;
	int anchor, owner;
};

struct AssignArgs {
	const float *box, *cls, *points, *strides; // logits [N][A][4 R] and [N][A][K]; [A][2], [A]
	const int *first, *truth_class;            // [N + 1], [capacity]
	const float *truth_box;                    // [capacity][4]
	int *owner;                                // [N][A]: truth, -1: background
	float *score;                              // [N][A]
	Normaliser *normaliser;
	float *boxes;             // [N][A][4]: predicted corners of points inside an object
	unsigned long long *held; // [N][A]: the largest overlap of a claim; of all objects: number of claims
	Claim *claims;            // [capacity][top]
	unsigned long long *best; // [capacity][2]: largest alignment and overlap that an object keeps
	double *sums;             // [N]
	int *kept;                // [N]: points of an image that have an object
	int *count;               // [capacity]: claims
	int *done;                // images that are settled
	const LossSettings *settings;
	int images, anchors, classes, bins;
	int top, all;
	int part, pad_; // part: the batch goes on on other GPUs, and assign_total follows
};

// What losses are divided by, at least 1 as Go's max: not a number stays.
__device__ __forceinline__ double divisor(double total) { return total > 1 ? total : total == total ? 1 : total; }

__device__ __forceinline__ bool inside(const float *point, const float *o) {
	const float least = (float)LEAST;
	return point[0] - o[0] > least && point[1] - o[1] > least && o[2] - point[0] > least && o[3] - point[1] > least;
}

// The alignment p^alpha o^beta. The usual exponents take products, not powers.
__device__ __forceinline__ double alignment(const AssignArgs &a, double p, double o) {
	const double alpha = a.settings->alpha, beta = a.settings->beta, s = alpha == 0.5 ? sqrt(p) : pow(p, alpha);
	return beta == 6 ? s * o * o * o * o * o * o : s * pow(o, beta);
}

// Overlap and alignment of point `at` of the batch with a truth.
__device__ __forceinline__ double overlap_with(const AssignArgs &a, long long at, int truth) {
	return ciou_of(overlap_of(corners_at(a.boxes + 4 * at), corners_at(a.truth_box + 4 * truth)));
}

__device__ __forceinline__ double alignment_with(const AssignArgs &a, long long at, int truth, double overlap) {
	return alignment(a, probability(a.cls[at * a.classes + a.truth_class[truth]]), overlap);
}

// Clears the targets and decodes the boxes of the points that lie inside an object. A thread takes a side of a point.
FLAT_KERNEL(assign_boxes, AssignArgs, 256) {
	if (global_thread() == 0)
		*a.done = 0;
	const long long sides = (long long)a.images * a.anchors * 4;
	for (long long i = global_thread(); i < sides; i += global_threads()) {
		const long long at = i / 4;
		const int side = (int)(i % 4), image = (int)(at / a.anchors), anchor = (int)(at % a.anchors);
		if (side == 0) {
			a.owner[at] = -1;
			a.score[at] = 0;
			a.held[at] = 0;
		}
		const float *point = a.points + 2 * anchor;
		bool in = false;
		for (int t = a.first[image]; t < a.first[image + 1] && !in; t++)
			in = inside(point, a.truth_box + 4 * t);
		if (!in)
			continue;
		double top, sum;
		const double d = expectation(a.box + i * a.bins, a.bins, top, sum);
		a.boxes[i] = (float)corner(point, side, d, a.strides[anchor]);
	}
}

// Claims in shared memory: two lists of the best so far, best first, and one place for each thread.
struct Lists {
	double *metric, *overlap;
	int *anchor;
};

// Whether claim i comes before claim j: the better alignment, on ties the earlier point.
__device__ __forceinline__ bool before(const Lists &l, int i, int j) {
	return l.metric[i] > l.metric[j] || (l.metric[i] == l.metric[j] && l.anchor[i] < l.anchor[j]);
}

// Puts claim i into the list at `next`, by its rank among the `have` of the list at `list` and the threads' claims that masks
// mark, or nowhere where it is not one of the best.
__device__ __forceinline__ void place(const AssignArgs &a, const Lists &l, int i, int list, int have, int fresh, const unsigned *masks, int next) {
	int rank = 0;
	for (int j = list; j < list + have; j++)
		rank += before(l, j, i);
	for (int w = 0; w < THREADS / 32; w++)
		for (unsigned m = masks[w]; m; m &= m - 1)
			rank += before(l, fresh + 32 * w + __ffs(m) - 1, i);
	if (rank >= a.top)
		return;
	l.metric[next + rank] = l.metric[i];
	l.overlap[next + rank] = l.overlap[i];
	l.anchor[next + rank] = l.anchor[i];
}

// The image of a truth.
__device__ __forceinline__ int image_of(const AssignArgs &a, int truth) {
	int low = 0, high = a.images - 1;
	while (low < high) {
		const int mid = (low + high) / 2;
		if (truth < a.first[mid + 1])
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

// Finds the best `top` points of each object. A block takes an object at a time, and so many points at a time as it has threads.
KERNEL(assign_claims, AssignArgs, THREADS) {
	DYNAMIC_SHARED(double, room);
	SHARED(unsigned, masks, 2 * THREADS / 32);
	const int places = 2 * a.top + THREADS, fresh = 2 * a.top, thread = threadIdx.x;
	const Lists l = {room, room + places, reinterpret_cast<int *>(room + 2 * places)};
	const double least = a.all ? 0 : LEAST;
	for (int t = blockIdx.x; t < a.first[a.images]; t += gridDim.x) {
		const long long row = (long long)image_of(a, t) * a.anchors;
		int have = 0, list = 0, turn = 0;
		for (int from = 0; from < a.anchors; from += THREADS, turn ^= THREADS / 32) {
			const int anchor = from + thread;
			bool claims = false;
			if (anchor < a.anchors && inside(a.points + 2 * anchor, a.truth_box + 4 * t)) {
				const double o = overlap_with(a, row + anchor, t);
				const double m = o > 0 ? alignment_with(a, row + anchor, t, o) : 0;
				claims = m > least && (have < a.top || m > l.metric[list + have - 1]);
				l.metric[fresh + thread] = m;
				l.overlap[fresh + thread] = o;
				l.anchor[fresh + thread] = anchor;
			}
			const unsigned mask = __ballot_sync(0xffffffffu, claims);
			if (thread % 32 == 0)
				masks[turn + thread / 32] = mask;
			__syncthreads();
			int more = 0;
			for (int w = 0; w < THREADS / 32; w++)
				more += __popc(masks[turn + w]);
			if (more == 0)
				continue;
			const int next = a.top - list;
			for (int i = thread; i < have; i += THREADS)
				place(a, l, list + i, list, have, fresh, masks + turn, next);
			if (claims)
				place(a, l, fresh + thread, list, have, fresh, masks + turn, next);
			have = min(a.top, have + more);
			list = next;
			__syncthreads();
		}
		for (int i = thread; i < have; i += THREADS)
			a.claims[(long long)t * a.top + i] = Claim{l.metric[list + i], l.overlap[list + i], l.anchor[list + i], t};
		if (thread == 0)
			a.count[t] = have;
		__syncthreads();
	}
}

// Gives a claimed point of several objects to the object of its image that it overlaps most (on ties the earlier), claimed or not.
__device__ __forceinline__ void contest(const AssignArgs &a, Claim &c, long long at, int first, int end) {
	double most = -1;
	for (int t = first; t < end; t++) {
		const double o = overlap_with(a, at, t);
		if (o > most) {
			most = o;
			c.owner = t;
		}
	}
	c.overlap = most;
	c.metric = alignment_with(a, at, c.owner, most);
}

// Decides who keeps which claim, and makes the targets. A block takes an image; the last one adds the images up.
KERNEL(assign_targets, AssignArgs, THREADS) {
	SHARED(double, room, THREADS);
	const int image = blockIdx.x, first = a.first[image], end = a.first[image + 1];
	const long long row = (long long)image * a.anchors, places = (long long)(end - first) * a.top;
	Claim *claims = a.claims + (long long)first * a.top;
	unsigned *owner = reinterpret_cast<unsigned *>(a.owner); // -1 is the largest

	for (int t = first + (int)threadIdx.x; t < end; t += THREADS)
		a.best[2 * t] = a.best[2 * t + 1] = 0;
	for (long long i = threadIdx.x; i < places; i += THREADS) {
		const Claim &c = claims[i];
		if (i % a.top >= a.count[first + i / a.top])
			continue;
		if (a.all) {
			atomicAdd(&a.held[row + c.anchor], 1ull);
			atomicMin(&owner[row + c.anchor], (unsigned)c.owner);
		} else {
			atomicMax(&a.held[row + c.anchor], bits_of(c.overlap));
		}
	}
	__syncthreads();
	if (!a.all) {
		for (long long i = threadIdx.x; i < places; i += THREADS) {
			const Claim &c = claims[i];
			if (i % a.top < a.count[first + i / a.top] && a.held[row + c.anchor] == bits_of(c.overlap))
				atomicMin(&owner[row + c.anchor], (unsigned)c.owner);
		}
		__syncthreads();
	}
	for (long long i = threadIdx.x; i < places; i += THREADS) {
		Claim &c = claims[i];
		if (i % a.top >= a.count[first + i / a.top]) {
			c.owner = -1;
			continue;
		}
		const long long at = row + c.anchor;
		if (owner[at] != (unsigned)c.owner) {
			c.owner = -1;
			continue;
		}
		if (a.all && a.held[at] > 1)
			contest(a, c, at, first, end);
		atomicMax(&a.best[2 * c.owner], bits_of(c.metric));
		atomicMax(&a.best[2 * c.owner + 1], bits_of(c.overlap));
	}
	__syncthreads();
	double sum = 0;
	int kept = 0;
	for (long long i = threadIdx.x; i < places; i += THREADS) {
		const Claim &c = claims[i];
		if (c.owner < 0)
			continue;
		const double metric = double_of(a.best[2 * c.owner]), overlap = double_of(a.best[2 * c.owner + 1]);
		const float s = (float)(product(c.metric / (metric + LEAST), overlap));
		a.owner[row + c.anchor] = c.owner;
		a.score[row + c.anchor] = s;
		sum += s;
		kept++;
	}
	sum = block_sum<THREADS>(sum, room);
	const double points = block_sum<THREADS>(kept, room);
	if (threadIdx.x != 0)
		return;
	a.sums[image] = sum;
	a.kept[image] = (int)points;
	__threadfence();
	if (atomicAdd(a.done, 1) != a.images - 1)
		return;
	__threadfence();
	const volatile double *sums = a.sums;
	const volatile int *counts = a.kept;
	Normaliser n = {0, 0, 0};
	for (int i = 0; i < a.images; i++) {
		n.total += sums[i];
		n.points += counts[i];
	}
	n.total = a.part ? n.total : divisor(n.total);
	*a.normaliser = n;
}

// The divisor, from the sum of the scores of all GPUs.
FLAT_KERNEL(assign_total, AssignArgs, 256) {
	if (global_thread() == 0)
		a.normaliser->total = divisor(a.normaliser->total);
}
