// What the kernels of augmentation share: recipes as recipe.go writes them, and how their pictures are read. All of it follows
// package augment to the bit, which renders the same recipes on the CPU: products are rounded before they are added.
#pragma once

#include "port.cuh"

namespace augment {

constexpr int PARTS = 12, CHANGES = 20, COUNTS = 3 * 256;

// A rectangle of a picture of the data set, and where its corner lies on the stage.
struct Part {
	int image, from_x, from_y, x, y, w, h;
};

struct Layer {
	double view[9];      // from the layer to its stage
	int stage, seen;     // side; whether through the view
	int parts, all;      // below mirrored polygons, and with those above them
	int polygons, first; // number; where the first one begins in the pool
	Part part[PARTS];
};

// A polygon in the pool: the number of its corners, its left, top, right and bottom, then x and y of each corner.
constexpr int POLYGON_HEAD = 5;

enum Kind { NONE, BRIGHTNESS, CONTRAST, SATURATION, SHARPNESS, POSTERIZE, SOLARIZE, AUTO_CONTRAST, EQUALIZE, INVERT, PROJECT };

struct Change {
	double view[9];
	int kind, level;
	float gain;
	int pad_;
};

enum Mode { PLAIN, LINEAR, EXACT };

struct Recipe {
	double weight; // of the first of two layers
	float matrix[9], scale[3];
	int layers, changes, mode;
	int flip_lr, flip_ud;
	int pad_;
	Layer layer[2];
	Change change[CHANGES];
};

// A colour is red + 256 green + 65536 blue.
constexpr uint32_t GREY = 114 * 0x010101u;

__device__ __forceinline__ int channel(uint32_t colour, int c) { return (int)(colour >> 8 * c & 255); }

// Products that the compiler does not fuse with a sum.
__device__ __forceinline__ double times(double a, double b) {
#ifdef __CUDACC__
	return __dmul_rn(a, b);
#else
	return a * b;
#endif
}

__device__ __forceinline__ float times(float a, float b) {
#ifdef __CUDACC__
	return __fmul_rn(a, b);
#else
	return a * b;
#endif
}

// The pixels of a row of n whose centres lie before and after v, 0 <= v < n, and the share of the second one.
__device__ __forceinline__ void between(double v, int n, int &first, int &second, double &share) {
	v -= .5;
	if (v < 0) {
		first = second = 0;
		share = v + 1;
		return;
	}
	first = (int)v;
	second = min(first + 1, n - 1);
	share = v - first;
}

// The colour at x, y of a square picture, by bilinear interpolation; read(x, y) is a pixel of it.
template <class Read> __device__ uint32_t bilinear(double x, double y, int side, Read read) {
	int x0, x1, y0, y1;
	double dx, dy;
	between(x, side, x0, x1, dx);
	between(y, side, y0, y1, dy);
	const uint32_t ul = read(x0, y0), ur = read(x1, y0), ll = read(x0, y1), lr = read(x1, y1);
	uint32_t colour = 0;
#pragma unroll
	for (int c = 0; c < 3; c++) {
		const double u = channel(ul, c) + times((double)(channel(ur, c) - channel(ul, c)), dx);
		const double l = channel(ll, c) + times((double)(channel(lr, c) - channel(ll, c)), dx);
		colour |= (uint32_t)(int)(u + times(l - u, dy)) << 8 * c;
	}
	return colour;
}

// The colour of pixel x, y of a picture that shows another one through a projection to it. Outside of that is grey.
template <class Read> __device__ uint32_t through(const double (&view)[9], int x, int y, int side, Read read) {
	const double fx = x + .5, fy = y + .5;
	double u = times(view[0], fx) + times(view[1], fy) + view[2], v = times(view[3], fx) + times(view[4], fy) + view[5];
	if (view[6] != 0 || view[7] != 0 || view[8] != 1) {
		const double d = times(view[6], fx) + times(view[7], fy) + view[8];
		if (d < 1e-6)
			return GREY;
		u /= d;
		v /= d;
	}
	if (!(u >= 0 && u < side && v >= 0 && v < side))
		return GREY;
	return bilinear(u, v, side, read);
}

} // namespace augment
