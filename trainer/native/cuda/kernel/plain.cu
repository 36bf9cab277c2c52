// Sums and zeros, and pictures as the network takes them.
#include "share.cuh"

struct AddArgs {
	View x, y, out; // out may be one of them
};

template <class T> __device__ void add(const AddArgs &a) {
	const Share s = share_of(a.out);
	const long long all = pixels(a.out);
	for (long long p = s.pixel; p < all; p += s.step) {
		float v[8], w[8];
		load8(at<T>(a.x, p) + s.lane, v);
		load8(at<T>(a.y, p) + s.lane, w);
#pragma unroll
		for (int k = 0; k < 8; k++)
			v[k] += w[k];
		store8(at<T>(a.out, p) + s.lane, v);
	}
}

FLAT_KERNEL(add_f32, AddArgs, 256) { add<float>(a); }
FLAT_KERNEL(add_bf16, AddArgs, 256) { add<bf16>(a); }

struct ZeroArgs {
	View v;
};

template <class T> __device__ void zero(const ZeroArgs &a) {
	const Share s = share_of(a.v);
	const long long all = pixels(a.v);
	const float none[8] = {};
	for (long long p = s.pixel; p < all; p += s.step)
		store8(at<T>(a.v, p) + s.lane, none);
}

FLAT_KERNEL(zero_f32, ZeroArgs, 256) { zero<float>(a); }
FLAT_KERNEL(zero_bf16, ZeroArgs, 256) { zero<bf16>(a); }

struct PackArgs {
	const float *rgb; // [n][h][w][3]
	View image;       // of 4 lanes, the last one 0
};

FLAT_KERNEL(pack_images_f32, PackArgs, 256) {
	for (long long p = global_thread(); p < pixels(a.image); p += global_threads()) {
		const float *c = a.rgb + 3 * p;
		*reinterpret_cast<Quad *>(at<float>(a.image, p)) = {{__float_as_uint(c[0]), __float_as_uint(c[1]), __float_as_uint(c[2]), 0}};
	}
}

FLAT_KERNEL(pack_images_bf16, PackArgs, 256) {
	for (long long p = global_thread(); p < pixels(a.image); p += global_threads()) {
		const float *c = a.rgb + 3 * p;
		unsigned long long v = 0;
#pragma unroll
		for (int k = 0; k < 3; k++)
			v |= (unsigned long long)from_float<bf16>(c[k]).bits << 16 * k;
		*reinterpret_cast<unsigned long long *>(at<bf16>(a.image, p)) = v;
	}
}
