// Between the tensors of detection heads, one a level, and dense arrays over all anchors of an image.
#include "share.cuh"

constexpr int HEAD_TENSORS = 16; // in a launch

// A tensor of a head at one level. Its pixels are the anchors from `first` on.
struct HeadTensor {
	View v;           // data, or their gradient
	float *dense;     // [n][anchors][channels]
	const int *table; // the lane of each channel, filled up to a multiple of 4; then, of each lane, its channel or -1
	int first, channels;
};

struct HeadArgs {
	HeadTensor tensor[HEAD_TENSORS]; // one for each blockIdx.y
	long long anchors;
};

__device__ __forceinline__ long long anchor_of(const HeadArgs &a, const HeadTensor &t, unsigned pixel) {
	const unsigned image = t.v.h * t.v.w;
	return pixel / image * a.anchors + t.first + pixel % image;
}

// A thread takes 4 channels of an anchor.
template <class T> __device__ void head_gather(const HeadArgs &a) {
	const HeadTensor &t = a.tensor[blockIdx.y];
	const unsigned quads = (t.channels + 3) / 4;
	const bool whole = t.channels % 4 == 0;
	const long long all = pixels(t.v) * quads;
	for (long long i = global_thread(); i < all; i += global_threads()) {
		const unsigned pixel = (unsigned)(i / quads);
		const int channel = (int)(i % quads) * 4;
		const T *from = at<T>(t.v, pixel);
		float *to = t.dense + anchor_of(a, t, pixel) * t.channels + channel;
		Quad v;
#pragma unroll
		for (int k = 0; k < 4; k++)
			v.w[k] = __float_as_uint(to_float(from[t.table[channel + k]]));
		if (whole) {
			*reinterpret_cast<Quad *>(to) = v;
			continue;
		}
#pragma unroll
		for (int k = 0; k < 4; k++)
			if (channel + k < t.channels)
				to[k] = __uint_as_float(v.w[k]);
	}
}

FLAT_KERNEL(head_gather_f32, HeadArgs, 256) { head_gather<float>(a); }
FLAT_KERNEL(head_gather_bf16, HeadArgs, 256) { head_gather<bf16>(a); }

// A thread takes 8 lanes of every step-th pixel; lanes without a channel become 0.
template <class T> __device__ void head_scatter(const HeadArgs &a) {
	const HeadTensor &t = a.tensor[blockIdx.y];
	const Share s = share_of(t.v);
	const long long all = pixels(t.v);
	const int *channels = t.table + (t.channels + 3) / 4 * 4 + s.lane;
	int channel[8];
#pragma unroll
	for (int k = 0; k < 8; k++)
		channel[k] = channels[k];
	for (long long p = s.pixel; p < all; p += s.step) {
		const float *from = t.dense + anchor_of(a, t, (unsigned)p) * t.channels;
		float v[8];
#pragma unroll
		for (int k = 0; k < 8; k++)
			v[k] = channel[k] < 0 ? 0 : from[channel[k]];
		store8(at<T>(t.v, p) + s.lane, v);
	}
}

FLAT_KERNEL(head_scatter_f32, HeadArgs, 256) { head_scatter<float>(a); }
FLAT_KERNEL(head_scatter_bf16, HeadArgs, 256) { head_scatter<bf16>(a); }
