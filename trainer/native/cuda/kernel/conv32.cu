// Convolutions and the gradients of their inputs in FP32 arithmetic, as products of matrices that are gathered on the way
// (implicit GEMM): rows are pixels of the result, columns its lanes, terms the taps times the lanes of what is gathered.
#include "statistics.cuh"
#include "tile.cuh"

struct ConvArgs {
	View from, to;     // what is gathered, and the result, of the first group; to.c and from.c are the lanes of a group
	const float *w;    // [group][out lane][tap][in lane] of the convolution
	const float *bias; // [lanes], or none
	float *partial;    // [tile of rows][2][lanes], or none
	int kernel, stride;
	int add;   // to +=
	int lanes; // of the results of all groups
};

struct ForwardArgs {
	ConvArgs conv;
	Statistics statistics;
};

__device__ __forceinline__ const ConvArgs &conv_of(const ConvArgs &a) { return a; }
__device__ __forceinline__ const ConvArgs &conv_of(const ForwardArgs &a) { return a.conv; }

// The arguments of one group.
__device__ __forceinline__ ConvArgs conv_group(ConvArgs a, int group) {
	a.from = group_of<float>(a.from, group);
	a.to = group_of<float>(a.to, group);
	a.w += (long long)group * a.to.c * a.kernel * a.kernel * a.from.c;
	a.bias = a.bias ? a.bias + group * a.to.c : nullptr;
	a.partial = a.partial ? a.partial + group * a.to.c : nullptr;
	return a;
}

// Forward gathers inputs; Image too, where a pixel has 4 lanes, so that 4 taps make up TERMS; Back gathers gradients of products.
enum Mode { Forward, Image, Back };

// Axis says, for one of y and x, which rows of the result a block makes and what they read: result i * step + first reads, at
// its tap t of taps, i * from_step + shift + t * move, with row tap_first + t * tap_step of the kernel.
struct Axis {
	int first, step, from_step, shift, move, taps, tap_first, tap_step;

	__device__ __forceinline__ int count(int size) const { return (size - first + step - 1) / step; }
};

// With stride 2 a row of the input's gradient receives from one row of the kernel where it is even, the middle, and from two,
// 0 and 2, where it is odd: a block makes rows of one parity, so that all its pixels have the same taps.
template <Mode mode> __device__ __forceinline__ Axis axis(int kernel, int stride, int parity) {
	if (mode != Back)
		return {0, 1, stride, -(kernel / 2), 1, kernel, 0, 1};
	if (stride == 1)
		return {0, 1, 1, kernel / 2, -1, kernel, 0, 1};
	if (parity == 0)
		return {0, 2, 1, 0, -1, 1, 1, 0};
	return {1, 2, 1, 1, -1, 2, 0, 2};
}

// Source is the pixel that a thread gathers for, and where in the sum the block is.
template <Mode mode> struct Source {
	Axis y, x;
	int image, row, column; // of the pixel: its index, and the first source row and column; image < 0: no pixel
	int ty, tx, lane;       // tap and first lane of the next TERMS

	__device__ __forceinline__ void place(long long pixel, long long all, int h, int w) {
		image = pixel < all ? (int)(pixel / ((long long)h * w)) : -1;
		const int rest = (int)(pixel - (long long)image * h * w);
		row = rest / w * y.from_step + y.shift;
		column = rest % w * x.from_step + x.shift;
		ty = tx = lane = 0;
	}

	// The source at a tap, or null where it lies outside.
	__device__ __forceinline__ const float *at_tap(const View &v, int u, int t) const {
		const int sy = row + u * y.move, sx = column + t * x.move;
		if (image < 0 || sy < 0 || sy >= v.h || sx < 0 || sx >= v.w)
			return nullptr;
		return at<float>(v, ((long long)image * v.h + sy) * v.w + sx);
	}

	// Reads n of the TERMS terms of the pixel from the one numbered k on.
	template <int n> __device__ __forceinline__ void read(const View &v, int k, float *to) const {
#pragma unroll
		for (int i = 0; i < n; i += 4) {
			const float *p;
			if (mode == Image) {
				const int tap = lane / 4 + (k + i) / 4, u = tap / x.taps;
				p = u < y.taps ? at_tap(v, u, tap % x.taps) : nullptr;
			} else {
				p = at_tap(v, ty, tx);
				p = p ? p + lane + k + i : p;
			}
			if (p)
				load4(p, to + i);
			else
				zero4(to + i);
		}
	}

	__device__ __forceinline__ void next(int lanes) {
		lane += TERMS;
		if (mode == Image || lane < lanes)
			return;
		lane = 0;
		if (++tx == x.taps) {
			tx = 0;
			ty++;
		}
	}

	__device__ __forceinline__ int tap(int kernel) const { return (y.tap_first + ty * y.tap_step) * kernel + x.tap_first + tx * x.tap_step; }
};

// Weights are the columns' operand: quads of 4 terms of one column (forward) or of 4 columns of one term (back), `count` a thread.
template <class Tile, Mode mode> struct Weights {
	static constexpr int count = Tile::BN * 4 > Tile::threads ? Tile::BN * 4 / Tile::threads : 1;
	float v[count][4];

	static __device__ __forceinline__ bool place(int thread, int i, int *column, int *term) {
		if (mode == Back) {
			const int q = thread + i * Tile::threads;
			*column = q % (Tile::BN / 4) * 4;
			*term = q / (Tile::BN / 4);
		} else {
			*column = thread % Tile::BN;
			*term = (thread / Tile::BN * count + i) * 4;
		}
		return *term < TERMS;
	}

	// Lane and tap are those of the first term; columns begin at n0, and lanes are the gathered window's.
	__device__ __forceinline__ void read(const ConvArgs &a, int thread, int n0, int tap, int lane) {
		const int taps = a.kernel * a.kernel;
#pragma unroll
		for (int i = 0; i < count; i++) {
			int column, term;
			zero4(v[i]);
			if (!place(thread, i, &column, &term) || n0 + column >= a.to.c)
				continue;
			const long long n = n0 + column;
			if (mode == Back)
				load4(a.w + ((long long)(lane + term) * taps + tap) * a.to.c + n, v[i]);
			else if (mode == Forward)
				load4(a.w + (n * taps + tap) * a.from.c + lane + term, v[i]);
			else if (lane + term < taps * 4)
				load4(a.w + n * taps * 4 + lane + term, v[i]);
		}
	}

	__device__ __forceinline__ void write(int thread, float *b) const {
#pragma unroll
		for (int i = 0; i < count; i++) {
			int column, term;
			if (!place(thread, i, &column, &term))
				continue;
			if (mode == Back)
				store4(b + term * Tile::BN + column, v[i]);
			else
#pragma unroll
				for (int j = 0; j < 4; j++)
					b[(term + j) * Tile::BN + column] = v[i][j];
		}
	}
};

// Sums over the tile's rows of the results and of their squares: threads hold those of their rows, room is for [down][BN] twice.
template <class Tile> __device__ __forceinline__ void write_partial(const ConvArgs &a, int thread, int n0, float *room, const float *sum, const float *square) {
	float *const squares = room + Tile::down * Tile::BN;
	__syncthreads();
#pragma unroll
	for (int j = 0; j < Tile::TN; j++) {
		const int i = thread / Tile::across * Tile::BN + Tile::column(thread, j);
		room[i] = sum[j];
		squares[i] = square[j];
	}
	__syncthreads();
	for (int i = thread; i < 2 * Tile::BN; i += Tile::threads) {
		const int column = i % Tile::BN;
		const float *from = i < Tile::BN ? room : squares;
		float s = 0;
		for (int d = 0; d < Tile::down; d++)
			s += from[d * Tile::BN + column];
		if (n0 + column < a.to.c)
			a.partial[((long long)blockIdx.x * 2 + i / Tile::BN) * a.lanes + n0 + column] = s;
	}
}

// Results writes the tile's sums where they belong.
template <class Tile> __device__ __forceinline__ void write_results(const ConvArgs &a, Tile &tile, const Axis &y, const Axis &x, long long m0, int n0, int thread, float *room) {
	const int h = y.count(a.to.h), w = x.count(a.to.w);
	const long long all = (long long)a.to.n * h * w;
	float sum[Tile::TN] = {}, square[Tile::TN] = {};
#pragma unroll
	for (int i = 0; i < Tile::TM; i++) {
		const long long m = m0 + Tile::row(thread, i);
		if (m >= all)
			continue;
		const int image = (int)(m / ((long long)h * w)), rest = (int)(m - (long long)image * h * w);
		float *const pixel = at<float>(a.to, ((long long)image * a.to.h + rest / w * y.step + y.first) * a.to.w + rest % w * x.step + x.first);
#pragma unroll
		for (int j = 0; j < Tile::TN; j += 4) {
			const int n = n0 + Tile::column(thread, j);
			if (n >= a.to.c)
				continue;
			float *const v = tile.sum[i] + j;
			float more[4];
			zero4(more);
			if (a.add)
				load4(pixel + n, more);
			if (a.bias)
				load4(a.bias + n, more);
#pragma unroll
			for (int k = 0; k < 4; k++) {
				v[k] += more[k];
				sum[j + k] += v[k];
				square[j + k] += v[k] * v[k];
			}
			store4(pixel + n, v);
		}
	}
	if (a.partial)
		write_partial<Tile>(a, thread, n0, room, sum, square);
}

// finish_tiles has the block that is the last of its lanes make the statistics of all tiles. It is called, not copied.
template <int THREADS> __device__ OUT_OF_LINE void finish_tiles(const ForwardArgs &a, int width, double *room) {
	const int first = blockIdx.y * width, lanes = a.conv.to.c;
	finish_statistics<THREADS>(a.statistics, a.conv.partial, blockIdx.x, blockIdx.z * gridDim.y + blockIdx.y, blockIdx.z * lanes + first, width, lanes - first, room);
}

// finish_product follows a product.
template <class Tile> __device__ __forceinline__ void finish_product(const ForwardArgs &a, double *room) {
	static_assert(TERMS * Tile::BM * sizeof(float) >= Tile::threads * sizeof(double) && Tile::threads >= Tile::BN, "room for the sums of tiles");
	if (a.statistics.arrivals.count)
		finish_tiles<Tile::threads>(a, Tile::BN, room);
}

template <class Tile> __device__ __forceinline__ void finish_product(const ConvArgs &, double *) {}

// The grid is tiles of rows, tiles of columns, and groups, of which Back with stride 2 has the 4 parities of y and x in turn.
template <Mode mode, class Tile, class Args> __device__ void convolve(const Args &args) {
	const ConvArgs &all_groups = conv_of(args);
	constexpr int reads = TERMS * Tile::BM / Tile::threads;
	SHARED(float, rows, 2 * TERMS * Tile::BM);
	SHARED(float, columns, 2 * TERMS * Tile::BN);
	static_assert(2 * TERMS * Tile::BM >= 2 * Tile::down * Tile::BN, "room for the sums");
	const int thread = threadIdx.x, parities = mode == Back ? all_groups.stride * all_groups.stride : 1, parity = blockIdx.z % parities;
	const ConvArgs a = conv_group(all_groups, blockIdx.z / parities);
	const int pixel = thread % Tile::BM, term = thread / Tile::BM * reads;
	Source<mode> source;
	source.y = axis<mode>(a.kernel, a.stride, parity >> 1);
	source.x = axis<mode>(a.kernel, a.stride, parity & 1);
	const int h = source.y.count(a.to.h), w = source.x.count(a.to.w), n0 = blockIdx.y * Tile::BN;
	const long long all = (long long)a.to.n * h * w, m0 = (long long)blockIdx.x * Tile::BM;
	if (m0 >= all)
		return;
	source.place(m0 + pixel, all, h, w);

	Tile tile;
	tile.clear();
	const int taps = source.y.taps * source.x.taps;
	const int rounds = (taps * a.from.c + TERMS - 1) / TERMS;
	float v[reads];
	Weights<Tile, mode> weights;
	for (int r = 0; r <= rounds; r++) {
		if (r < rounds) {
			source.template read<reads>(a.from, term, v);
			weights.read(a, thread, n0, source.tap(a.kernel), source.lane);
			source.next(a.from.c);
		}
		if (r > 0) // the round before, while this one's values are on their way
			tile.add(thread, rows + (r - 1) % 2 * TERMS * Tile::BM, columns + (r - 1) % 2 * TERMS * Tile::BN);
		if (r < rounds) {
			float *const to = rows + r % 2 * TERMS * Tile::BM + term * Tile::BM + pixel;
#pragma unroll
			for (int k = 0; k < reads; k++)
				to[k * Tile::BM] = v[k];
			weights.write(thread, columns + r % 2 * TERMS * Tile::BN);
			__syncthreads();
		}
	}
	write_results(a, tile, source.y, source.x, m0, n0, thread, rows);
	finish_product<Tile>(args, reinterpret_cast<double *>(rows));
}

#define CONV(mode, Args, name, BM, BN, TM, TN) \
	KERNEL(name##_##BM##x##BN, Args, BM / TM * (BN / TN)) { convolve<mode, ThreadTile<BM, BN, TM, TN>>(a); }

#define CONV_TILES(mode, Args, name)      \
	CONV(mode, Args, name, 128, 64, 8, 8) \
	CONV(mode, Args, name, 64, 64, 8, 4)  \
	CONV(mode, Args, name, 128, 32, 8, 4) \
	CONV(mode, Args, name, 32, 32, 4, 4)  \
	CONV(mode, Args, name, 128, 16, 4, 4) \
	CONV(mode, Args, name, 64, 16, 4, 4)

CONV_TILES(Forward, ForwardArgs, conv32_forward)
CONV_TILES(Back, ConvArgs, conv32_back)
CONV(Image, ForwardArgs, conv32_image, 128, 32, 8, 4)
CONV(Image, ForwardArgs, conv32_image, 128, 16, 4, 4)
