// 3x3 convolutions with stride 1 in Winograd's form F(2x2, 3x3), for one instruction set: Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2015 (arXiv 1509.09308), section 4.1. Included once by each kern_*.c after conv.h and finish.h.
//
// A tile is 2x2 pixels of the output. The 4x4 pixels d that it is made of become B^T d B, position by position these are
// multiplied with G g G^T of the weights and summed over the input channels, and the sums m become the tile A^T m A:
//
//	B^T = 1  0 -1  0    G = 1    0    0     A^T = 1  1  1  0
//	      0  1  1  0        1/2  1/2  1/2         0  1 -1 -1
//	      0 -1  1  0        1/2 -1/2  1/2
//	      0  1  0 -1        0    0    1
//
// That takes 16 multiplications for 36. Tiles are taken in groups that stay in the cache: all their input is transformed, then come
// the products of some output blocks, by the tile of conv.h with tiles for pixels, then the transformation of those.

#define POSITIONS 16

// One direction of a layer. x is convolved to y: the layer's x and y, or dy and dx.
struct winograd {
	struct ms_view x, y;
	int icb, ocb;                     // channel blocks of x and y
	const uint8_t *xhalves, *yhalves; // as in struct pass
	const float *u;                   // [16][ocb][icb][16][16]
	int accumulate;                   // y is added to
	const float *bias;                // [ocb*16] or NULL
	double *sums;                     // [N][ocb][2][16] gets sum(y) and sum(y*y) of each image, or NULL
	const struct ms_fused *fused;     // of inference, whose activation and addition come after, or NULL
	int image;                        // of it, that x and y begin with
	int first, last;                  // output blocks that are made
	int top, bottom;                  // and rows of tiles
	float *v, *m;                     // scratch: transformed input and products
};

// Tiles of a group: those of some rows of tiles, over several images, from column `left` to column right-1. Rows are
// numbered from first to last-1, through all images.
struct tile_group {
	int first, last, left, right;
	int64_t vposition, mposition; // floats from one position to the next
};

// Rows (columns) of tiles that h rows (w columns) of pixels have.
static int tiles_of(int pixels) { return (pixels + 1) / 2; }

// B^T d of one column of d: ROWS rows are there, the fourth is zero otherwise.
INLINE void transform_column(const int ROWS, const int narrow, const float *x, int64_t row, vec *t) {
	const vec a = load_part(narrow, x), b = load_part(narrow, x + row), c = load_part(narrow, x + 2 * row);
	const vec d = ROWS == 4 ? load_part(narrow, x + 3 * row) : zero_part(narrow);
	t[0] = sub_part(narrow, a, c);
	t[1] = add_part(narrow, b, c);
	t[2] = sub_part(narrow, c, b);
	t[3] = sub_part(narrow, b, d);
}

// A row of tiles of one channel block: x is the first pixel of the first one's input, v its place. With `edge` the last one has
// no fourth column.
INLINE void transform_tiles(const int ROWS, const int narrow, const float *x, int64_t row, int tiles, int edge, float *v, int64_t position) {
	vec t[4][4]; // by column
	transform_column(ROWS, narrow, x, row, t[0]);
	transform_column(ROWS, narrow, x + MS_LANES, row, t[1]);
	for (int i = 0; i < tiles; i++, x += 2 * MS_LANES, v += MS_LANES) {
		transform_column(ROWS, narrow, x + 2 * MS_LANES, row, t[2]);
		if (edge && i == tiles - 1) t[3][0] = t[3][1] = t[3][2] = t[3][3] = zero_part(narrow);
		else transform_column(ROWS, narrow, x + 3 * MS_LANES, row, t[3]);
		_Pragma("GCC unroll 4") for (int r = 0; r < 4; r++) {
			float *to = v + 4 * r * position;
			store_part(narrow, to, sub_part(narrow, t[0][r], t[2][r]));
			store_part(narrow, to + position, add_part(narrow, t[1][r], t[2][r]));
			store_part(narrow, to + 2 * position, sub_part(narrow, t[2][r], t[1][r]));
			store_part(narrow, to + 3 * position, sub_part(narrow, t[1][r], t[3][r]));
			t[0][r] = t[2][r];
			t[1][r] = t[3][r];
		}
	}
}

// The input of a group, all channel blocks.
static void transform_input(const struct winograd *g, const struct tile_group *p) {
	const int rows = tiles_of(g->y.h), width = p->right - p->left, edge = p->right * 2 > g->y.w;
	const int64_t row = ms_row(&g->x), plane = (int64_t)(p->last - p->first) * width * MS_LANES;
	for (int r = p->first; r < p->last; r++) {
		const int n = r / rows, h = r % rows * 2, whole = h + 2 <= g->y.h;
		for (int b = 0; b < g->icb; b++) {
			const float *x = ms_at(&g->x, n, b, h, p->left * 2);
			float *v = g->v + b * plane + (int64_t)(r - p->first) * width * MS_LANES;
			const int half = NARROW(0, 1, g->xhalves[b] == 1);
			for (int i = 0; i < g->xhalves[b] * HALF_LANES; i += VL) {
				if (whole && half) transform_tiles(4, 1, x + i, row, width, edge, v + i, p->vposition);
				else if (whole) transform_tiles(4, 0, x + i, row, width, edge, v + i, p->vposition);
				else if (half) transform_tiles(3, 1, x + i, row, width, edge, v + i, p->vposition);
				else transform_tiles(3, 0, x + i, row, width, edge, v + i, p->vposition);
			}
		}
	}
}

// A^T m A of one tile, ROWS x COLUMNS pixels of it, to y; s and q get sum(y) and sum(y*y) added with SUMS.
INLINE void output_tile(const int ROWS, const int COLUMNS, const int ADD, const int SUMS, const int narrow, const float *m, int64_t position,
                        float *y, int64_t row, vec *s, vec *q) {
	vec a[2][4];
	_Pragma("GCC unroll 4") for (int c = 0; c < 4; c++) {
		const vec m0 = load_part(narrow, m + c * position), m1 = load_part(narrow, m + (4 + c) * position);
		const vec m2 = load_part(narrow, m + (8 + c) * position), m3 = load_part(narrow, m + (12 + c) * position);
		a[0][c] = add_part(narrow, add_part(narrow, m0, m1), m2);
		a[1][c] = sub_part(narrow, sub_part(narrow, m1, m2), m3);
	}
	_Pragma("GCC unroll 2") for (int r = 0; r < ROWS; r++) {
		vec out[2];
		out[0] = add_part(narrow, add_part(narrow, a[r][0], a[r][1]), a[r][2]);
		out[1] = sub_part(narrow, sub_part(narrow, a[r][1], a[r][2]), a[r][3]);
		_Pragma("GCC unroll 2") for (int c = 0; c < COLUMNS; c++) {
			float *to = y + r * row + c * MS_LANES;
			if (ADD) out[c] = add_part(narrow, out[c], load_part(narrow, to));
			store_padded(narrow, to, out[c]);
			if (!SUMS) continue;
			*s = add_part(narrow, *s, out[c]);
			*q = muladd_part(narrow, out[c], out[c], *q);
		}
	}
}

// A row of tiles of one output block; sums: [2][16], or NULL.
INLINE void output_tiles(const int ROWS, const int ADD, const int SUMS, const int narrow, const float *m, int64_t position, int tiles, int edge,
                         float *y, int64_t row, double *sums) {
	vec s = splat(0), q = splat(0);
	for (int i = 0; i < tiles - edge; i++, m += MS_LANES, y += 2 * MS_LANES)
		output_tile(ROWS, 2, ADD, SUMS, narrow, m, position, y, row, &s, &q);
	if (edge) output_tile(ROWS, 1, ADD, SUMS, narrow, m, position, y, row, &s, &q);
	if (!SUMS) return;
	float row_sums[2][VL];
	store_padded(narrow, row_sums[0], s);
	store_padded(narrow, row_sums[1], q);
	add_wide(sums, load(row_sums[0]));
	add_wide(sums + MS_LANES, load(row_sums[1]));
}

INLINE void output_mode(const int ROWS, const int narrow, int add, const float *m, int64_t position, int tiles, int edge, float *y, int64_t row, double *sums) {
	if (sums) output_tiles(ROWS, 0, 1, narrow, m, position, tiles, edge, y, row, sums);
	else if (add) output_tiles(ROWS, 1, 0, narrow, m, position, tiles, edge, y, row, sums);
	else output_tiles(ROWS, 0, 0, narrow, m, position, tiles, edge, y, row, sums);
}

// The output of a group, nb blocks from ob on.
static void transform_output(const struct winograd *g, const struct tile_group *p, int ob, int nb) {
	const int rows = tiles_of(g->y.h), width = p->right - p->left, edge = p->right * 2 > g->y.w;
	const int64_t row = ms_row(&g->y), plane = (int64_t)(p->last - p->first) * width * MS_LANES;
	for (int b = 0; b < nb; b++) {
		const int half = NARROW(0, 1, g->yhalves[ob + b] == 1);
		for (int r = p->first; r < p->last; r++) {
			const int n = r / rows, h = r % rows * 2, whole = h + 2 <= g->y.h;
			float *y = ms_at(&g->y, n, ob + b, h + 1, p->left * 2 + 1);
			double *sums = g->sums ? g->sums + ((int64_t)n * g->ocb + ob + b) * 2 * MS_LANES : NULL;
			const float *m = g->m + b * plane + (int64_t)(r - p->first) * width * MS_LANES;
			for (int i = 0; i < MS_LANES; i += VL) {
				double *to = sums ? sums + i : NULL;
				if (whole && half) output_mode(2, 1, g->accumulate, m + i, p->mposition, width, edge, y + i, row, to);
				else if (whole) output_mode(2, 0, g->accumulate, m + i, p->mposition, width, edge, y + i, row, to);
				else if (half) output_mode(1, 1, g->accumulate, m + i, p->mposition, width, edge, y + i, row, to);
				else output_mode(1, 0, g->accumulate, m + i, p->mposition, width, edge, y + i, row, to);
			}
			for (int i = 0; g->fused && i < 1 + whole; i++)
				finish(g->fused, g->image + n, ob + b, h + 1 + i, p->left * 2 + 1, width * 2 - edge);
		}
	}
}

// All of a group. The bias enters at position (1, 1), which all four pixels of a tile have with a factor of 1.
static void run_group(const struct winograd *g, struct tile_group *p) {
	const int64_t uposition = (int64_t)g->ocb * g->icb * WBLOCK;
	const int tiles_here = (p->last - p->first) * (p->right - p->left);
	const int64_t plane = (int64_t)tiles_here * MS_LANES;
	p->vposition = g->icb * plane + MS_LANES; // one pixel more, so that positions do not meet in the cache
	transform_input(g, p);
	for (int ob = g->first, nb; ob < g->last; ob += nb) {
		nb = next_blocks(tiles[S1][0], g->last - ob);
		p->mposition = nb * plane + MS_LANES;
		for (int i = 0; i < POSITIONS; i++) {
			const struct pass product = {
				.x = g->v + i * p->vposition, .xplane = plane, .xstep = MS_LANES, .icb = g->icb, .kh = 1, .kw = 1, .xhalves = g->xhalves,
				.w = g->u + i * uposition + (int64_t)ob * g->icb * WBLOCK,
				.y = g->m + i * p->mposition, .yplane = plane, .ystep = MS_LANES, .ocb = nb, .rows = 1, .width = tiles_here,
				.yhalves = g->yhalves + ob, .bias = g->bias && i == 5 ? g->bias + ob * MS_LANES : NULL,
			};
			run_rows(&product, S1, 0, nb, 0, 1);
		}
		transform_output(g, p, ob, nb);
	}
}

// The images of g, all rows of tiles from top to bottom-1, in groups: of whole rows, or of parts of one.
static void run_groups(const struct winograd *g) {
	const int most = ms_winograd_tiles(g->icb), width = tiles_of(g->y.w);
	const int rows = width < most ? most / width : 1, parts = (width + most - 1) / most;
	for (int r = g->top; r < g->bottom; r += rows)
		for (int i = 0; i < parts; i++) {
			struct tile_group p = {.first = r, .last = r + rows < g->bottom ? r + rows : g->bottom,
				.left = ms_share(width, parts, i), .right = ms_share(width, parts, i + 1)};
			run_group(g, &p);
		}
}

// A part of the images from n on, count of them: some output blocks or, where there are too few and no sums to make, rows.
static void run_part(struct winograd *g, int n, int count, struct part part, float *room) {
	const int rows = count * tiles_of(g->y.h), pairs = (g->ocb + 1) / 2;
	g->x.p = ms_at(&g->x, n, 0, 0, 0);
	g->y.p = ms_at(&g->y, n, 0, 0, 0);
	g->last = g->ocb;
	g->bottom = rows;
	if (pairs < part.of && !g->sums) {
		g->top = ms_share(rows, part.of, part.number);
		g->bottom = ms_share(rows, part.of, part.number + 1);
	} else {
		g->first = 2 * ms_share(pairs, part.of, part.number);
		g->last = 2 * ms_share(pairs, part.of, part.number + 1);
		if (g->last > g->ocb) g->last = g->ocb;
	}
	g->v = room;
	g->m = room + ms_winograd_input(g->icb);
	if (g->first == g->last) return;
	for (int i = 0; g->sums && i < count; i++)
		memset(g->sums + (i * (int64_t)g->ocb + g->first) * 2 * MS_LANES, 0, sizeof *g->sums * (size_t)(g->last - g->first) * 2 * MS_LANES);
	run_groups(g);
}

// y = conv(x), a part of `count` images from n on, with their sums where they are wanted.
static void winograd_convolve(const struct ms_conv *c, int n, int count, struct part part, int sums, float *room) {
	struct winograd g = {
		.x = c->x, .y = c->y, .icb = c->icb, .ocb = c->ocb, .xhalves = c->ihalves, .yhalves = c->ohalves, .u = c->wu,
		.bias = c->bn ? NULL : c->beta, .sums = sums ? image_sums(c, n) : NULL,
	};
	run_part(&g, n, count, part, room);
}

// dx of a part of `count` images from n on, from their dy and the turned weights.
static void winograd_input_backward(const struct ms_conv *c, int n, int count, struct part part, float *room) {
	struct winograd g = {
		.x = c->da, .y = c->dx, .icb = c->ocb, .ocb = c->icb, .xhalves = c->ohalves, .yhalves = c->ihalves, .u = c->wtu,
		.accumulate = c->acc_dx,
	};
	run_part(&g, n, count, part, room);
}

// G g G^T of one pair of channel blocks: w [3][3][16][16], u one block at each position.
static void transform_weights(const float *w, float *u, int64_t position) {
	const vec half = splat(0.5f);
	for (int i = 0; i < WBLOCK; i += VL) {
		vec t[4][3]; // G g
		for (int c = 0; c < 3; c++) {
			const vec a = load(w + c * WBLOCK + i), b = load(w + (3 + c) * WBLOCK + i), d = load(w + (6 + c) * WBLOCK + i);
			t[0][c] = a;
			t[1][c] = half * (a + d + b);
			t[2][c] = half * (a + d - b);
			t[3][c] = d;
		}
		for (int r = 0; r < 4; r++) {
			float *to = u + 4 * r * position + i;
			const vec ends = t[r][0] + t[r][2];
			store(to, t[r][0]);
			store(to + position, half * (ends + t[r][1]));
			store(to + 2 * position, half * (ends - t[r][1]));
			store(to + 3 * position, t[r][2]);
		}
	}
}

// w -> wu, output blocks first to last-1.
static void winograd_weights(const struct ms_conv *c, int first, int last) {
	const int64_t pairs = (int64_t)c->ocb * c->icb;
	for (int64_t i = (int64_t)first * c->icb; i < (int64_t)last * c->icb; i++)
		transform_weights(c->w + i * 9 * WBLOCK, c->wu + i * WBLOCK, pairs * WBLOCK);
}

// All weights of inference, so many pairs of channel blocks.
static void winograd_transform(const float *w, float *u, int64_t pairs) {
	for (int64_t i = 0; i < pairs; i++) transform_weights(w + i * 9 * WBLOCK, u + i * WBLOCK, pairs * WBLOCK);
}

// wt -> wtu, output blocks first to last-1.
static void winograd_turned(const struct ms_conv *c, int first, int last) {
	const int64_t pairs = (int64_t)c->ocb * c->icb;
	for (int ib = 0; ib < c->icb; ib++)
		for (int64_t i = (int64_t)ib * c->ocb + first; i < (int64_t)ib * c->ocb + last; i++)
			transform_weights(c->wt + i * 9 * WBLOCK, c->wtu + i * WBLOCK, pairs * WBLOCK);
}
