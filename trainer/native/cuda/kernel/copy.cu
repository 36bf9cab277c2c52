// Copies between windows of lanes: what a concatenation could not place, and gradients that two readers share.
#include "share.cuh"

struct CopyArgs {
	View from, to;
	int add; // to += from
	int pad_;
};

template <class T> __device__ void copy_lanes(const CopyArgs &a) {
	const Share s = share_of(a.from);
	const long long all = pixels(a.from);
	for (long long p = s.pixel; p < all; p += s.step) {
		float v[8];
		load8(at<T>(a.from, p) + s.lane, v);
		T *to = at<T>(a.to, p) + s.lane;
		if (a.add) {
			float w[8];
			load8(to, w);
#pragma unroll
			for (int k = 0; k < 8; k++)
				v[k] += w[k];
		}
		store8(to, v);
	}
}

FLAT_KERNEL(copy_f32, CopyArgs, 256) { copy_lanes<float>(a); }
FLAT_KERNEL(copy_bf16, CopyArgs, 256) { copy_lanes<bf16>(a); }
