// Maxima and means over windows of pixels. What lies outside the image does not count.
#include "share.cuh"

struct PoolArgs {
	View x, y;      // larger and smaller, or their gradients
	uint8_t *index; // [pixels of y][c]: kernel * row + column of the maximum in the window, the first of equals; may be null forward
	int kernel, stride, add, pad_;
};

// y = the maximum over kernel x kernel pixels around every stride-th. A NaN wins over everything, and the last of several, as in
// PyTorch and on the CPU: a network that has diverged must not look sound.
template <class T> __device__ void pool(const PoolArgs &a) {
	const Share s = share_of(a.y);
	const long long all = pixels(a.y);
	for (long long p = s.pixel; p < all; p += s.step) {
		const Place to = place_of(a.y, p);
		const int top = to.y * a.stride - a.kernel / 2, left = to.x * a.stride - a.kernel / 2;
		float best[8];
		int where[8];
#pragma unroll
		for (int k = 0; k < 8; k++) {
			best[k] = __int_as_float(0xff800000);
			where[k] = a.kernel * a.kernel / 2; // the centre, should nothing be larger than -Inf
		}
		for (int i = max(0, -top); i < a.kernel && top + i < a.x.h; i++)
			for (int j = max(0, -left); j < a.kernel && left + j < a.x.w; j++) {
				float v[8];
				load8(at<T>(a.x, pixel_at(a.x, to.n, top + i, left + j)) + s.lane, v);
#pragma unroll
				for (int k = 0; k < 8; k++)
					if (v[k] > best[k] || v[k] != v[k]) {
						best[k] = v[k];
						where[k] = i * a.kernel + j;
					}
			}
		store8(at<T>(a.y, p) + s.lane, best);
		if (a.index) {
			unsigned long long packed = 0;
#pragma unroll
			for (int k = 0; k < 8; k++)
				packed |= (unsigned long long)where[k] << 8 * k;
			*reinterpret_cast<unsigned long long *>(a.index + p * a.y.c + s.lane) = packed;
		}
	}
}

FLAT_KERNEL(pool_f32, PoolArgs, 256) { pool<float>(a); }
FLAT_KERNEL(pool_bf16, PoolArgs, 256) { pool<bf16>(a); }

// dx: each pixel collects from the windows that it is in, in row order, where it was the maximum.
template <class T> __device__ void pool_grad(const PoolArgs &a) {
	const Share s = share_of(a.x);
	const long long all = pixels(a.x);
	const int half = a.kernel / 2;
	for (long long p = s.pixel; p < all; p += s.step) {
		const Place to = place_of(a.x, p);
		float sum[8] = {};
		if (a.add)
			load8(at<T>(a.x, p) + s.lane, sum);
		// Windows whose centre, stride times their place, is at most half away.
		const int top = max(0, to.y - half + a.stride - 1) / a.stride, bottom = min(a.y.h - 1, (to.y + half) / a.stride);
		const int left = max(0, to.x - half + a.stride - 1) / a.stride, right = min(a.y.w - 1, (to.x + half) / a.stride);
		for (int y = top; y <= bottom; y++)
			for (int x = left; x <= right; x++) {
				const long long from = pixel_at(a.y, to.n, y, x);
				const unsigned long long here = (to.y - y * a.stride + half) * a.kernel + to.x - x * a.stride + half;
				const unsigned long long differs = *reinterpret_cast<const unsigned long long *>(a.index + from * a.y.c + s.lane) ^ here * 0x0101010101010101ull;
				if (((differs - 0x0101010101010101ull) & ~differs & 0x8080808080808080ull) == 0)
					continue; // no byte is 0
				float v[8];
				load8(at<T>(a.y, from) + s.lane, v);
#pragma unroll
				for (int k = 0; k < 8; k++)
					sum[k] += (differs >> 8 * k & 0xff) == 0 ? v[k] : 0;
			}
		store8(at<T>(a.x, p) + s.lane, sum);
	}
}

FLAT_KERNEL(pool_grad_f32, PoolArgs, 256) { pool_grad<float>(a); }
FLAT_KERNEL(pool_grad_bf16, PoolArgs, 256) { pool_grad<bf16>(a); }

struct MeanArgs {
	View x, y; // y is smaller by one each way
	int add, pad_;
};

// y = the mean of the 2x2 pixels that begin at each.
template <class T> __device__ void mean2x2(const MeanArgs &a) {
	const Share s = share_of(a.y);
	const long long all = pixels(a.y);
	for (long long p = s.pixel; p < all; p += s.step) {
		const Place to = place_of(a.y, p);
		const T *from = at<T>(a.x, pixel_at(a.x, to.n, to.y, to.x)) + s.lane;
		float v[4][8];
#pragma unroll
		for (int i = 0; i < 4; i++)
			load8(from + ((long long)(i / 2) * a.x.w + i % 2) * a.x.stride, v[i]);
#pragma unroll
		for (int k = 0; k < 8; k++)
			v[0][k] = ((v[0][k] + v[1][k]) + (v[2][k] + v[3][k])) * 0.25f;
		store8(at<T>(a.y, p) + s.lane, v[0]);
	}
}

FLAT_KERNEL(mean2x2_f32, MeanArgs, 256) { mean2x2<float>(a); }
FLAT_KERNEL(mean2x2_bf16, MeanArgs, 256) { mean2x2<bf16>(a); }

// dx: each pixel is in up to four of those.
template <class T> __device__ void mean2x2_grad(const MeanArgs &a) {
	const Share s = share_of(a.x);
	const long long all = pixels(a.x);
	for (long long p = s.pixel; p < all; p += s.step) {
		const Place to = place_of(a.x, p);
		float v[4][8] = {};
#pragma unroll
		for (int i = 0; i < 4; i++) {
			const int y = to.y - 1 + i / 2, x = to.x - 1 + i % 2;
			if (y >= 0 && x >= 0 && y < a.y.h && x < a.y.w)
				load8(at<T>(a.y, pixel_at(a.y, to.n, y, x)) + s.lane, v[i]);
		}
		float old[8] = {};
		if (a.add)
			load8(at<T>(a.x, p) + s.lane, old);
#pragma unroll
		for (int k = 0; k < 8; k++)
			old[k] += ((v[0][k] + v[1][k]) + (v[2][k] + v[3][k])) * 0.25f;
		store8(at<T>(a.x, p) + s.lane, old);
	}
}

FLAT_KERNEL(mean2x2_grad_f32, MeanArgs, 256) { mean2x2_grad<float>(a); }
FLAT_KERNEL(mean2x2_grad_bf16, MeanArgs, 256) { mean2x2_grad<bf16>(a); }
