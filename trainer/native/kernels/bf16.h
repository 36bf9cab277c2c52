// Convolutions with operands in bfloat16 (the upper half of a float32: 8 bits of exponent, 8 of significand) and sums in
// float32, for one instruction set. Included once by each kern_*.c after simd.h. Weights, activations and gradients stay
// float32 in memory: what is multiplied is rounded to the nearest (ties to even; subnormal numbers to zero) into the layer's
// room just before, one image at a time. dy is made there and is nowhere in float32.
//
// A word is two numbers whose products are added to one sum, in a fixed order: the upper ones' first. That is what
// vdpbf16ps does, with two fused multiply-adds; sets without it (no MS_BF16) do the same in two steps, and, a product of two
// bfloat16 being exact in float32, come to the same bits as long as sums do not fall below 2^-126.
//
// Forms in room, in words:
//   narrow  [block][H+2][W+2][8]     neighbouring channels of a pixel: operand of the output and of the gradient of the input
//   paired  [block][pixels][16]      two pixels of a channel: operands of the gradient of the weights
// Weights: [OCB][ICB][K][K][8 pairs of input lanes][16 output lanes]; turned ones likewise, in ms_turn_weights' order.

#define WORDS (MS_LANES / 2)            // of a pixel in narrow form
#define BF_BLOCK (WORDS * MS_LANES)     // words of one pair of channel blocks at one kernel position
#define INPUT_WORDS (64 << 10)          // of an image that stay in the second cache while all output channels visit them

typedef uint32_t uvec __attribute__((vector_size(4 * VL)));
typedef uint32_t looseuvec __attribute__((vector_size(4 * VL), aligned(4), may_alias));

INLINE uvec uload(const uint32_t *p) { return *(const looseuvec *)p; }
INLINE void ustore(uint32_t *p, uvec v) { *(looseuvec *)p = v; }

#if defined(MS_BF16)
INLINE uvec usplat(uint32_t u) { return (uvec)_mm512_set1_epi32((int)u); }
INLINE vec dot(vec sum, uvec a, uvec b) { return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b); }
INLINE vec dot_part(int narrow, vec sum, uvec a, uvec b) {
	if (!narrow) return dot(sum, a, b);
	const __m256bh lower_a = (__m256bh)_mm512_castsi512_si256((__m512i)a), lower_b = (__m256bh)_mm512_castsi512_si256((__m512i)b);
	return WHOLE(_mm256_dpbf16_ps(LOWER(sum), lower_a, lower_b));
}
INLINE uvec uload_part(int narrow, const uint32_t *p) {
	return narrow ? (uvec)_mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)p)) : uload(p);
}

// Rounds two pixels and puts them one after the other.
INLINE uvec narrow_two(const float *p) { return (uvec)_mm512_cvtne2ps_pbh(load(p + VL), load(p)); }
#else
INLINE uvec usplat(uint32_t u) { return (uvec){0} + u; }
INLINE vec dot(vec sum, uvec a, uvec b) {
	const uvec upper = usplat(0xFFFF0000u);
	sum = muladd((vec)(a & upper), (vec)(b & upper), sum);
	return muladd((vec)(a << 16), (vec)(b << 16), sum);
}

INLINE vec dot_part(int narrow, vec sum, uvec a, uvec b) { return (void)narrow, dot(sum, a, b); }
INLINE uvec uload_part(int narrow, const uint32_t *p) { return (void)narrow, uload(p); }

// The float32 nearest to v that a bfloat16 holds, not cut off yet.
INLINE uvec rounded(vec v) {
	const uvec u = (uvec)v, size = u & usplat(0x7FFFFFFFu);
	const uvec near = u + usplat(0x7FFFu) + (u >> 16 & usplat(1));
	const uvec none = (uvec)(size > usplat(0x7F800000u)), small = (uvec)(size < usplat(0x00800000u));
	return (none & (u | usplat(0x00400000u))) | (small & ~size & u) | (~none & ~small & near);
}
#endif

#if defined(MS_BF16)
// Two pixels, one after the other -> the pairs of their channels.
INLINE uvec paired(uvec both) {
	static const uint16_t turns[32] __attribute__((aligned(64))) = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
	                                                                 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
	return (uvec)_mm512_permutexvar_epi16(_mm512_load_si512(turns), (__m512i)both);
}
#endif

// Makes the words of one pixel's 16 channels out of two pixels: a lower, b upper.
INLINE void bf_pair(const float *a, const float *b, uint32_t *to) {
#if defined(MS_BF16)
	ustore(to, paired((uvec)_mm512_cvtne2ps_pbh(load(b), load(a))));
#else
	for (int v = 0; v < MS_LANES; v += VL) ustore(to + v, rounded(load(a + v)) >> 16 | (rounded(load(b + v)) & usplat(0xFFFF0000u)));
#endif
}

// Rounds count pixels into narrow form.
static void bf_narrow(const float *p, uint32_t *to, int64_t count) {
#if defined(MS_BF16)
	for (; count >= 2; count -= 2, p += 2 * MS_LANES, to += 2 * WORDS) ustore(to, narrow_two(p));
	if (count) _mm256_storeu_si256((__m256i *)to, (__m256i)_mm512_cvtneps_pbh(load(p)));
#else
	for (; count > 0; count--, p += MS_LANES, to += WORDS) {
		uint32_t u[MS_LANES];
		for (int v = 0; v < MS_LANES; v += VL) ustore(u + v, rounded(load(p + v)));
		for (int i = 0; i < WORDS; i++) to[i] = u[2 * i] >> 16 | (u[2 * i + 1] & 0xFFFF0000u);
	}
#endif
}

// Rounds two pixels, one after the other, into both forms.
INLINE void bf_both(const float *two, uint32_t *narrow, uint32_t *pairs) {
#if defined(MS_BF16)
	const uvec both = narrow_two(two);
	ustore(narrow, both);
	ustore(pairs, paired(both));
#else
	bf_narrow(two, narrow, 2);
	bf_pair(two, two + MS_LANES, pairs);
#endif
}

// What a tile needs beside its addresses; as struct pass, with strides of x and w in words.
struct bf_pass {
	const uint32_t *x;
	int64_t xplane, xrow, xstep, xdown;
	int icb, kh, kw;
	const uint8_t *xhalves; // [icb] as in struct pass
	const uint32_t *w;
	float *y;
	int64_t yplane, ydown, ystep;
	int ocb, rows, width;
	const uint8_t *yhalves; // [ocb] as well
	int accumulate;
	double *sums;
};

// PX: words from an output pixel's input to its neighbour's; HALF: the last output block has 8 lanes in use. See tile in conv.h.
INLINE void bf_tile(const int M, const int NB, const int HALF, const int PX, const struct bf_pass *p, const uint32_t *x, const uint32_t *w, float *y,
                    float *sums) {
	const int N = VECTORS(NB, HALF);
	vec acc[BF_MAX_M][BF_MAX_NB * NV];
	const int64_t wblock = (int64_t)p->icb * p->kh * p->kw * BF_BLOCK;
#define EACH_BF \
	_Pragma("GCC unroll 16") for (int m = 0; m < M; m++) _Pragma("GCC unroll 16") for (int n = 0; n < N; n++)
	if (p->accumulate) {
		EACH_BF acc[m][n] = load_part(NARROW(n, N, HALF), y + n / NV * p->yplane + m * p->ystep + n % NV * VL);
	} else {
		EACH_BF acc[m][n] = zero_part(NARROW(n, N, HALF));
	}
	for (int ib = 0; ib < p->icb; ib++) {
		const int halves = p->xhalves[ib];
		for (int kh = 0; kh < p->kh; kh++) {
			const uint32_t *xp = x + ib * p->xplane + kh * p->xrow;
			for (int kw = 0; kw < p->kw; kw++, xp += p->xstep, w += BF_BLOCK)
				for (int half = 0; half < halves; half++) {
					const uint32_t *xh = xp + half * (WORDS / 2), *wh = w + half * (BF_BLOCK / 2);
					_Pragma("GCC unroll 8") for (int i = 0; i < WORDS / 2; i++) {
						uvec wv[BF_MAX_NB * NV];
						_Pragma("GCC unroll 16") for (int n = 0; n < N; n++) {
							wv[n] = uload_part(NARROW(n, N, HALF), wh + n / NV * wblock + i * MS_LANES + n % NV * VL);
							PIN(wv[n]);
						}
						_Pragma("GCC unroll 16") for (int m = 0; m < M; m++) {
							uvec b = usplat(xh[m * PX + i]);
							if (N > 1) PIN(b);
							_Pragma("GCC unroll 16") for (int n = 0; n < N; n++) acc[m][n] = dot_part(NARROW(n, N, HALF), acc[m][n], b, wv[n]);
						}
					}
				}
		}
	}
	EACH_BF store_padded(NARROW(n, N, HALF), y + n / NV * p->yplane + m * p->ystep + n % NV * VL, acc[m][n]);
	if (!sums) return;
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

typedef void bf_tile_fn(const struct bf_pass *, const uint32_t *x, const uint32_t *w, float *y, float *sums);

#define BF_DEFINE_KIND(M, NB, HALF, S)                                                                                       \
	static void bf_tile_##M##x##NB##_##HALF##_s##S(const struct bf_pass *p, const uint32_t *x, const uint32_t *w, float *y, \
	                                               float *sums) {                                                           \
		bf_tile(M, NB, HALF, S * WORDS, p, x, w, y, sums);                                                                   \
	}
#define BF_DEFINE(M, NB) BF_DEFINE_KIND(M, NB, 0, 1) BF_DEFINE_KIND(M, NB, 0, 2)
#define BF_DEFINE_HALF(M, NB) BF_DEFINE_KIND(M, NB, 1, 1) BF_DEFINE_KIND(M, NB, 1, 2)
BF_TILES(BF_DEFINE)
BF_HALF_TILES(BF_DEFINE_HALF)
#define BF_ENTER_S1(M, NB) [M][NB] = bf_tile_##M##x##NB##_0_s1,
#define BF_ENTER_S2(M, NB) [M][NB] = bf_tile_##M##x##NB##_0_s2,
#define BF_ENTER_H1(M, NB) [M][NB] = bf_tile_##M##x##NB##_1_s1,
#define BF_ENTER_H2(M, NB) [M][NB] = bf_tile_##M##x##NB##_1_s2,
typedef bf_tile_fn *const bf_table[BF_MAX_M + 1][BF_MAX_NB + 1];
static bf_table bf_tiles[2][2] = {{{BF_TILES(BF_ENTER_S1)}, {BF_HALF_TILES(BF_ENTER_H1)}}, {{BF_TILES(BF_ENTER_S2)}, {BF_HALF_TILES(BF_ENTER_H2)}}};

// The next tile of a row that has left pixels to go: the fewest tiles, of equal size if that can be.
static int bf_width(bf_tile_fn *const table[BF_MAX_M + 1][BF_MAX_NB + 1], int nb, int left) {
	int most = BF_MAX_M;
	while (!table[most][nb]) most--;
	const int count = (left + most - 1) / most;
	int even = (left + count - 1) / count;
	while (even < left && even < most && !table[even][nb]) even++;
	while (even > left || !table[even][nb]) even--;
	return even;
}

// A share of an image, as narrow of conv.h: some output blocks or, where there are too few and no sums to make, some rows.
static void bf_share(struct bf_pass *p, int part, int parts) {
	const int rows = p->ocb < parts && !p->sums, all = rows ? p->rows : p->ocb;
	const int first = ms_share(all, parts, part), count = ms_share(all, parts, part + 1) - first;
	if (rows) {
		p->x += first * p->xdown;
		p->y += first * p->ydown;
		p->rows = count;
		return;
	}
	p->w += (int64_t)first * p->icb * p->kh * p->kw * BF_BLOCK;
	p->y += first * p->yplane;
	p->yhalves += first;
	p->sums = p->sums ? p->sums + first * 2 * MS_LANES : NULL;
	p->ocb = count;
}

static void bf_run_rows(const struct bf_pass *p, int stride, int ob, int nb, int from, int to) {
	const int half = p->yhalves[ob + nb - 1] == 1 && bf_tiles[stride - 1][1][1][nb];
	bf_tile_fn *const(*table)[BF_MAX_NB + 1] = bf_tiles[stride - 1][half];
	const uint32_t *w = p->w + (int64_t)ob * p->icb * p->kh * p->kw * BF_BLOCK;
	float row[BF_MAX_NB * 2 * MS_LANES] = {0}, *sums = p->sums ? row : NULL;
	for (int h = from; h < to; h++) {
		for (int col = 0, m; col < p->width; col += m) {
			m = bf_width(table, nb, p->width - col);
			table[m][nb](p, p->x + h * p->xdown + (int64_t)col * stride * WORDS, w, p->y + ob * p->yplane + h * p->ydown + col * p->ystep, sums);
		}
		if (sums && ends_sums(h - from, to - from, p->width)) end_row(p->sums + ob * 2 * MS_LANES, row, nb);
	}
}

// One image through all tiles, some rows at a time: as many as INPUT_WORDS hold.
static void bf_run(const struct bf_pass *p, int stride) {
	int rows = (int)(INPUT_WORDS / (p->icb * p->xdown));
	if (rows < 1) rows = 1;
	for (int from = 0; from < p->rows; from += rows)
		for (int ob = 0, nb; ob < p->ocb; ob += nb) {
			nb = p->ocb - ob;
			if (nb > BF_MAX_NB) nb = BF_MAX_NB == 3 && nb == 4 ? 2 : BF_MAX_NB; // 2+2 rather than 3+1
			bf_run_rows(p, stride, ob, nb, from, from + rows < p->rows ? from + rows : p->rows);
		}
}

// w -> wb.
static void bf_pack(const struct ms_conv *c, int first, int last) {
	const int64_t each = (int64_t)c->icb * c->k * c->k * MS_LANES; // rows of 16 output lanes of a block
	for (int64_t i = first * each; i < last * each; i += 2)
		bf_pair(c->w + i * MS_LANES, c->w + (i + 1) * MS_LANES, c->wb + i / 2 * MS_LANES);
}

// One block of weights, 16 input x 16 output lanes, as words of neighbouring output lanes [8][16 input lanes].
static void bf_turn_block(const float *w, uint32_t *to) {
	uint32_t rows[MS_LANES * WORDS];
	bf_narrow(w, rows, MS_LANES);
	for (int o = 0; o < WORDS; o++)
		for (int i = 0; i < MS_LANES; i++) to[o * MS_LANES + i] = rows[i * WORDS + o];
}

// w -> wtb, in the order of ms_turn_weights.
static void bf_turn(const struct ms_conv *c, int first, int last) {
	const int k = c->k, phases = c->s == 2 ? 2 : 1;
	uint32_t *all = c->wtb;
	for (int ph = 0; ph < phases; ph++)
		for (int pw = 0; pw < phases; pw++) {
			const int rows = c->s == 2 ? 1 + ph : k, columns = c->s == 2 ? 1 + pw : k;
			for (int ib = 0; ib < c->icb; ib++)
				for (int ob = first; ob < last; ob++) {
					uint32_t *to = all + ((int64_t)ib * c->ocb + ob) * rows * columns * BF_BLOCK;
					for (int a = 0; a < rows; a++)
						for (int b = 0; b < columns; b++, to += BF_BLOCK) {
							const int kh = c->s == 2 ? (ph ? 2 - 2 * a : 1) : k - 1 - a, kw = c->s == 2 ? (pw ? 2 - 2 * b : 1) : k - 1 - b;
							bf_turn_block(c->w + ((((int64_t)ob * c->icb + ib) * k + kh) * k + kw) * MS_LANES * MS_LANES, to);
						}
				}
			all += (int64_t)c->icb * c->ocb * rows * columns * BF_BLOCK;
		}
}

// Makes a share of image n of y, and the sums of its channels.
static void bf_convolve(const struct ms_conv *c, int n, int part, int parts, uint32_t *room, int known) {
	const int centre = c->k == 1;
	const int64_t pixels = ms_plane(&c->x) / MS_LANES, row = c->x.w + 2;
	struct bf_pass p = {
		.x = room + (row + 1) * centre * WORDS,
		.xplane = pixels * WORDS, .xrow = row * WORDS, .xstep = WORDS, .xdown = c->s * row * WORDS,
		.icb = c->icb, .kh = c->k, .kw = c->k, .xhalves = c->ihalves, .w = c->wb,
		.y = ms_at(&c->y, n, 0, 1, 1), .yplane = ms_plane(&c->y), .ydown = ms_row(&c->y), .ystep = c->y.ps,
		.ocb = c->ocb, .rows = c->y.h, .width = c->y.w, .yhalves = c->ohalves,
		.sums = c->sums + (int64_t)n * c->ocb * 2 * MS_LANES,
	};
	bf_share(&p, part, parts);
	if (p.ocb == 0) return;
	memset(p.sums, 0, sizeof(double) * p.ocb * 2 * MS_LANES);
	if (!known) bf_narrow(ms_at(&c->x, n, 0, 0, 0), room, pixels * c->icb);
	bf_run(&p, c->s);
}

// The room of image n of a group.
static uint32_t *bf_slot(const struct ms_conv *c, int n) { return c->room + n % c->group * c->slot_words; }

// One row of a block of dz -> dy = dz*g1 + y*g2 + g3 (lane: the block's first channel), rounded into both forms. At the end of an
// odd row this includes the halo.
static void bf_dy_row(const struct ms_conv *c, int lane, const float *y, const float *dz, uint32_t *narrow, uint32_t *pairs) {
	vec g1[NV], g2[NV], g3[NV];
	for (int v = 0; v < NV; v++) {
		g1[v] = load(c->g1 + lane + v * VL);
		g2[v] = load(c->g2 + lane + v * VL);
		g3[v] = load(c->g3 + lane + v * VL);
	}
	for (int w = 0; w < c->y.w; w += 2, y += 2 * MS_LANES, dz += 2 * MS_LANES, narrow += 2 * WORDS, pairs += MS_LANES) {
		float two[2 * MS_LANES] = {0};
		const int pixels = w + 1 < c->y.w ? 2 : 1;
		for (int i = 0; i < pixels * MS_LANES; i += VL) {
			const int v = i % MS_LANES / VL;
			store(two + i, muladd(load(dz + i), g1[v], muladd(load(y + i), g2[v], g3[v])));
		}
		bf_both(two, narrow, pairs);
	}
}

// dz of image n -> rounded dy in its slot, the output blocks first to last-1, with the halo of the narrow form.
static void bf_dy(const struct ms_conv *c, int n, int first, int last) {
	int64_t paired_at, x_at;
	ms_bf16_slot(c, &paired_at, &x_at);
	const int64_t row = (c->y.w + 2) * WORDS, plane = row * (c->y.h + 2), pairs = (c->y.w + 1) / 2 * MS_LANES;
	for (int b = first; b < last; b++) {
		uint32_t *narrow = bf_slot(c, n) + b * plane, *paired = bf_slot(c, n) + paired_at + b * c->y.h * pairs;
		memset(narrow, 0, sizeof(uint32_t) * row);
		memset(narrow + plane - row, 0, sizeof(uint32_t) * row);
		for (int h = 1; h <= c->y.h; h++, paired += pairs) {
			uint32_t *to = narrow + h * row;
			for (int i = 0; i < WORDS; i++) to[i] = to[row - WORDS + i] = 0;
			bf_dy_row(c, b * MS_LANES, ms_at(&c->y, n, b, h, 1), ms_at(&c->da, n, b, h, 1), to + WORDS, paired);
		}
	}
}

// Makes a share of image n of dx from its rounded dy and the turned weights.
static void bf_input_backward(const struct ms_conv *c, int n, int part, int parts) {
	const int64_t pixels = ms_plane(&c->y) / MS_LANES, row = c->y.w + 2;
	const struct bf_pass all = {
		.x = bf_slot(c, n) + (row + 1) * (c->k == 1 || c->s == 2) * WORDS,
		.xplane = pixels * WORDS, .xrow = row * WORDS, .xstep = WORDS, .xdown = row * WORDS,
		.icb = c->ocb, .kh = c->k, .kw = c->k, .xhalves = c->ohalves, .w = c->wtb,
		.yplane = ms_plane(&c->dx), .ydown = c->s * ms_row(&c->dx), .ystep = c->s * MS_LANES,
		.ocb = c->icb, .rows = c->dx.h, .width = c->dx.w, .yhalves = c->ihalves, .accumulate = c->acc_dx,
	};
	struct bf_pass p = all;
	if (c->s == 1) {
		p.y = ms_at(&c->dx, n, 0, 1, 1);
		bf_share(&p, part, parts);
		bf_run(&p, 1);
		return;
	}
	const uint32_t *w = c->wtb;
	for (int ph = 0; ph < 2; ph++)
		for (int pw = 0; pw < 2; pw++) {
			p = all;
			p.kh = 1 + ph;
			p.kw = 1 + pw;
			p.w = w;
			p.y = ms_at(&c->dx, n, 0, 1 + ph, 1 + pw);
			p.rows = (c->dx.h + 1 - ph) / 2;
			p.width = (c->dx.w + 1 - pw) / 2;
			w += (int64_t)c->icb * c->ocb * p.kh * p.kw * BF_BLOCK;
			bf_share(&p, part, parts);
			bf_run(&p, 1);
		}
}
