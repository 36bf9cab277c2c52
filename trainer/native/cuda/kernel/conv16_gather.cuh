// What gathered bf16 convolutions copy to shared memory: pixels as rows, and the weights that go with them. See conv16.cu.
#pragma once

#include "conv16.cuh"

struct GatherArgs {
	View x, y;      // read; written; of the first group
	const bf16 *w;  // [groups][lanes of the product][kernel * kernel][lanes of the input]
	const float *bias;
	float *partial; // [tiles][2][lanes]
	int kernel, stride;
	int columns; // tiles side by side
	int add;
	int lanes; // written of a pixel, of all groups
	int pad_;
	Statistics statistics;
};

// Taps are ny x nx displacements of what a pixel reads, and the weights that belong to them: tap (i, j) reads pixel
// (y + y0 + i step, x + x0 + j step) with weights (wy + i wstep, wx + j wstep).
struct Taps {
	int ny, nx, y0, x0, step, wy, wx, wstep;
	int times, py, px; // of the pixels written: q times + parity

	__device__ __forceinline__ Taps(const GatherArgs &a, bool back, int parity) {
		ny = nx = a.kernel;
		step = back ? -1 : 1;
		y0 = x0 = -step * (a.kernel / 2);
		wy = wx = 0;
		wstep = times = 1;
		py = px = 0;
		if (back && a.stride == 2) {
			py = parity >> 1;
			px = parity & 1;
			ny = 1 + py;
			nx = 1 + px;
			y0 = py;
			x0 = px;
			wy = 1 - py;
			wx = 1 - px;
			wstep = times = 2;
		}
	}
};

// Groups says which tap and lanes a group is, for windows of up to 2720 lanes.
struct Groups {
	int each, all, magic;
	__device__ __forceinline__ Groups(int lanes, int taps) : each(lanes / 8), all(lanes / 8 * taps), magic(((1 << 20) + lanes / 8 - 1) / (lanes / 8)) {}
	__device__ __forceinline__ int tap(int group) const { return (int)((unsigned)group * (unsigned)magic >> 20); }
};

// Rows of a tile that a thread copies: where each row's pixel reads without displacement, in groups, and which taps of it
// lie inside the image.
template <class T, bool BACK> struct Reader {
	static constexpr int G = T::BK / 8, ROWS = T::BM * G / T::THREADS, APART = T::THREADS / G;
	static constexpr int GB = T::BN / 8;
	static_assert(ROWS * APART == T::BM, "every thread copies as many rows");

	int base[ROWS], inside[ROWS];

	__device__ __forceinline__ Reader(const GatherArgs &a, const Taps &t, long long row0, int *place) {
		const int h = (a.y.h - t.py + t.times - 1) / t.times, w = (a.y.w - t.px + t.times - 1) / t.times;
		const long long rows = (long long)a.y.n * h * w;
		const int scale = BACK ? 1 : a.stride;
#pragma unroll
		for (int i = 0; i < ROWS; i++) {
			const int r = threadIdx.x / G + i * APART;
			const long long p = row0 + r;
			base[i] = inside[i] = 0;
			int to = -1;
			if (p < rows) {
				const unsigned line = (unsigned)p / (unsigned)w, n = line / (unsigned)h;
				const int x = (int)((unsigned)p - line * w), y = (int)(line - n * h);
				to = ((int)n * a.y.h + y * t.times + t.py) * a.y.w + x * t.times + t.px;
				base[i] = (((int)n * a.x.h + y * scale) * a.x.w + x * scale) * (a.x.stride / 8) + blockIdx.z * (a.x.c / 8);
				for (int k = 0; k < t.ny * t.nx; k++) {
					const int sy = y * scale + t.y0 + k / t.nx * t.step, sx = x * scale + t.x0 + k % t.nx * t.step;
					inside[i] |= (int)(sy >= 0 && sy < a.x.h && sx >= 0 && sx < a.x.w) << k;
				}
			}
			if (threadIdx.x % G == 0)
				place[r] = to;
		}
	}

	// load starts the copies of a stage: rows of pixels, and the weights that go with them, [column][term], or [term][column]
	// for the gradient of the input.
	__device__ __forceinline__ void load(bf16 *stage, const GatherArgs &a, const Taps &t, const Groups &groups, int first, int s) const {
		const int g = threadIdx.x % G, group = s * G + g;
		const int tap = groups.tap(group), i = tap / t.nx, j = tap - i * t.nx;
		const int away = ((t.y0 + i * t.step) * a.x.w + t.x0 + j * t.step) * (a.x.stride / 8) + group - tap * groups.each;
		const bool there = group < groups.all;
		const bf16 *x = reinterpret_cast<const bf16 *>(a.x.p);
#pragma unroll
		for (int k = 0; k < ROWS; k++)
			copy_async_near(stage + swizzled<G>(threadIdx.x / G + k * APART, g), x + (long long)(base[k] + away) * 8, there && (inside[k] >> tap & 1));
		bf16 *b = stage + T::BM * T::BK;
		if (BACK) {
#pragma unroll
			for (int k = threadIdx.x / GB; k < T::BK; k += T::THREADS / GB) {
				const int n = threadIdx.x % GB, term = s * T::BK + k, tap = groups.tap(term / 8), i = tap / t.nx, j = tap - i * t.nx;
				const int weight = (t.wy + i * t.wstep) * a.kernel + t.wx + j * t.wstep, lane = term - tap * a.x.c + blockIdx.z * a.x.c;
				copy_async(b + T::term_place(k, n), a.w + ((long long)(lane * a.kernel * a.kernel + weight) * a.y.c + first + n * 8),
				           term < groups.all * 8 && first + n * 8 < a.y.c);
			}
		} else {
#pragma unroll
			for (int n = threadIdx.x / G; n < T::BN; n += APART)
				copy_async(b + swizzled<G>(n, g), a.w + ((long long)(blockIdx.z * a.y.c + first + n) * groups.all + group) * 8, there && first + n < a.y.c);
		}
	}
};
