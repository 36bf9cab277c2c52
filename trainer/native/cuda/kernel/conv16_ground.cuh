// Where the pixels of a tile, and those around it that nine taps read, lie in images and in shared memory. A tile is 16 pixels
// wide in one image, or, where that would reach beyond most images, a run of pixels through lines and images. Where a tap
// falls outside the image, a row of zeros is read instead.
#pragma once

#include "conv16.cuh"

constexpr int WIDE = 16, DEEP = 16; // pixels of a tile's line; lanes that are in shared memory at a time
constexpr int MOST_AROUND = 352; // pixels that a tile reads

struct Lay {
	int across, down; // tiles in an image; 0: tiles are runs of pixels
	int pitch;        // in shared memory, pixels from line to line
	int around;       // pixels that a tile reads
};

// Site is where a row of the tile lies.
struct Site {
	int n, y, x, centre; // image and pixel; place in shared memory
	bool there;

	// inside has a bit for each tap that falls into the image; taps are mirrored where `back`.
	__device__ __forceinline__ int inside(const View &v, bool back) const {
		int bits = 0;
#pragma unroll
		for (int tap = 0; tap < 9; tap++) {
			const int sy = y + (back ? 1 - tap / 3 : tap / 3 - 1), sx = x + (back ? 1 - tap % 3 : tap % 3 - 1);
			bits |= (int)(there && sy >= 0 && sy < v.h && sx >= 0 && sx < v.w) << tap;
		}
		return bits;
	}
};

// Ground is a tile of BM of the pixels of a window.
template <int BM> struct Ground {
	Lay lay;
	int images, h, w, n, y, x; // n, y, x: of the first pixel of a tile in one image
	long long first;           // of a run

	__device__ __forceinline__ Ground(const Lay &lay, const View &v, int tile) : lay(lay), images(v.n), h(v.h), w(v.w), n(0), y(0), x(0), first(0) {
		if (lay.across) {
			x = tile % lay.across * WIDE;
			y = tile / lay.across % lay.down * (BM / WIDE);
			n = tile / lay.across / lay.down;
		} else
			first = (long long)tile * BM;
	}

	__device__ __forceinline__ Site site(int row) const {
		Site s;
		if (lay.across) {
			const int dy = row / WIDE, dx = row % WIDE;
			s.n = n;
			s.y = y + dy;
			s.x = x + dx;
			s.centre = (dy + 1) * lay.pitch + dx + 1;
			s.there = s.y < h && s.x < w;
			return s;
		}
		const unsigned p = (unsigned)(first + row), line = p / (unsigned)w;
		s.n = (int)(line / (unsigned)h);
		s.y = (int)(line - (unsigned)s.n * h);
		s.x = (int)(p - line * w);
		s.centre = row + lay.pitch + 1;
		s.there = s.n < images;
		return s;
	}

	// target is the pixel of a row, -1 where there is none.
	__device__ __forceinline__ int target(int row) const {
		if (lay.across) {
			const int sy = y + row / WIDE, sx = x + row % WIDE;
			return sy < h && sx < w ? (n * h + sy) * w + sx : -1;
		}
		const long long p = first + row;
		return p < (long long)images * h * w ? (int)p : -1;
	}

	// source is the pixel that belongs at a place in shared memory, -1 where there is none.
	__device__ __forceinline__ int source(int place) const {
		if (lay.across) {
			const int sy = y - 1 + place / lay.pitch, sx = x - 1 + place % lay.pitch;
			return sy >= 0 && sy < h && sx >= 0 && sx < w ? (n * h + sy) * w + sx : -1;
		}
		const long long p = first - lay.pitch - 1 + place;
		return p >= 0 && p < (long long)images * h * w ? (int)p : -1;
	}
};
