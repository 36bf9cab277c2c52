// Convolutions, forward and backward, for one instruction set. Included once by each kern_*.c after simd.h.
//
// Everything rests on one register tile: M pixels of a row times NB blocks of 16 output channels are kept in registers
// while all input channels and kernel positions pass by; each step broadcasts one input value per pixel and multiplies
// it with 16*NB weights. The gradient of the input uses the same tile over turned weights (ms_turn_weights).

#define WBLOCK (MS_LANES * MS_LANES) // weights of one pair of channel blocks at one kernel position
#define INPUT_FLOATS (64 << 10)      // of an image that stay in the second cache while all output channels visit them
#define WEIGHT_AHEAD 12              // pixels by which the gradient of the weights fetches ahead

// What a tile needs beside its addresses. Strides in floats.
struct pass {
	const float *x;               // first input pixel of row 0, kernel position (0,0), first input block
	int64_t xplane, xrow, xstep;  // to the next input block; kernel row; kernel column
	int64_t xdown;                // to the next output row's input
	int icb, kh, kw;              // input blocks and kernel positions to sum over
	const uint8_t *xhalves;       // [icb] 1: the upper 8 lanes of the input block are padding; 2: they are not
	const float *w;               // [ocb][icb][kh][kw][16][16]
	float *y;                     // first output pixel
	int64_t yplane, ydown, ystep; // to the next output block, row, pixel
	int ocb, rows, width;         // output blocks, rows and pixels of a row
	const uint8_t *yhalves;       // [ocb] the same of the output blocks
	int accumulate;               // start from what y holds
	const float *bias;            // or from this, [ocb*16]; NULL: from zero
	double *sums;                 // [ocb][2][16] adds sum(y) and sum(y*y); NULL: not wanted
};

// PX: floats from an output pixel's input to its neighbour's; LANES: input lanes in use, or 0: 8 times the halves of each
// block; HALF: the last output block has 8 lanes in use, and the others are set to zero, as memory is shared. M, NB, HALF, PX and LANES are
// constants at every call, so that all loops but four unroll and acc stays in registers.
INLINE void tile(const int M, const int NB, const int HALF, const int PX, const int LANES, const struct pass *p, const float *x,
                 const float *w, float *y, const float *bias, float *sums) {
	const int N = VECTORS(NB, HALF), I = LANES ? LANES : HALF_LANES;
	vec acc[MAX_M][MAX_NB * NV];
	const int64_t wblock = (int64_t)p->icb * p->kh * p->kw * WBLOCK;
#define EACH_ACC \
	_Pragma("GCC unroll 16") for (int m = 0; m < M; m++) _Pragma("GCC unroll 16") for (int n = 0; n < N; n++)
	if (p->accumulate) {
		EACH_ACC acc[m][n] = load_part(NARROW(n, N, HALF), y + n / NV * p->yplane + m * p->ystep + n % NV * VL);
	} else if (bias) {
		EACH_ACC acc[m][n] = load_part(NARROW(n, N, HALF), bias + n * VL);
	} else {
		EACH_ACC acc[m][n] = zero_part(NARROW(n, N, HALF));
	}
	for (int ib = 0; ib < p->icb; ib++) {
		const int halves = LANES ? 1 : p->xhalves[ib];
		for (int kh = 0; kh < p->kh; kh++) {
			const float *xp = x + ib * p->xplane + kh * p->xrow;
			if (kh == p->kh - 1) // what the next tile of the row reads for the first time
				_Pragma("GCC unroll 32") for (int m = 0; m < M * PX; m += MS_LANES) __builtin_prefetch(xp + (p->kw - 1) * p->xstep + M * PX + m);
			for (int kw = 0; kw < p->kw; kw++, xp += p->xstep, w += WBLOCK)
				for (int half = 0; half < halves; half++) {
					const float *xh = xp + half * HALF_LANES, *wh = w + half * (HALF_LANES * MS_LANES);
					_Pragma("GCC unroll 16") for (int i = 0; i < I; i++) {
						vec wv[MAX_NB * NV];
						_Pragma("GCC unroll 16") for (int n = 0; n < N; n++) {
							wv[n] = load_part(NARROW(n, N, HALF), wh + n / NV * wblock + i * MS_LANES + n % NV * VL);
							PIN(wv[n]);
						}
						_Pragma("GCC unroll 16") for (int m = 0; m < M; m++) {
							vec b = splat(xh[m * PX + i]);
							if (N > 1) PIN(b); // a single use is better read from memory by the multiplication itself
							_Pragma("GCC unroll 16") for (int n = 0; n < N; n++)
								acc[m][n] = muladd_part(NARROW(n, N, HALF), b, wv[n], acc[m][n]);
						}
					}
				}
		}
	}
	EACH_ACC store_padded(NARROW(n, N, HALF), y + n / NV * p->yplane + m * p->ystep + n % NV * VL, acc[m][n]);
	for (int n = N; n < NB * NV; n++)
		for (int m = 0; m < M; m++) store(y + n / NV * p->yplane + m * p->ystep + n % NV * VL, splat(0));
	if (sums) {
		_Pragma("GCC unroll 16") for (int n = 0; n < N; n++) {
			float *to = sums + n / NV * 2 * MS_LANES + n % NV * VL;
			const int narrow = NARROW(n, N, HALF);
			vec s = load_part(narrow, to), q = load_part(narrow, to + MS_LANES);
			_Pragma("GCC unroll 16") for (int m = 0; m < M; m++) {
				s = add_part(narrow, s, acc[m][n]);
				q = muladd_part(narrow, acc[m][n], acc[m][n], q);
			}
			store_part(narrow, to, s);
			store_part(narrow, to + MS_LANES, q);
		}
	}
}

typedef void tile_fn(const struct pass *, const float *x, const float *w, float *y, const float *bias, float *sums);

// Tile sizes: TILES(F) names the pairs of M and NB that exist, HALF_TILES(F) those whose last block is half; kinds are stride
// 1, stride 2, image stride 1 and 2.
#define DEFINE(M, NB, HALF, kind, PX, LANES)                                                                                       \
	static void tile_##M##x##NB##_##HALF##_##kind(const struct pass *p, const float *x, const float *w, float *y, const float *bias, \
	                                              float *sums) {                                                                     \
		tile(M, NB, HALF, PX, LANES, p, x, w, y, bias, sums);                                                                         \
	}
#define DEFINE_BLOCKED(M, NB) DEFINE(M, NB, 0, s1, 16, 0) DEFINE(M, NB, 0, s2, 32, 0)
#define DEFINE_HALF(M, NB) DEFINE(M, NB, 1, s1, 16, 0) DEFINE(M, NB, 1, s2, 32, 0)
#define DEFINE_IMAGE(M, NB) DEFINE(M, NB, 0, i1, 4, 3) DEFINE(M, NB, 0, i2, 8, 3)
TILES(DEFINE_BLOCKED)
HALF_TILES(DEFINE_HALF)
IMAGE_TILES(DEFINE_IMAGE)

#define ENTER_S1(M, NB) [M][NB] = tile_##M##x##NB##_0_s1,
#define ENTER_S2(M, NB) [M][NB] = tile_##M##x##NB##_0_s2,
#define ENTER_H1(M, NB) [M][NB] = tile_##M##x##NB##_1_s1,
#define ENTER_H2(M, NB) [M][NB] = tile_##M##x##NB##_1_s2,
#define ENTER_I1(M, NB) [M][NB] = tile_##M##x##NB##_0_i1,
#define ENTER_I2(M, NB) [M][NB] = tile_##M##x##NB##_0_i2,
enum kind { S1, S2, I1, I2 };
typedef tile_fn *const tile_table[MAX_M + 1][MAX_NB + 1];
static tile_table tiles[4][2] = {
	[S1] = {{TILES(ENTER_S1)}, {HALF_TILES(ENTER_H1)}}, [S2] = {{TILES(ENTER_S2)}, {HALF_TILES(ENTER_H2)}},
	[I1] = {{IMAGE_TILES(ENTER_I1)}}, [I2] = {{IMAGE_TILES(ENTER_I2)}}};

// The next tile of a row that has `left` pixels to go: the fewest tiles, of equal size if that can be.
static int next_width(tile_fn *const table[MAX_M + 1][MAX_NB + 1], int nb, int left) {
	int most = MAX_M;
	while (!table[most][nb]) most--;
	const int count = (left + most - 1) / most;
	int even = (left + count - 1) / count; // at most `most`
	while (even < left && even < most && !table[even][nb]) even++;
	while (even > left || !table[even][nb]) even--;
	return even;
}

// How many output blocks to do at once with `left` to go.
static int next_blocks(tile_fn *const table[MAX_M + 1][MAX_NB + 1], int left) {
	int nb = MAX_NB;
	while (!table[1][nb]) nb--;
	if (nb == 3 && left == 4) return 2; // 2+2 rather than 3+1
	return left < nb ? left : nb;
}

// One image's rows from `from` to to-1 through all tiles of output blocks ob to ob+nb-1.
static void run_rows(const struct pass *p, enum kind kind, int ob, int nb, int from, int to) {
	const int px = (kind == S1 ? 16 : kind == S2 ? 32 : kind == I1 ? 4 : 8);
	const int half = p->yhalves[ob + nb - 1] == 1 && tiles[kind][1][1][nb];
	tile_fn *const(*table)[MAX_NB + 1] = tiles[kind][half];
	const float *w = p->w + (int64_t)ob * p->icb * p->kh * p->kw * WBLOCK, *bias = p->bias ? p->bias + ob * MS_LANES : NULL;
	float row[MAX_NB * 2 * MS_LANES] = {0}, *sums = p->sums ? row : NULL;
	for (int h = from; h < to; h++) {
		for (int col = 0, m; col < p->width; col += m) {
			m = next_width(table, nb, p->width - col);
			table[m][nb](p, p->x + h * p->xdown + (int64_t)col * px, w, p->y + ob * p->yplane + h * p->ydown + col * p->ystep, bias, sums);
		}
		if (sums && ends_sums(h - from, to - from, p->width)) end_row(p->sums + ob * 2 * MS_LANES, row, nb);
	}
}

// One image through all tiles, some rows at a time: as many as INPUT_FLOATS hold.
static void run(const struct pass *p, enum kind kind) {
	int rows = (int)(INPUT_FLOATS / (p->icb * p->xdown));
	if (rows < 1) rows = 1;
	for (int from = 0; from < p->rows; from += rows) {
		const int to = from + rows < p->rows ? from + rows : p->rows;
		for (int ob = 0, nb; ob < p->ocb; ob += nb) {
			nb = next_blocks(tiles[kind][0], p->ocb - ob);
			run_rows(p, kind, ob, nb, from, to);
		}
	}
}

// Image n has its own sums, [OCB][2][16], and they are added up in the order of the images when all are there.
static double *image_sums(const struct ms_conv *c, int n) { return c->sums + (int64_t)n * c->ocb * 2 * MS_LANES; }

static void add_totals(const struct ms_conv *c) {
	for (int i = 0; i < c->ocb * 2 * MS_LANES; i++) c->totals[i] = 0;
	for (int n = 0; n < c->y.n; n++) {
		const double *sums = image_sums(c, n);
		for (int i = 0; i < c->ocb * 2 * MS_LANES; i++) c->totals[i] += sums[i];
	}
}

// One of several parts of an image, for threads. Convolutions are cut by output blocks or, where there are too few and no
// sums to make, by rows; everything else by blocks.
struct part {
	int number, of;
};

static void narrow(struct pass *p, struct part part) {
	const int rows = p->ocb < part.of && !p->sums, all = rows ? p->rows : p->ocb;
	const int first = ms_share(all, part.of, part.number), count = ms_share(all, part.of, part.number + 1) - first;
	if (rows) {
		p->x += first * p->xdown;
		p->y += first * p->ydown;
		p->rows = count;
		return;
	}
	p->w += (int64_t)first * p->icb * p->kh * p->kw * WBLOCK;
	p->y += first * p->yplane;
	p->yhalves += first;
	p->bias = p->bias ? p->bias + first * MS_LANES : NULL;
	p->sums = p->sums ? p->sums + first * 2 * MS_LANES : NULL;
	p->ocb = count;
}

// y = conv(x), a part of image n, with its sums where they are wanted.
static void convolve(const struct ms_conv *c, int n, struct part part, int sums) {
	const int centre = c->k == 1; // a 1x1 kernel begins at the pixel itself, a 3x3 one in the halo
	struct pass p = {
		.x = ms_at(&c->x, n, 0, centre, centre), .xplane = ms_plane(&c->x), .xrow = ms_row(&c->x), .xstep = c->x.ps, .xdown = c->s * ms_row(&c->x),
		.icb = c->icb, .kh = c->k, .kw = c->k, .xhalves = c->ihalves, .w = c->w,
		.y = ms_at(&c->y, n, 0, 1, 1), .yplane = ms_plane(&c->y), .ydown = ms_row(&c->y), .ystep = c->y.ps,
		.ocb = c->ocb, .rows = c->y.h, .width = c->y.w, .yhalves = c->ohalves,
		.bias = c->bn ? NULL : c->beta, .sums = sums ? image_sums(c, n) : NULL,
	};
	narrow(&p, part);
	if (p.sums) memset(p.sums, 0, sizeof(double) * p.ocb * 2 * MS_LANES);
	run(&p, c->image ? (c->s == 1 ? I1 : I2) : (c->s == 1 ? S1 : S2));
}

// The functions from here to weight_tile take the channel blocks first to last-1 of image n.

// a = bn(y).
static void normalise(const struct ms_conv *c, int n, int first, int last) {
	for (int b = first; b < last; b++)
		for (int h = 1; h <= c->y.h; h++) {
			const float *y = ms_at(&c->y, n, b, h, 1);
			float *a = ms_at(&c->a, n, b, h, 1);
			for (int v = 0; v < NV; v++) {
				const vec scale = load(c->scale + b * MS_LANES + v * VL), shift = load(c->shift + b * MS_LANES + v * VL);
				for (int i = v * VL; i < c->y.w * MS_LANES; i += MS_LANES) store(a + i, muladd(load(y + i), scale, shift));
			}
		}
}

// a = silu(bn(y)).
static void activate(const struct ms_conv *c, int n, int first, int last) {
	for (int b = first; b < last; b++)
		for (int h = 1; h <= c->y.h; h++) {
			const float *y = ms_at(&c->y, n, b, h, 1);
			float *a = ms_at(&c->a, n, b, h, 1);
			for (int v = 0; v < NV; v++) {
				const vec scale = load(c->scale + b * MS_LANES + v * VL), shift = load(c->shift + b * MS_LANES + v * VL);
				for (int i = v * VL; i < c->y.w * MS_LANES; i += MS_LANES) {
					const vec z = muladd(load(y + i), scale, shift);
					store(a + i, z * sigmoid(z));
				}
			}
		}
}

// Where the sums of a vector of an image's channels begin, set to zero: the second ones are MS_LANES further on.
static double *start_sums(const struct ms_conv *c, int n, int block, int v) {
	double *to = image_sums(c, n) + block * 2 * MS_LANES + v * VL;
	for (int i = 0; i < VL; i++) to[i] = to[MS_LANES + i] = 0;
	return to;
}

// da -> dz in place, with z = bn(y), a = z*s, s = sigmoid(z): da/dz = s*(1 + z*(1-s)). Sums of dz and dz*(y-mu).
static void silu_backward(const struct ms_conv *c, int n, int first, int last) {
	const vec one = splat(1.0f);
	for (int b = first; b < last; b++)
		for (int v = 0; v < NV; v++) {
			const int lane = b * MS_LANES + v * VL;
			const vec scale = load(c->scale + lane), shift = load(c->shift + lane), mu = load(c->mu + lane);
			double *to = start_sums(c, n, b, v);
			vec sum = splat(0), second = splat(0);
			for (int h = 1; h <= c->y.h; h++) {
				const float *y = ms_at(&c->y, n, b, h, 1);
				float *d = ms_at(&c->da, n, b, h, 1);
				for (int i = v * VL; i < c->y.w * MS_LANES; i += MS_LANES) {
					const vec yv = load(y + i), z = muladd(yv, scale, shift), s = sigmoid(z);
					const vec dz = load(d + i) * s * muladd(z, one - s, one);
					sum += dz;
					second = muladd(dz, yv - mu, second);
					store(d + i, dz);
				}
				if (!ends_sums(h - 1, c->y.h, c->y.w)) continue;
				add_wide(to, sum);
				add_wide(to + MS_LANES, second);
				sum = second = splat(0);
			}
		}
}

// dz -> dy in place.
static void bn_backward(const struct ms_conv *c, int n, int first, int last) {
	for (int b = first; b < last; b++)
		for (int h = 1; h <= c->y.h; h++) {
			const float *y = ms_at(&c->y, n, b, h, 1);
			float *d = ms_at(&c->da, n, b, h, 1);
			for (int v = 0; v < NV; v++) {
				const int lane = b * MS_LANES + v * VL;
				const vec g1 = load(c->g1 + lane), g2 = load(c->g2 + lane), g3 = load(c->g3 + lane);
				for (int i = v * VL; i < c->y.w * MS_LANES; i += MS_LANES)
					store(d + i, muladd(load(d + i), g1, muladd(load(y + i), g2, g3)));
			}
		}
}

// The sums where da is dz already.
static void linear_backward(const struct ms_conv *c, int n, int first, int last) {
	for (int b = first; b < last; b++)
		for (int v = 0; v < NV; v++) {
			const vec mu = load(c->mu + b * MS_LANES + v * VL);
			double *to = start_sums(c, n, b, v);
			vec sum = splat(0), second = splat(0);
			for (int h = 1; h <= c->y.h; h++) {
				const float *y = ms_at(&c->y, n, b, h, 1), *d = ms_at(&c->da, n, b, h, 1);
				for (int i = v * VL; i < c->y.w * MS_LANES; i += MS_LANES) {
					const vec dz = load(d + i);
					sum += dz;
					second = muladd(dz, load(y + i) - mu, second);
				}
				if (!ends_sums(h - 1, c->y.h, c->y.w)) continue;
				add_wide(to, sum);
				add_wide(to + MS_LANES, second);
				sum = second = splat(0);
			}
		}
}

// The sums of dy without bn; of both, the first.
static void bias_sums(const struct ms_conv *c, int n, int first, int last) {
	for (int b = first; b < last; b++)
		for (int v = 0; v < NV; v++) {
			double *to = start_sums(c, n, b, v);
			vec sum = splat(0);
			for (int h = 1; h <= c->y.h; h++) {
				const float *d = ms_at(&c->da, n, b, h, 1);
				for (int i = v * VL; i < c->y.w * MS_LANES; i += MS_LANES) sum += load(d + i);
				if (!ends_sums(h - 1, c->y.h, c->y.w)) continue;
				add_wide(to, sum);
				sum = splat(0);
			}
		}
}

// Gradient of the weights, one register tile: I input lanes times NB output blocks (HALF as for tile), over rows x width
// pixels. dw: [16][16] of the first block pair, from input lane `lane` on; dwblock floats to the next output block.
struct weight_pass {
	int64_t xrow, xpixel, dyplane, dyrow;
	int rows, width;
	int64_t dwblock;
};

INLINE void weight_tile(const int I, const int NB, const int HALF, const struct weight_pass *p, const float *x, const float *dy, float *dw) {
	const int N = VECTORS(NB, HALF);
	vec acc[WEIGHT_I_MAX][WEIGHT_NB_MAX * NV];
#define EACH_WEIGHT \
	_Pragma("GCC unroll 16") for (int i = 0; i < I; i++) _Pragma("GCC unroll 16") for (int n = 0; n < N; n++)
	EACH_WEIGHT acc[i][n] = load_part(NARROW(n, N, HALF), dw + n / NV * p->dwblock + i * MS_LANES + n % NV * VL);
	for (int h = 0; h < p->rows; h++, x += p->xrow, dy += p->dyrow) {
		const float *xp = x, *dp = dy;
		for (int w = 0; w < p->width; w++, xp += p->xpixel, dp += MS_LANES) {
			vec g[WEIGHT_NB_MAX * NV];
			__builtin_prefetch(xp + WEIGHT_AHEAD * MS_LANES);
			_Pragma("GCC unroll 2") for (int b = 0; b < NB; b++) __builtin_prefetch(dp + b * p->dyplane + WEIGHT_AHEAD * MS_LANES);
			_Pragma("GCC unroll 16") for (int n = 0; n < N; n++) {
				g[n] = load_part(NARROW(n, N, HALF), dp + n / NV * p->dyplane + n % NV * VL);
				PIN(g[n]);
			}
			_Pragma("GCC unroll 16") for (int i = 0; i < I; i++) {
				vec b = splat(xp[i]);
				if (N > 1) PIN(b);
				_Pragma("GCC unroll 16") for (int n = 0; n < N; n++) acc[i][n] = muladd_part(NARROW(n, N, HALF), b, g[n], acc[i][n]);
			}
		}
	}
	EACH_WEIGHT store_part(NARROW(n, N, HALF), dw + n / NV * p->dwblock + i * MS_LANES + n % NV * VL, acc[i][n]);
}

// The input image's: 3 colours at 3*KR kernel positions (KR kernel rows) for one vector of output channels.
INLINE void image_weight_tile(const int KR, const struct ms_conv *c, int n, int ob, int kh, int v) {
	vec acc[27];
	float *dw = c->dw + ((int64_t)ob * 9 + kh * 3) * WBLOCK + v * VL;
	_Pragma("GCC unroll 27") for (int i = 0; i < KR * 9; i++) acc[i] = load(dw + i / 3 * WBLOCK + i % 3 * MS_LANES);
	const int64_t xrow = ms_row(&c->x);
	for (int h = 0; h < c->y.h; h++) {
		const float *x = ms_at(&c->x, n, 0, h * c->s + kh, 0), *dy = ms_at(&c->da, n, ob, h + 1, 1) + v * VL;
		const float *row[3];
		for (int r = 0; r < KR; r++) row[r] = x + r * xrow;
		for (int w = 0; w < c->y.w; w++, dy += MS_LANES) {
			vec g = load(dy);
			_Pragma("GCC unroll 27") for (int i = 0; i < KR * 9; i++) acc[i] = muladd(splat(row[i / 9][i / 3 % 3 * 4 + i % 3]), g, acc[i]);
			_Pragma("GCC unroll 3") for (int r = 0; r < KR; r++) row[r] += c->s * 4;
		}
	}
	_Pragma("GCC unroll 27") for (int i = 0; i < KR * 9; i++) store(dw + i / 3 * WBLOCK + i % 3 * MS_LANES, acc[i]);
}

// All input lanes in use of a pair of blocks, I at once.
#define DEFINE_WEIGHT(name, I, NB, HALF)                                                                            \
	static void name(const struct weight_pass *p, int lanes, const float *x, const float *dy, float *dw) {           \
		for (int i = 0; i < lanes; i += I) weight_tile(I, NB, HALF, p, x + i, dy, dw + i * MS_LANES);                \
	}
DEFINE_WEIGHT(weight_tile_wide, WEIGHT_I_WIDE, WEIGHT_NB_MAX, 0)
DEFINE_WEIGHT(weight_tile_wide_half, WEIGHT_I_WIDE, WEIGHT_NB_MAX, 1)
DEFINE_WEIGHT(weight_tile_one, WEIGHT_I_MAX, 1, 0)
DEFINE_WEIGHT(weight_tile_one_half, WEIGHT_I_MAX, 1, 1)
#if WEIGHT_I_MAX > HALF_LANES
DEFINE_WEIGHT(weight_tile_few, HALF_LANES, 1, 0)
DEFINE_WEIGHT(weight_tile_few_half, HALF_LANES, 1, 1)
#else
#define weight_tile_few weight_tile_one
#define weight_tile_few_half weight_tile_one_half
#endif

typedef void weight_fn(const struct weight_pass *, int lanes, const float *x, const float *dy, float *dw);

// The tile of so many output blocks, the last of which has ohalves, for an input block that has ihalves.
static weight_fn *weight_tile_of(int nb, int ohalves, int ihalves) {
	if (nb > 1) return ohalves == 1 ? weight_tile_wide_half : weight_tile_wide;
	if (ihalves == 1) return ohalves == 1 ? weight_tile_few_half : weight_tile_few;
	return ohalves == 1 ? weight_tile_one_half : weight_tile_one;
}

// Kernel rows that a tile of the image's weights takes at once. Alone, three make the best use of what is loaded.
INLINE int image_rows(const struct ms_conv *c) { return c->y.team ? 1 : IMAGE_KERNEL_ROWS; }

// The gradient of the weights falls into tiles, each of some floats of dw that no other tile touches: for the image a vector
// of output channels at some kernel rows; otherwise [output blocks, WEIGHT_NB_MAX of them or one][ICB][K][K].
static int weight_tiles(const struct ms_conv *c) {
	if (c->bf) return c->bf->weight_tiles(c);
	if (c->image) return c->ocb * (3 / image_rows(c)) * NV;
	return (c->ocb / WEIGHT_NB_MAX + c->ocb % WEIGHT_NB_MAX) * c->icb * c->k * c->k;
}

// Adds image n to the tiles first to last-1.
static void image_weight_backward(const struct ms_conv *c, int n, int first, int last) {
	const int rows = image_rows(c), positions = 3 / rows;
	for (int t = first; t < last; t++) {
		const int ob = t / NV / positions, kh = t / NV % positions * rows, v = t % NV;
		if (rows == 1) image_weight_tile(1, c, n, ob, kh, v);
		else image_weight_tile(3, c, n, ob, kh, v);
	}
}

static void weight_backward(const struct ms_conv *c, int n, int first, int last) {
	if (c->image) {
		image_weight_backward(c, n, first, last);
		return;
	}
	const int k = c->k, centre = k == 1, each = c->icb * k * k, wide = c->ocb / WEIGHT_NB_MAX;
	const int64_t dwblock = (int64_t)each * WBLOCK;
	// Rows are taken in groups that stay in the first cache while all tiles visit them.
	int group = WEIGHT_PIXELS / c->y.w;
	if (group < 1) group = 1;
	struct weight_pass p = {
		.xrow = c->s * ms_row(&c->x), .xpixel = c->s * MS_LANES, .dyplane = ms_plane(&c->da), .dyrow = ms_row(&c->da),
		.width = c->y.w, .dwblock = dwblock,
	};
	for (int h = 0; h < c->y.h; h += group) {
		p.rows = c->y.h - h < group ? c->y.h - h : group;
		int at = first / each, ib = first % each / (k * k), kh = first % (k * k) / k, kw = first % k;
		for (int t = first; t < last; t++) {
			const int ob = at < wide ? at * WEIGHT_NB_MAX : wide * WEIGHT_NB_MAX + at - wide, nb = at < wide ? WEIGHT_NB_MAX : 1;
			const float *dy = ms_at(&c->da, n % c->da_room, ob, h + 1, 1), *x = ms_at(&c->x, n, ib, h * c->s + kh + centre, kw + centre);
			float *dw = c->dw + ob * dwblock + ((ib * k + kh) * k + kw) * WBLOCK;
			weight_tile_of(nb, c->ohalves[ob + nb - 1], c->ihalves[ib])(&p, c->ihalves[ib] * HALF_LANES, x, dy, dw);
			if (++kw < k) continue;
			kw = 0;
			if (++kh < k) continue;
			kh = 0;
			if (++ib < c->icb) continue;
			ib = 0;
			at++;
		}
	}
}

// Makes a part of image n of dx from its dy and the turned weights.
static void input_backward(const struct ms_conv *c, int n, struct part part) {
	const int centre = c->k == 1 ? 1 : 0, at = n % c->da_room;
	const struct pass all = {
		.xplane = ms_plane(&c->da), .xrow = ms_row(&c->da), .xstep = MS_LANES, .xdown = ms_row(&c->da),
		.icb = c->ocb, .kh = c->k, .kw = c->k, .xhalves = c->ohalves, .w = c->wt,
		.yplane = ms_plane(&c->dx), .ydown = c->s * ms_row(&c->dx), .ystep = c->s * MS_LANES,
		.ocb = c->icb, .rows = c->dx.h, .width = c->dx.w, .yhalves = c->ihalves, .accumulate = c->acc_dx,
	};
	struct pass p = all;
	if (c->s == 1) {
		p.x = ms_at(&c->da, at, 0, centre, centre);
		p.y = ms_at(&c->dx, n, 0, 1, 1);
		narrow(&p, part);
		run(&p, S1);
		return;
	}
	const float *w = c->wt;
	for (int ph = 0; ph < 2; ph++)
		for (int pw = 0; pw < 2; pw++) {
			p = all;
			p.kh = 1 + ph;
			p.kw = 1 + pw;
			p.w = w;
			p.x = ms_at(&c->da, at, 0, 1, 1);
			p.y = ms_at(&c->dx, n, 0, 1 + ph, 1 + pw);
			p.rows = (c->dx.h + 1 - ph) / 2;
			p.width = (c->dx.w + 1 - pw) / 2;
			w += (int64_t)c->icb * c->ocb * p.kh * p.kw * WBLOCK;
			narrow(&p, part);
			run(&p, S1);
		}
}

// Before the first image, for the output blocks first to last-1: gradients of the weights that are not added to begin at
// zero, and dx needs turned weights.
static void start_gradients(const struct ms_conv *c, int first, int last) {
	const int64_t each = (int64_t)WBLOCK * c->icb * c->k * c->k;
	if (!c->acc_w && !(c->winograd & MS_WINOGRAD_DW)) memset(c->dw + first * each, 0, sizeof(float) * (size_t)((last - first) * each));
	if (c->has_dx) (c->bf ? c->bf->turn : ms_turn_weights)(c, first, last);
}
