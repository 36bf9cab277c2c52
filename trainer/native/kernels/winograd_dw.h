// The gradient of the weights of 3x3 convolutions with stride 1 by Winograd's F(2x2,3x3) (Lavin & Gray, arXiv:1509.09308), for
// one instruction set. Included once by each kern_*.c after conv.h.
//
// The output falls into tiles of 2x2 pixels, the last row or column of which may reach beyond it by a pixel that counts as zero. With
// a tile's input d (4x4 pixels), the gradient e of its output (2x2), and the kernel g,
//
//   output = A'[(G g G')(B' d B)]A,  so that  dg = G'[sum over tiles of (B' d B)(A e A')]G,
//
// products element by element. B' d B has 16 positions; at each the sum is a product of matrices, [input lanes][tiles] by [tiles][output
// lanes], for which the register tile of conv.h does, taking tiles for pixels. That is 16 multiplications for 4 pixels of output where
// the direct form has 36.
//
// The last row of both B' and A has its sign turned, which leaves their product as it is.
//
// Bits: each float of du sums the tiles of an image one after the other, images downwards as conv.h has them. However many
// tiles are transformed at once, and whoever does which positions, the order is the same.

// Neighbouring tiles of a row of tiles. `at` counts the tiles gathered before them.
struct dw_run {
	int n, row, column, count, at;
};

// The tiles that are transformed at once, and where the next begin.
struct dw_tiles {
	int most;           // of them
	int64_t plane;      // floats of one position of theirs in one channel block
	int n, row, column; // of the next one
	int last;           // image
	int runs, tiles;
	struct dw_run run[MS_WINOGRAD_DW_TILES];
};

// Gathers the next tiles, images downwards. Returns 0 when there are none.
static int dw_gather(const struct ms_conv *c, struct dw_tiles *t) {
	const int rows = (c->y.h + 1) / 2, columns = (c->y.w + 1) / 2;
	for (t->runs = t->tiles = 0; t->n >= t->last && t->tiles < t->most; t->runs++) {
		const int room = t->most - t->tiles, left = columns - t->column, count = left < room ? left : room;
		t->run[t->runs] = (struct dw_run){t->n, t->row, t->column, count, t->tiles};
		t->tiles += count;
		t->column += count;
		if (t->column < columns) continue;
		t->column = 0;
		if (++t->row < rows) continue;
		t->row = 0;
		t->n--;
	}
	return t->tiles;
}

// Fetches a vector's worth and its neighbour of the next row of tiles, so many floats ahead, into the cache.
INLINE void fetch_ahead(const float *p, int64_t ahead) {
	__builtin_prefetch(p + ahead);
	__builtin_prefetch(p + ahead + MS_LANES);
}

// One row of B' d B: first and second are the two pixel rows that it combines (added, or their difference), from the first
// tile's left column on. v: four positions, t->plane floats from each to the next, of [count][16]. With FETCH the row `ahead`
// floats after the first is fetched.
INLINE void dw_input_row(const int ADDED, const int FETCH, const float *first, const float *second, int64_t ahead, int count, float *v, int64_t plane) {
#define COMBINED(pixel) \
	(ADDED ? load(f + (pixel) * MS_LANES) + load(s + (pixel) * MS_LANES) : load(f + (pixel) * MS_LANES) - load(s + (pixel) * MS_LANES))
	for (int l = 0; l < MS_LANES; l += VL) {
		const float *f = first + l, *s = second + l;
		float *to = v + l;
		vec d0 = COMBINED(0), d1 = COMBINED(1);
		for (int i = 0; i < count; i++, f += 2 * MS_LANES, s += 2 * MS_LANES, to += MS_LANES) {
			if (FETCH && l == 0) fetch_ahead(f, ahead);
			const vec d2 = COMBINED(2), d3 = COMBINED(3);
			store(to, d0 - d2);
			store(to + plane, d1 + d2);
			store(to + 2 * plane, d2 - d1);
			store(to + 3 * plane, d3 - d1);
			d0 = d2;
			d1 = d3;
		}
	}
}

// Row `position` of B' d B of all gathered tiles of an input block.
static void dw_input(const struct ms_conv *c, const struct dw_tiles *t, int block, int position, float *v) {
	static const int8_t rows[4][2] = {{0, 2}, {1, 2}, {2, 1}, {3, 1}};
	const int64_t ahead = 4 * ms_row(&c->x); // what the next row of tiles reads first
	for (int i = 0; i < t->runs; i++) {
		const struct dw_run *r = t->run + i;
		const float *at[2];
		for (int j = 0; j < 2; j++) {
			const int row = 2 * r->row + rows[position][j];
			// Beyond the last row all is zero, as in row 0. What is read beyond the last column is the halo of the next row.
			at[j] = ms_at(&c->x, r->n, block, row > c->x.h ? 0 : row, 2 * r->column);
		}
		float *to = v + r->at * MS_LANES;
		switch (position) {
		case 0: dw_input_row(0, 1, at[0], at[1], ahead, r->count, to, t->plane); break;
		case 1: dw_input_row(1, 1, at[0], at[1], ahead, r->count, to, t->plane); break;
		default: dw_input_row(0, 0, at[0], at[1], ahead, r->count, to, t->plane);
		}
	}
}

// A pixel in row POSITION of A e: of the upper pixel row, the sum of both, their difference, or of the lower one.
INLINE vec dw_output_pixel(const int POSITION, const float *upper, const float *lower) {
	switch (POSITION) {
	case 0: return load(upper);
	case 1: return load(upper) + load(lower);
	case 2: return load(upper) - load(lower);
	default: return load(lower);
	}
}

// One row of A e A', from the left pixel of the first tile's upper row on, `row` floats before the lower one.
INLINE void dw_output_row(const int POSITION, const float *upper, int64_t row, int count, float *e, int64_t plane) {
	for (int t = 0; t < count; t++, upper += 2 * MS_LANES, e += MS_LANES) {
		const float *lower = upper + row;
		if (POSITION == 0) fetch_ahead(upper, 2 * row);
		if (POSITION == 3) fetch_ahead(lower, 2 * row);
		for (int l = 0; l < MS_LANES; l += VL) {
			const vec left = dw_output_pixel(POSITION, upper + l, lower + l);
			const vec right = dw_output_pixel(POSITION, upper + MS_LANES + l, lower + MS_LANES + l);
			store(e + l, left);
			store(e + plane + l, left + right);
			store(e + 2 * plane + l, left - right);
			store(e + 3 * plane + l, right);
		}
	}
}

// Row `position` of A e A' of all gathered tiles, all output blocks: [4][OCB] planes.
static void dw_output(const struct ms_conv *c, const struct dw_tiles *t, int position, float *e) {
	const int64_t row = ms_row(&c->da), apart = c->ocb * t->plane;
	for (int block = 0; block < c->ocb; block++, e += t->plane)
		for (int i = 0; i < t->runs; i++) {
			const struct dw_run *r = t->run + i;
			// Where a tile reaches beyond the output these are pixels of the halo.
			const float *upper = ms_at(&c->da, r->n % c->da_room, block, 2 * r->row + 1, 2 * r->column + 1);
			float *to = e + r->at * MS_LANES;
			switch (position) {
			case 0: dw_output_row(0, upper, row, r->count, to, apart); break;
			case 1: dw_output_row(1, upper, row, r->count, to, apart); break;
			case 2: dw_output_row(2, upper, row, r->count, to, apart); break;
			default: dw_output_row(3, upper, row, r->count, to, apart);
			}
		}
}

// Adds the products of the gathered tiles to four positions of du, [4][OCB][ICB][16][16], all output blocks by one input block.
static void dw_multiply(const struct ms_conv *c, const struct dw_tiles *t, int block, const float *v, const float *e, float *du) {
	const int64_t dublock = (int64_t)c->icb * WBLOCK;
	const struct weight_pass p = {.xpixel = MS_LANES, .dyplane = t->plane, .rows = 1, .width = t->tiles, .dwblock = dublock};
	for (int position = 0; position < 4; position++, v += t->plane)
		for (int ob = 0, nb; ob < c->ocb; ob += nb, e += nb * t->plane, du += nb * dublock) {
			nb = c->ocb - ob < WEIGHT_NB_MAX ? 1 : WEIGHT_NB_MAX;
			weight_tile_of(nb, c->ohalves[ob + nb - 1], c->ihalves[block])(&p, c->ihalves[block] * HALF_LANES, v, e, du + block * WBLOCK);
		}
}

// du falls into 4*ICB units, one for each row of positions and input block, that can be made apart from each other.
static int dw_units(const struct ms_conv *c) { return 4 * c->icb; }

// Adds the images first to last to the units from to to-1 of du.
static void winograd_weight_backward(const struct ms_conv *c, int first, int last, int from, int to, float *room) {
	struct dw_tiles t = {.most = ms_winograd_dw_tiles(c->ocb), .plane = ms_winograd_dw_plane(c->ocb), .n = last, .last = first};
	float *const v = room, *const e = room + 4 * t.plane;
	const int64_t row = 4 * (int64_t)c->ocb * c->icb * WBLOCK;
	while (dw_gather(c, &t))
		for (int unit = from, made = -1; unit < to; unit++) {
			const int position = unit / c->icb, block = unit % c->icb;
			if (position != made) dw_output(c, &t, position, e);
			made = position;
			dw_input(c, &t, block, position, v);
			dw_multiply(c, &t, block, v, e, c->du + position * row);
		}
}

// Before the first image: nothing in du, for the output blocks first to last-1.
static void dw_clear(const struct ms_conv *c, int first, int last) {
	const int64_t block = (int64_t)c->icb * WBLOCK;
	for (int position = 0; position < 16; position++)
		memset(c->du + (position * c->ocb + first) * block, 0, sizeof(float) * (size_t)((last - first) * block));
}

// One row or column of G': three floats from four.
INLINE void dw_kernel(const vec u[4], vec g[3]) {
	const vec half = splat(0.5f), sum = (u[1] + u[2]) * half;
	g[0] = u[0] + sum;
	g[1] = (u[1] - u[2]) * half;
	g[2] = sum + u[3];
}

// After the last image: dw = G' du G, or that added, for the output blocks first to last-1.
static void dw_finish(const struct ms_conv *c, int first, int last) {
	const int64_t position = (int64_t)c->ocb * c->icb * WBLOCK;
	for (int64_t b = (int64_t)first * c->icb; b < (int64_t)last * c->icb; b++)
		for (int i = 0; i < WBLOCK; i += VL) {
			const float *du = c->du + b * WBLOCK + i;
			float *dw = c->dw + b * 9 * WBLOCK + i;
			vec half[3][4]; // G' du
			for (int w = 0; w < 4; w++) {
				vec u[4], g[3];
				for (int h = 0; h < 4; h++) u[h] = load(du + (4 * h + w) * position);
				dw_kernel(u, g);
				for (int h = 0; h < 3; h++) half[h][w] = g[h];
			}
			for (int h = 0; h < 3; h++) {
				vec g[3];
				dw_kernel(half[h], g);
				for (int w = 0; w < 3; w++, dw += WBLOCK) store(dw, c->acc_w ? load(dw) + g[w] : g[w]);
			}
		}
}
