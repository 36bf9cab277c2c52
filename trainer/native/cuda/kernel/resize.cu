// Values that only move: to another extent, or to other lanes.
#include "share.cuh"

// The pixel that nearest neighbour takes for pixel i of `to` out of `from`: floor of i times their ratio, in float32 as
// PyTorch has it.
__device__ __forceinline__ int nearest(int i, int from, int to) {
#ifdef __CUDACC__
	const int p = (int)__fmul_rn((float)i, __fdiv_rn((float)from, (float)to));
#else
	const int p = (int)((float)i * ((float)from / (float)to));
#endif
	return min(p, from - 1);
}

// The first pixel of `to` that takes pixel p of `from` or a later one; `to` where there is none.
__device__ __forceinline__ int first_taker(int p, int from, int to) {
	int i = max(0, (int)((long long)p * to / from) - 1);
	while (i > 0 && nearest(i - 1, from, to) >= p)
		i--;
	while (i < to && nearest(i, from, to) < p)
		i++;
	return i;
}

struct ResizeArgs {
	View x, y; // from and to, or their gradients
	int add, pad_;
};

template <class T> __device__ void resize(const ResizeArgs &a) {
	const Share s = share_of(a.y);
	const long long all = pixels(a.y);
	for (long long p = s.pixel; p < all; p += s.step) {
		const Place to = place_of(a.y, p);
		float v[8], old[8] = {};
		load8(at<T>(a.x, pixel_at(a.x, to.n, nearest(to.y, a.x.h, a.y.h), nearest(to.x, a.x.w, a.y.w))) + s.lane, v);
		if (a.add)
			load8(at<T>(a.y, p) + s.lane, old);
#pragma unroll
		for (int k = 0; k < 8; k++)
			v[k] += old[k];
		store8(at<T>(a.y, p) + s.lane, v);
	}
}

FLAT_KERNEL(resize_f32, ResizeArgs, 256) { resize<float>(a); }
FLAT_KERNEL(resize_bf16, ResizeArgs, 256) { resize<bf16>(a); }

// dx: each pixel adds up those that took it, in row order.
template <class T> __device__ void resize_grad(const ResizeArgs &a) {
	const Share s = share_of(a.x);
	const long long all = pixels(a.x);
	for (long long p = s.pixel; p < all; p += s.step) {
		const Place to = place_of(a.x, p);
		const int top = first_taker(to.y, a.x.h, a.y.h), bottom = to.y + 1 < a.x.h ? first_taker(to.y + 1, a.x.h, a.y.h) : a.y.h;
		const int left = first_taker(to.x, a.x.w, a.y.w), right = to.x + 1 < a.x.w ? first_taker(to.x + 1, a.x.w, a.y.w) : a.y.w;
		float sum[8] = {};
		if (a.add)
			load8(at<T>(a.x, p) + s.lane, sum);
		for (int y = top; y < bottom; y++)
			for (int x = left; x < right; x++) {
				float v[8];
				load8(at<T>(a.y, pixel_at(a.y, to.n, y, x)) + s.lane, v);
#pragma unroll
				for (int k = 0; k < 8; k++)
					sum[k] += v[k];
			}
		store8(at<T>(a.x, p) + s.lane, sum);
	}
}

FLAT_KERNEL(resize_grad_f32, ResizeArgs, 256) { resize_grad<float>(a); }
FLAT_KERNEL(resize_grad_bf16, ResizeArgs, 256) { resize_grad<bf16>(a); }

struct RegroupArgs {
	View x, y;
	const int *table; // [lanes of y]: the lane of x that it takes, or -1: none
	int add, pad_;
};

template <class T> __device__ void regroup(const RegroupArgs &a) {
	const Share s = share_of(a.y);
	const long long all = pixels(a.y);
	int from[8];
#pragma unroll
	for (int k = 0; k < 8; k++)
		from[k] = a.table[s.lane + k];
	for (long long p = s.pixel; p < all; p += s.step) {
		const T *x = at<T>(a.x, p);
		float v[8] = {};
		if (a.add)
			load8(at<T>(a.y, p) + s.lane, v);
#pragma unroll
		for (int k = 0; k < 8; k++)
			if (from[k] >= 0)
				v[k] += to_float(x[from[k]]);
		store8(at<T>(a.y, p) + s.lane, v);
	}
}

FLAT_KERNEL(regroup_f32, RegroupArgs, 256) { regroup<float>(a); }
FLAT_KERNEL(regroup_bf16, RegroupArgs, 256) { regroup<bf16>(a); }
