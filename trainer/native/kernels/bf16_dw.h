// The gradient of the weights with operands in bfloat16, after bf16.h. Its sums run over pixels, so that a word is two
// pixels of a channel: neighbours of a row of dy, and what they meet in x.

// Gradient of the weights, one register tile, as weight_tile of conv.h: I input lanes times NB output blocks, over rows x pairs
// pairs of pixels. Strides in words.
struct bf_weight_pass {
	int64_t xrow, xpair, dyplane;
	int rows, pairs;
	int64_t dwblock;
};

INLINE void bf_weight_tile(const int I, const int NB, const int HALF, const struct bf_weight_pass *p, const uint32_t *x, const uint32_t *dy,
                           float *dw) {
	const int N = VECTORS(NB, HALF);
	vec acc[BF_WEIGHT_I][BF_WEIGHT_NB * NV];
#define EACH_BF_WEIGHT \
	_Pragma("GCC unroll 16") for (int i = 0; i < I; i++) _Pragma("GCC unroll 16") for (int n = 0; n < N; n++)
	EACH_BF_WEIGHT acc[i][n] = load_part(NARROW(n, N, HALF), dw + n / NV * p->dwblock + i * MS_LANES + n % NV * VL);
	for (int h = 0; h < p->rows; h++, x += p->xrow) {
		const uint32_t *xp = x;
		for (int q = 0; q < p->pairs; q++, xp += p->xpair, dy += MS_LANES) {
			uvec g[BF_WEIGHT_NB * NV];
			_Pragma("GCC unroll 16") for (int n = 0; n < N; n++) {
				g[n] = uload_part(NARROW(n, N, HALF), dy + n / NV * p->dyplane + n % NV * VL);
				PIN(g[n]);
			}
			_Pragma("GCC unroll 16") for (int i = 0; i < I; i++) {
				uvec b = usplat(xp[i]);
				if (N > 1) PIN(b);
				_Pragma("GCC unroll 16") for (int n = 0; n < N; n++) acc[i][n] = dot_part(NARROW(n, N, HALF), acc[i][n], b, g[n]);
			}
		}
	}
	EACH_BF_WEIGHT store_part(NARROW(n, N, HALF), dw + n / NV * p->dwblock + i * MS_LANES + n % NV * VL, acc[i][n]);
}

// All input lanes in use of a pair of blocks, I at once.
#define BF_DEFINE_WEIGHT(name, I, NB, HALF)                                                                             \
	static void name(const struct bf_weight_pass *p, int lanes, const uint32_t *x, const uint32_t *dy, float *dw) {      \
		for (int i = 0; i < lanes; i += I) bf_weight_tile(I, NB, HALF, p, x + i, dy, dw + i * MS_LANES);                 \
	}
BF_DEFINE_WEIGHT(bf_weight_wide, BF_WEIGHT_I_WIDE, BF_WEIGHT_NB, 0)
BF_DEFINE_WEIGHT(bf_weight_one, BF_WEIGHT_I, 1, 0)
#if defined(MS_BF16)
BF_DEFINE_WEIGHT(bf_weight_wide_half, BF_WEIGHT_I_WIDE, BF_WEIGHT_NB, 1)
BF_DEFINE_WEIGHT(bf_weight_one_half, BF_WEIGHT_I, 1, 1)
BF_DEFINE_WEIGHT(bf_weight_few, HALF_LANES, 1, 0)
BF_DEFINE_WEIGHT(bf_weight_few_half, HALF_LANES, 1, 1)
#else // no more than 8 lanes at once anyway, and whole registers
#define bf_weight_wide_half bf_weight_wide
#define bf_weight_one_half bf_weight_one
#define bf_weight_few bf_weight_one
#define bf_weight_few_half bf_weight_one
#endif

typedef void bf_weight_fn(const struct bf_weight_pass *, int lanes, const uint32_t *x, const uint32_t *dy, float *dw);

// As weight_tile_of of conv.h.
static bf_weight_fn *bf_weight_tile_of(int nb, int ohalves, int ihalves) {
	if (nb > 1) return ohalves == 1 ? bf_weight_wide_half : bf_weight_wide;
	if (ihalves == 1) return ohalves == 1 ? bf_weight_few_half : bf_weight_few;
	return ohalves == 1 ? bf_weight_one_half : bf_weight_one;
}

// The pixels of a plane by pairs of a row; the last of an odd row meets the halo's zero.
static void bf_pair_rows(const struct ms_view *v, int n, int block, uint32_t *to) {
	for (int h = 1; h <= v->h; h++) {
		const float *p = ms_at(v, n, block, h, 1);
		for (int w = 0; w < v->w; w += 2, p += 2 * MS_LANES, to += MS_LANES) bf_pair(p, p + MS_LANES, to);
	}
}

// Every pixel of a plane, halo included, paired with the one `apart` further on. What follows the plane is taken as zero: it
// only ever meets the halo of dy.
static void bf_pair_plane(const struct ms_view *v, int n, int block, int apart, uint32_t *to) {
	static const float zero[MS_LANES];
	const float *p = ms_at(v, n, block, 0, 0);
	const int64_t pixels = ms_plane(v) / MS_LANES;
	for (int64_t i = 0; i < pixels - apart; i++, p += MS_LANES, to += MS_LANES) bf_pair(p, p + apart * MS_LANES, to);
	for (int i = 0; i < apart; i++, p += MS_LANES, to += MS_LANES) bf_pair(p, zero, to);
}

// Tiles of dw, numbered as weight_tiles of conv.h has them.
static int bf_weight_tiles(const struct ms_conv *c) {
	return (c->ocb / BF_WEIGHT_NB + c->ocb % BF_WEIGHT_NB) * c->icb * c->k * c->k;
}

// The first output block of a group: groups of BF_WEIGHT_NB blocks, then of one.
static int bf_first_block(const struct ms_conv *c, int group) {
	const int wide = c->ocb / BF_WEIGHT_NB;
	return group < wide ? group * BF_WEIGHT_NB : wide * BF_WEIGHT_NB + group - wide;
}

// x of image n -> its slot, in pairs of pixels, the input blocks first to last-1. A 3x3 kernel meets each pixel with both neighbours.
static void bf_pair_input(const struct ms_conv *c, int n, int first, int last) {
	int64_t dy_at, x_at;
	ms_bf16_slot(c, &dy_at, &x_at);
	uint32_t *x = bf_slot(c, n) + x_at;
	const int64_t plane = c->k == 3 ? ms_plane(&c->x) : (int64_t)c->x.h * ((c->x.w + 1) / 2) * MS_LANES;
	for (int b = first; b < last; b++) {
		if (c->k == 3) bf_pair_plane(&c->x, n, b, c->s, x + b * plane);
		else bf_pair_rows(&c->x, n, b, x + b * plane);
	}
}

// Adds image n to the tiles first to last-1, from c's rounded dy and the x in `of`'s slot.
static void bf_weight_backward(const struct ms_conv *c, const struct ms_conv *of, int n, int first, int last) {
	const int k = c->k, pairs = (c->y.w + 1) / 2, each = c->icb * k * k, wide = c->ocb / BF_WEIGHT_NB;
	const int64_t dwblock = (int64_t)each * MS_LANES * MS_LANES, dyplane = (int64_t)c->y.h * pairs * MS_LANES;
	int64_t xrow = (int64_t)pairs * MS_LANES, xplane = dyplane, xpair = MS_LANES, dy_at, x_at;
	ms_bf16_slot(of, &dy_at, &x_at);
	const uint32_t *x = bf_slot(of, n) + x_at;
	if (of->k == 3) {
		xrow = (c->x.w + 2) * MS_LANES;
		xplane = xrow * (c->x.h + 2);
		xpair = 2 * c->s * MS_LANES;
		if (k == 1) x += xrow + MS_LANES; // begins at the pixel itself, not in the halo
	}
	ms_bf16_slot(c, &dy_at, &x_at);
	const uint32_t *const dy = bf_slot(c, n) + dy_at;
	// Rows are taken in groups that stay in the first cache while all tiles visit them.
	int group = BF_WEIGHT_PIXELS / c->y.w;
	if (group < 1) group = 1;
	struct bf_weight_pass p = {.xrow = c->s * xrow, .xpair = xpair, .dyplane = dyplane, .pairs = pairs, .dwblock = dwblock};
	for (int h = 0; h < c->y.h; h += group) {
		p.rows = c->y.h - h < group ? c->y.h - h : group;
		int at = first / each, ib = first % each / (k * k), kh = first % (k * k) / k, kw = first % k;
		for (int t = first; t < last; t++) {
			const int ob = bf_first_block(c, at), nb = at < wide ? BF_WEIGHT_NB : 1;
			bf_weight_tile_of(nb, c->ohalves[ob + nb - 1], c->ihalves[ib])(
				&p, c->ihalves[ib] * HALF_LANES, x + ib * xplane + (h * c->s + kh) * xrow + kw * MS_LANES,
				dy + ob * dyplane + (int64_t)h * pairs * MS_LANES,
				c->dw + ob * dwblock + ((int64_t)(ib * k + kh) * k + kw) * MS_LANES * MS_LANES);
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
