// Copies between windows of lanes: what a concatenation could not place, and gradients that two readers share.
#include "port.cuh"

struct CopyArgs {
	View from, to;
	int add; // to += from
	int pad_;
};

// A thread moves 8 lanes of a pixel.
template <class T> __device__ void copy_lanes(const CopyArgs &a) {
	const int groups = a.from.c / LANES;
	const long long all = pixels(a.from) * groups;
	for (long long i = global_thread(); i < all; i += global_threads()) {
		const long long pixel = i / groups;
		const int lane = (int)(i % groups) * LANES;
		float v[8];
		load8(at<T>(a.from, pixel) + lane, v);
		T *to = at<T>(a.to, pixel) + lane;
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
