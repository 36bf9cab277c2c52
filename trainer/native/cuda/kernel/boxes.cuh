// Boxes of a detection head and their overlaps, in double: what trainer/native/assign and trainer/native/loss compute, in the
// same order of operations, so that decisions are the same. Corners are in pixels.
#pragma once

#include "port.cuh"

// A product that is not fused with the sum it goes into.
__device__ __forceinline__ double product(double a, double b) {
#ifdef __CUDACC__
	return __dmul_rn(a, b);
#else
	return a * b;
#endif
}

// Doubles of 0 or more, and NaN above them, in the order of integers.
__device__ __forceinline__ unsigned long long bits_of(double v) {
	unsigned long long u;
	memcpy(&u, &v, sizeof u);
	return u;
}

__device__ __forceinline__ double double_of(unsigned long long u) {
	double v;
	memcpy(&v, &u, sizeof v);
	return v;
}

struct Corners {
	double x0, y0, x1, y1;
};

__device__ __forceinline__ Corners corners_at(const float *p) { return Corners{p[0], p[1], p[2], p[3]}; }

// What CIoU (Zheng et al. 2020, arXiv:1911.08287) and its gradient share; see assign/ciou.go for each.
struct Overlap {
	double iw, ih, wa, ha, area, iou, cw, ch, diag, dx, dy, rho, turn, v, alpha;
};

constexpr double CIOU_EPS = 1e-7;

__device__ __forceinline__ Overlap overlap_of(const Corners &a, const Corners &b) {
	Overlap p;
	p.iw = max(min(a.x1, b.x1) - max(a.x0, b.x0), 0.0);
	p.ih = max(min(a.y1, b.y1) - max(a.y0, b.y0), 0.0);
	p.wa = a.x1 - a.x0;
	p.ha = a.y1 - a.y0;
	const double wb = b.x1 - b.x0, hb = b.y1 - b.y0;
	const double inter = product(p.iw, p.ih);
	p.area = product(p.wa, p.ha) + product(wb, hb) - inter + CIOU_EPS;
	p.iou = inter / p.area;
	p.cw = max(a.x1, b.x1) - min(a.x0, b.x0);
	p.ch = max(a.y1, b.y1) - min(a.y0, b.y0);
	p.diag = product(p.cw, p.cw) + product(p.ch, p.ch) + CIOU_EPS;
	p.dx = a.x0 + a.x1 - b.x0 - b.x1;
	p.dy = a.y0 + a.y1 - b.y0 - b.y1;
	p.rho = (product(p.dx, p.dx) + product(p.dy, p.dy)) / 4;
	p.turn = atan(wb / (hb + CIOU_EPS)) - atan(p.wa / (p.ha + CIOU_EPS));
	p.v = product(product(0.405284734569351085775517852838911, p.turn), p.turn); // 4/pi^2 turn^2
	p.alpha = p.v / (p.v - p.iou + 1 + CIOU_EPS);
	return p;
}

__device__ __forceinline__ double ciou_of(const Overlap &p) { return p.iou - p.rho / p.diag - product(p.alpha, p.v); }

// The derivative of min(a, b) by a.
__device__ __forceinline__ double follows(double a, double b) { return a < b ? 1 : a > b ? 0 : 0.5; }

// CIoU of a prediction and an object, and its derivative by the corners of the prediction, with alpha held constant.
__device__ __forceinline__ double ciou_gradient(const Corners &a, const Corners &b, Corners &g) {
	const Overlap p = overlap_of(a, b);
	const double near_x = follows(a.x0, b.x0), far_x = follows(b.x1, a.x1);
	const double near_y = follows(a.y0, b.y0), far_y = follows(b.y1, a.y1);
	const double by_inter = (1 + p.iou) / p.area, by_area = -p.iou / p.area;
	const double gw = p.iw == 0 ? 0 : by_inter * p.ih, gh = p.ih == 0 ? 0 : by_inter * p.iw;
	const double far = p.rho / (p.diag * p.diag), cx = 2 * p.cw * far, cy = 2 * p.ch * far;
	const double mx = p.dx / (2 * p.diag), my = p.dy / (2 * p.diag);
	const double h = p.ha + CIOU_EPS, r = p.wa / h;
	const double slope = p.alpha * 0.810569469138702171551035705677822 * p.turn / (1 + r * r); // 8/pi^2
	const double dw = by_area * p.ha + slope / h, dh = by_area * p.wa - slope * r / h;
	g.x0 = -gw * (1 - near_x) - cx * near_x - mx - dw;
	g.y0 = -gh * (1 - near_y) - cy * near_y - my - dh;
	g.x1 = gw * (1 - far_x) + cx * far_x - mx + dw;
	g.y1 = gh * (1 - far_y) + cy * far_y - my + dh;
	return ciou_of(p);
}

// The sum of the scores, at least 1, and the number of points that have an object: what assignment leaves
// for the loss.
struct Normaliser {
	double total;
	int points, pad_;
};

// The expectation sum k p_k of a side's bins; top + log(sum) is the log sum exp of its logits.
__device__ __forceinline__ double expectation(const float *logits, int bins, double &top, double &sum) {
	float highest = logits[0];
	for (int k = 1; k < bins; k++)
		highest = max(highest, logits[k]);
	top = highest;
	sum = 0;
	double mean = 0;
	for (int k = 0; k < bins; k++) {
		const double e = exp(logits[k] - top);
		sum += e;
		mean += product(k, e);
	}
	return mean / sum;
}

// A corner's coordinate: that of the point, so many strides to the left or up (sides 0, 1), right or down (2, 3).
__device__ __forceinline__ double corner(const float *point, int side, double distance, float stride) {
	const double moved = product(distance, stride), at = point[side & 1];
	return side < 2 ? at - moved : at + moved;
}

// The probability of a logit, as float32.
__device__ __forceinline__ float probability(float z) { return (float)(1 / (1 + exp(-(double)z))); }

// The sum of a value over a block of so many threads, always in one order, in the threads of its first warp. room has a
// place for each thread.
template <int threads> __device__ __forceinline__ double block_sum(double v, double *room) {
	room[threadIdx.x] = v;
	__syncthreads();
	double s = 0;
	if (threadIdx.x < 32) {
		for (int i = threadIdx.x; i < threads; i += 32)
			s += room[i];
		s = warp_sum(s);
	}
	__syncthreads();
	return s;
}
