// Inference, for one instruction set: convolutions that are activated as they are made, and maxima that remember no
// winner. Included once by each kern_*.c after conv.h and pool.h.

#define BAND_FLOATS 4096 // of the output, activated while they are still in the first cache

// y = silu(y) where that is wanted, and y += add where there is one: rows of nb output blocks, image n.
static void finish(const struct ms_fused *f, int n, int ob, int nb, int row, int rows) {
	for (int b = ob; b < ob + nb; b++)
		for (int h = row; h < row + rows; h++) {
			float *y = ms_at(&f->y, n, b, h, 1);
			const float *add = f->add.p ? ms_at(&f->add, n, b, h, 1) : NULL;
			const int floats = f->y.w * MS_LANES;
			if (f->active && add) {
				for (int i = 0; i < floats; i += VL) {
					const vec z = load(y + i);
					store(y + i, muladd(z, sigmoid(z), load(add + i)));
				}
			} else if (f->active) {
				for (int i = 0; i < floats; i += VL) {
					const vec z = load(y + i);
					store(y + i, z * sigmoid(z));
				}
			} else {
				for (int i = 0; i < floats; i += VL) store(y + i, load(y + i) + load(add + i));
			}
		}
}

static void fused_forward(const struct ms_fused *f, int images) {
	const int centre = f->k == 1; // a 1x1 kernel begins at the pixel itself, a 3x3 one in the halo
	const enum kind kind = f->image ? (f->s == 1 ? I1 : I2) : (f->s == 1 ? S1 : S2);
	struct pass p = {
		.xplane = ms_plane(&f->x), .xrow = ms_row(&f->x), .xstep = f->x.ps, .xdown = f->s * ms_row(&f->x),
		.icb = f->icb, .kh = f->k, .kw = f->k, .xhalves = f->ihalves, .w = f->w,
		.yplane = ms_plane(&f->y), .ydown = ms_row(&f->y), .ystep = f->y.ps,
		.ocb = f->ocb, .rows = f->y.h, .width = f->y.w, .yhalves = f->ohalves, .bias = f->bias,
	};
	int group = (int)(INPUT_FLOATS / (p.icb * p.xdown));
	if (group < 1) group = 1;
	for (int n = 0; n < images; n++) {
		p.x = ms_at(&f->x, n, 0, centre, centre);
		p.y = ms_at(&f->y, n, 0, 1, 1);
		for (int from = 0; from < p.rows; from += group) {
			const int to = from + group < p.rows ? from + group : p.rows;
			for (int ob = 0, nb; ob < p.ocb; ob += nb) {
				nb = next_blocks(tiles[kind][0], p.ocb - ob);
				int band = BAND_FLOATS / (nb * p.width * MS_LANES);
				if (band < 1) band = 1;
				for (int h = from; h < to; h += band) {
					const int end = h + band < to ? h + band : to;
					run_rows(&p, kind, ob, nb, h, end);
					if (f->active || f->add.p) finish(f, n, ob, nb, h + 1, end - h);
				}
			}
		}
	}
}

// Maximum of a K x K window whose centre stands at every S-th pixel; outside the plane nothing counts.
INLINE void max_only(const int K, const int S, const struct planes *p, int first, int last) {
	const struct ms_view x = p->x, y = p->z;
	const int64_t row = ms_row(&x);
	EACH_ROW(y) {
		const float *from = ms_at(&x, n, b, 0, 0);
		float *d = ms_at(&y, n, b, h, 1);
		const int middle = (h - 1) * S + 1;
		const int top = middle - K / 2 < 1 ? 1 : middle - K / 2, bottom = middle + K / 2 > x.h ? x.h : middle + K / 2;
		for (int w = 0; w < y.w; w++)
			for (int v = 0; v < MS_LANES; v += VL, d += VL) {
				const int centre = w * S + 1;
				const int left = centre - K / 2 < 1 ? 1 : centre - K / 2, right = centre + K / 2 > x.w ? x.w : centre + K / 2;
				vec best = load(from + middle * row + centre * MS_LANES + v);
				for (int hh = top; hh <= bottom; hh++)
					for (int ww = left; ww <= right; ww++) best = vmax(load(from + hh * row + ww * MS_LANES + v), best);
				store(d, best);
			}
	}
}

static void pool_only_planes(const struct planes *p, int first, int last) { max_only(5, 1, p, first, last); }
static void pool_down_only_planes(const struct planes *p, int first, int last) { max_only(3, 2, p, first, last); }
static void pool_only(struct ms_view x, struct ms_view y) { each_plane(&(struct planes){pool_only_planes, .x = x, .z = y}); }
static void pool_down_only(struct ms_view x, struct ms_view y) { each_plane(&(struct planes){pool_down_only_planes, .x = x, .z = y}); }
