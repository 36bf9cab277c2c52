// The convolution of the network's image in bf16: four lanes (red, green, blue, 0), so that a tap is 8 bytes and all taps of
// a pixel are one stage: 36 terms, padded to 48.
#include "conv16.cuh"

struct ImageArgs {
	View x, y;
	const bf16 *w; // [lanes of the product][kernel * kernel][4]
	const float *bias;
	float *partial; // [tiles][2][y.c]
	int kernel, stride;
	int columns; // tiles side by side
	int add;     // not used
	int lanes;   // y.c
	int pad_;
	Statistics statistics;
};

constexpr int IMAGE_TERMS = 48, TAP = 4;

// tap_place is where a row of 64 values has those of a tap.
__device__ __forceinline__ int tap_place(int row, int tap) { return swizzled<8>(row, tap / 2) + tap % 2 * TAP; }

// A thread copies the taps of one pixel, and then of some lanes.
template <class T> __device__ __forceinline__ void image(const ImageArgs &a) {
	static_assert(T::BM == T::THREADS && T::BK == 64 && T::STAGES == 1, "a thread has a pixel");
	DYNAMIC_SHARED(bf16, shared);
	SHARED(int, place, T::BM);
	const int taps = a.kernel * a.kernel, pad = a.kernel / 2;
	const int column = blockIdx.x % a.columns, tile = blockIdx.x / a.columns, first = column * T::BN;
	const long long p = (long long)tile * T::BM + threadIdx.x;
	const bool there = p < pixels(a.y);
	const unsigned line = (unsigned)p / (unsigned)a.y.w, n = line / (unsigned)a.y.h;
	const int x = (int)((unsigned)p - line * a.y.w) * a.stride - pad, y = (int)(line - n * a.y.h) * a.stride - pad;
	place[threadIdx.x] = there ? (int)p : -1;
#pragma unroll
	for (int k = 0; k < IMAGE_TERMS / TAP; k++) {
		const int sy = y + k / a.kernel, sx = x + k % a.kernel;
		const bool inside = there && k < taps && sy >= 0 && sy < a.x.h && sx >= 0 && sx < a.x.w;
		copy_async8(shared + tap_place(threadIdx.x, k), at<bf16>(a.x, ((long long)n * a.x.h + sy) * a.x.w + sx), inside);
	}
	bf16 *b = shared + T::BM * T::BK;
	for (int i = threadIdx.x; i < T::BN * (IMAGE_TERMS / TAP); i += T::THREADS) {
		const int k = i % (IMAGE_TERMS / TAP), m = i / (IMAGE_TERMS / TAP);
		copy_async8(b + tap_place(m, k), a.w + ((long long)(first + m) * taps + k) * TAP, k < taps && first + m < a.y.c);
	}
	commit_copies();
	wait_copies<0>();
	__syncthreads();
	const Warps<T> warps;
	Sums<T> sums;
	sums.zero();
	multiply<T, false, false>(sums, shared, b, warps, IMAGE_TERMS);
	__syncthreads();
	const Finish f = finish_group(a, tile, false);
	finish<T>(sums, shared, place, first, f, warps);
	finish_product<T>(a, shared);
}

// Shapes, as conv16_tiles.go lists them.
using Image128x64 = MatrixTile<128, 64, 4, 1, 1, 64, 1>;
using Image128x32 = MatrixTile<128, 32, 4, 1, 1, 64, 1>;
using Image128x16 = MatrixTile<128, 16, 4, 1, 1, 64, 1>;

KERNEL(conv16_image_128x64, ImageArgs, Image128x64::THREADS) { image<Image128x64>(a); }
KERNEL(conv16_image_128x32, ImageArgs, Image128x32::THREADS) { image<Image128x32>(a); }
KERNEL(conv16_image_128x16, ImageArgs, Image128x16::THREADS) { image<Image128x16>(a); }
