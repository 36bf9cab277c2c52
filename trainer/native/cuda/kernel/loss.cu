// The detection loss of a batch and its gradient for given targets, as trainer/native/loss: CIoU for boxes, distribution
// focal loss (Li et al. 2020, arXiv:2006.04388, equation 6) for their sides, binary cross-entropy for classes.
//
// Legend: images N, anchors A, classes K, bins R. Class terms are float, added up in double; boxes are double.
#include "boxes.cuh"
#include "settings.cuh"

struct LossResult {
	double box, cls, dfl; // before gains
	double value;         // weight times their sum with gains
	double total;         // what each was divided by
	int points, pad_;
};

struct LossArgs {
	const float *box, *cls, *points, *strides; // logits [N][A][4 R] and [N][A][K]; [A][2], [A]
	const int *truth_class;                    // [capacity]
	const float *truth_box;                    // [capacity][4]
	const int *owner;                          // [N][A]: truth, -1: background
	const float *score;                        // [N][A]
	const Normaliser *normaliser;
	float *d_box, *d_cls; // gradients, as the logits
	LossResult *result;
	double *partial; // [class_blocks], [box_blocks][2]
	const LossSettings *settings;
	int images, anchors, classes, bins;
	int class_blocks, box_blocks;
	int batch, pad_; // images of all GPUs
};

constexpr int CLASS_THREADS = 256, BOX_THREADS = 128, TILE = BOX_THREADS / 4;
constexpr float ALPHA = 0.25f; // of the focal loss: objects against background

// The weight of a term's derivative, for the sum over images that the reference trainers scale by the batch size.
__device__ __forceinline__ double scale_of(const LossArgs &a) { return a.settings->weight * a.batch / a.normaliser->total; }

// The cross-entropy of a logit with target t, or the focal loss, and its derivative. -log p = max(-z, 0) + soft and
// -log(1 - p) = max(z, 0) + soft; see trainer/native/loss/classes.go.
__device__ __forceinline__ float class_term(float positive, float gamma, float z, float t, float &slope) {
	const float e = expf(-fabsf(z)), large = 1 / (1 + e), small = e * large;
	const float p = z < 0 ? small : large, q = z < 0 ? large : small, soft = log1pf(e);
	const float up = positive * t;
	float value = up * (max(-z, 0.f) + soft) + (1 - t) * (max(z, 0.f) + soft);
	slope = (1 - t) * p - up * q;
	if (gamma == 0)
		return value;
	const float misfit = (1 - t) * p + t * q;
	if (misfit <= 0) {
		slope = 0;
		return 0;
	}
	const float balance = ALPHA * t + (1 - ALPHA) * (1 - t), m = powf(misfit, gamma);
	const float by_fit = gamma * (m / misfit) * (2 * t - 1) * p * q;
	slope = balance * (m * slope - by_fit * value);
	return balance * m * value;
}

// Class loss and its gradient. A thread takes four logits in a row at a time.
KERNEL(loss_classes, LossArgs, CLASS_THREADS) {
	SHARED(double, room, CLASS_THREADS);
	const long long logits = (long long)a.images * a.anchors * a.classes;
	const LossSettings &is = *a.settings;
	const float scale = (float)(is.gain_cls * scale_of(a)), least = (float)(is.smoothing / 2), rest = (float)(1 - is.smoothing);
	const float positive = (float)is.positive, gamma = (float)is.gamma;
	// The point and the class of a thread's first logit, and how far it is to those of the next turn.
	const long long i0 = 4 * global_thread(), turn = 4 * global_threads(), points = turn / a.classes;
	long long first = i0 / a.classes;
	int cls = (int)(i0 % a.classes);
	const int more = (int)(turn % a.classes);
	double sum = 0;
	for (long long i = i0; i < logits; i += turn) {
		long long at = first;
		int k = cls;
		const int n = (int)min(4ll, logits - i);
		float z[4], d[4];
		if (n == 4) {
			const Quad q = *reinterpret_cast<const Quad *>(a.cls + i);
#pragma unroll
			for (int j = 0; j < 4; j++)
				z[j] = __uint_as_float(q.w[j]);
		} else {
#pragma unroll
			for (int j = 0; j < 4; j++)
				z[j] = j < n ? a.cls[i + j] : 0;
		}
		float four = 0;
#pragma unroll
		for (int j = 0; j < 4; j++) {
			float t = least, slope = 0;
			if (j < n) {
				const int owner = a.owner[at];
				if (owner >= 0 && a.truth_class[owner] == k)
					t += rest * a.score[at];
				four += class_term(positive, gamma, z[j], t, slope);
			}
			d[j] = slope * scale;
			if (++k == a.classes) {
				k = 0;
				at++;
			}
		}
		sum += four;
		if (n == 4) {
			Quad q;
#pragma unroll
			for (int j = 0; j < 4; j++)
				q.w[j] = __float_as_uint(d[j]);
			*reinterpret_cast<Quad *>(a.d_cls + i) = q;
		} else {
#pragma unroll
			for (int j = 0; j < 4; j++)
				if (j < n)
					a.d_cls[i + j] = d[j];
		}
		first += points;
		cls += more;
		if (cls >= a.classes) {
			cls -= a.classes;
			first++;
		}
	}
	sum = block_sum<CLASS_THREADS>(sum, room);
	if (threadIdx.x == 0)
		a.partial[blockIdx.x] = sum;
}

// One side of a point with an object: its part of both losses times the point's score, and their gradient by its bins. d are the
// expectations of all four sides; top and sum are those of its own.
__device__ __forceinline__ void side_loss(const LossArgs &a, long long at, int side, const double *d, double top, double sum, double scale,
                                          double &box, double &dfl) {
	const int anchor = (int)(at % a.anchors), truth = a.owner[at], bins = a.bins;
	const float *point = a.points + 2 * anchor;
	const float stride = a.strides[anchor];
	const double w = a.score[at];
	const Corners predicted = {corner(point, 0, d[0], stride), corner(point, 1, d[1], stride), corner(point, 2, d[2], stride), corner(point, 3, d[3], stride)};
	const Corners object = corners_at(a.truth_box + 4 * truth);
	Corners g;
	const double ciou = ciou_gradient(predicted, object, g);
	if (side == 0)
		box += (1 - ciou) * w;
	const double by_distance = stride * (side == 0 ? g.x0 : side == 1 ? g.y0 : side == 2 ? -g.x1 : -g.y1);
	const double mean = d[side];
	const double want = side == 0 ? point[0] - object.x0 : side == 1 ? point[1] - object.y0 : side == 2 ? object.x1 - point[0] : object.y1 - point[1];
	const double t = min(max(want / stride, 0.0), bins - 1.01);
	const int left = (int)t;
	const double share = left + 1 - t;
	const float *z = a.box + (at * 4 + side) * bins;
	dfl += (top + log(sum) - share * z[left] - (1 - share) * z[left + 1]) / 4 * w;
	const double by_box = a.settings->gain_box * scale * w * by_distance, by_dfl = a.settings->gain_dfl * scale * w / 4;
	float *to = a.d_box + (at * 4 + side) * bins;
	for (int k = 0; k < bins; k++) {
		const double p = exp(z[k] - top) / sum, target = k == left ? share : k == left + 1 ? 1 - share : 0;
		to[k] = (float)(by_box * p * (k - mean) + by_dfl * (p - target));
	}
}

// Box loss and distribution focal loss. A block takes so many points at a time, a thread one side, which it decodes for all four.
KERNEL(loss_boxes, LossArgs, BOX_THREADS) {
	SHARED(double, room, BOX_THREADS);
	SHARED(double, decoded, BOX_THREADS);
	const long long all = (long long)a.images * a.anchors;
	const double scale = scale_of(a);
	double box = 0, dfl = 0;
	for (long long from = (long long)blockIdx.x * TILE; from < all; from += (long long)gridDim.x * TILE) {
		Quad *to = reinterpret_cast<Quad *>(a.d_box + from * 4 * a.bins); // a point has as many quads as bins
		for (int q = threadIdx.x; q < TILE * a.bins; q += BOX_THREADS) {
			const long long at = from + q / a.bins;
			if (at < all && a.owner[at] < 0)
				to[q] = Quad{};
		}
		const long long at = from + threadIdx.x / 4;
		const int side = threadIdx.x % 4;
		const bool has = at < all && a.owner[at] >= 0;
		double top = 0, sum = 0;
		if (has)
			decoded[threadIdx.x] = expectation(a.box + (at * 4 + side) * a.bins, a.bins, top, sum);
		__syncthreads();
		if (has)
			side_loss(a, at, side, decoded + threadIdx.x - side, top, sum, scale, box, dfl);
		__syncthreads();
	}
	box = block_sum<BOX_THREADS>(box, room);
	dfl = block_sum<BOX_THREADS>(dfl, room);
	if (threadIdx.x == 0) {
		double *to = a.partial + a.class_blocks + 2 * blockIdx.x;
		to[0] = box;
		to[1] = dfl;
	}
}

// Adds up what the blocks found. One block.
KERNEL(loss_parts, LossArgs, CLASS_THREADS) {
	SHARED(double, room, CLASS_THREADS);
	double cls = 0, box = 0, dfl = 0;
	for (int i = threadIdx.x; i < a.class_blocks; i += CLASS_THREADS)
		cls += a.partial[i];
	for (int i = threadIdx.x; i < a.box_blocks; i += CLASS_THREADS) {
		box += a.partial[a.class_blocks + 2 * i];
		dfl += a.partial[a.class_blocks + 2 * i + 1];
	}
	cls = block_sum<CLASS_THREADS>(cls, room);
	box = block_sum<CLASS_THREADS>(box, room);
	dfl = block_sum<CLASS_THREADS>(dfl, room);
	if (threadIdx.x != 0)
		return;
	LossResult r;
	r.total = a.normaliser->total;
	r.points = a.normaliser->points;
	r.pad_ = 0;
	r.box = box / r.total;
	r.cls = cls / r.total;
	r.dfl = dfl / r.total;
	const LossSettings &is = *a.settings;
	r.value = is.weight * (is.gain_box * r.box + is.gain_cls * r.cls + is.gain_dfl * r.dfl);
	*a.result = r;
}
