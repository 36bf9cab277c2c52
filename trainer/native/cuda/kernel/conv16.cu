// Convolutions in bf16 on tensor cores: the product and the gradient of the input, as implicit products of matrices.
//
// Rows are the pixels that are written, columns their lanes, terms are (tap, lane) of the window that is read: eight lanes
// of a tap, 16 bytes, are a group, and groups follow each other as the weights do, so that no term is wasted on a border
// between taps. A thread copies one group of several rows a stage, zeros where the tap falls outside the image.
//
// The gradient of an input of stride 2 is four products, one for each parity of the pixel (y, x): pixels of one parity are
// reached by the same 1, 2, 2 or 4 taps, so that 9 taps serve four pixels, where a gather by every tap would multiply
// three zeros in four.
#include "conv16.cuh"

struct GatherArgs {
	View x, y;      // read; written
	const bf16 *w;  // [lanes of the product][kernel * kernel][lanes of the input]
	const float *bias;
	float *partial; // [tiles][2][y.c]
	int kernel, stride;
	int columns; // tiles side by side
	int add;
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
				base[i] = (((int)n * a.x.h + y * scale) * a.x.w + x * scale) * (a.x.stride / 8);
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
				const int weight = (t.wy + i * t.wstep) * a.kernel + t.wx + j * t.wstep, lane = term - tap * a.x.c;
				copy_async(b + swizzled<GB>(k, n), a.w + ((long long)(lane * a.kernel * a.kernel + weight) * a.y.c + first + n * 8),
				           term < groups.all * 8 && first + n * 8 < a.y.c);
			}
		} else {
#pragma unroll
			for (int n = threadIdx.x / G; n < T::BN; n += APART)
				copy_async(b + swizzled<G>(n, g), a.w + ((long long)(first + n) * groups.all + group) * 8, there && first + n < a.y.c);
		}
	}
};

template <class T, bool BACK> __device__ __forceinline__ void gather(const GatherArgs &a) {
	DYNAMIC_SHARED(bf16, shared);
	SHARED(int, place, T::BM);
	const Taps t(a, BACK, 3 - blockIdx.y); // the parity with most taps first
	const Groups groups(a.x.c, t.ny * t.nx);
	const int column = blockIdx.x % a.columns, tile = blockIdx.x / a.columns, first = column * T::BN;
	const Reader<T, BACK> reader(a, t, (long long)tile * T::BM, place);
	const Warps<T> warps;
	Sums<T> sums;
	sums.zero();
	const int steps = (groups.all * 8 + T::BK - 1) / T::BK;
#pragma unroll
	for (int s = 0; s < T::STAGES - 1; s++) {
		if (s < steps)
			reader.load(shared + s * T::STAGE, a, t, groups, first, s);
		commit_copies();
	}
	for (int s = 0; s < steps; s++) {
		wait_copies<T::STAGES - 2>();
		__syncthreads();
		const int next = s + T::STAGES - 1;
		if (next < steps)
			reader.load(shared + next % T::STAGES * T::STAGE, a, t, groups, first, next);
		commit_copies();
		const bf16 *stage = shared + s % T::STAGES * T::STAGE;
		multiply<T, false, BACK>(sums, stage, stage + T::BM * T::BK, warps, groups.all * 8 - s * T::BK);
	}
	wait_copies<0>();
	__syncthreads();
	const Finish f = {a.y, a.bias, a.partial ? a.partial + (long long)tile * 2 * a.y.c : nullptr, a.add};
	finish<T>(sums, shared, place, first, f, warps);
}

// Shapes, as conv16_tiles.go lists them.
using Tile128x128 = MatrixTile<128, 128, 2, 4, 1, 32, 4>;
using Tile128x64 = MatrixTile<128, 64, 2, 2, 1, 32, 4>;
using Tile64x64 = MatrixTile<64, 64, 2, 2, 1, 32, 4>;
using Tile128x32 = MatrixTile<128, 32, 4, 1, 1, 32, 4>;
using Tile64x32 = MatrixTile<64, 32, 2, 1, 2, 64, 4>;
using Tile128x16 = MatrixTile<128, 16, 4, 1, 1, 32, 4>;
using Tile32x32 = MatrixTile<32, 32, 1, 1, 4, 64, 5>;
using Tile32x16 = MatrixTile<32, 16, 1, 1, 4, 64, 5>;

#define GATHER(shape)                                                                                              \
	KERNEL(conv16_forward_##shape, GatherArgs, Tile##shape::THREADS) { gather<Tile##shape, false>(a); } \
	KERNEL(conv16_back_##shape, GatherArgs, Tile##shape::THREADS) { gather<Tile##shape, true>(a); }

GATHER(128x128)
GATHER(128x64)
GATHER(64x64)
GATHER(128x32)
GATHER(64x32)
GATHER(128x16)
GATHER(32x32)
GATHER(32x16)
