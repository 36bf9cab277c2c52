// Inference, for one instruction set: convolutions that are activated as they are made, and maxima that remember no
// winner. Included once by each kern_*.c after winograd.h and pool.h.

#define BAND_FLOATS 4096 // of the output, activated while they are still in the first cache

// So many images in runs, or in some parts each: output blocks or, where there are too few, rows.
struct fused_job {
	const struct ms_fused *f;
	int images, runs, parts;
};

static void finish_rows(const struct ms_fused *f, int n, int ob, int nb, int row, int rows) {
	for (int b = ob; b < ob + nb; b++)
		for (int h = row; h < row + rows; h++) finish(f, n, b, h, 1, f->y.w);
}

static void fused_piece(const void *job, int piece, int member) {
	const struct fused_job *j = job;
	const struct ms_fused *f = j->f;
	const int n = piece / j->parts, part = piece % j->parts;
	const int centre = f->k == 1; // a 1x1 kernel begins at the pixel itself, a 3x3 one in the halo
	const enum kind kind = f->image ? (f->s == 1 ? I1 : I2) : (f->s == 1 ? S1 : S2);
	const struct pass p = {
		.x = ms_at(&f->x, n, 0, centre, centre), .xplane = ms_plane(&f->x), .xrow = ms_row(&f->x), .xstep = f->x.ps, .xdown = f->s * ms_row(&f->x),
		.icb = f->icb, .kh = f->k, .kw = f->k, .xhalves = f->ihalves, .w = f->w,
		.y = ms_at(&f->y, n, 0, 1, 1), .yplane = ms_plane(&f->y), .ydown = ms_row(&f->y), .ystep = f->y.ps,
		.ocb = f->ocb, .rows = f->y.h, .width = f->y.w, .yhalves = f->ohalves, .bias = f->bias,
	};
	int first = 0, last = p.ocb, top = 0, bottom = p.rows;
	if (p.ocb < j->parts) {
		top = ms_share(p.rows, j->parts, part);
		bottom = ms_share(p.rows, j->parts, part + 1);
	} else {
		first = ms_share(p.ocb, j->parts, part);
		last = ms_share(p.ocb, j->parts, part + 1);
	}
	int group = (int)(INPUT_FLOATS / (p.icb * p.xdown));
	if (group < 1) group = 1;
	for (int from = top; from < bottom; from += group) {
		const int to = from + group < bottom ? from + group : bottom;
		for (int ob = first, nb; ob < last; ob += nb) {
			nb = next_blocks(tiles[kind][0], last - ob);
			int band = BAND_FLOATS / (nb * p.width * MS_LANES);
			if (band < 1) band = 1;
			for (int h = from; h < to; h += band) {
				const int end = h + band < to ? h + band : to;
				run_rows(&p, kind, ob, nb, h, end);
				finish_rows(f, n, ob, nb, h + 1, end - h);
			}
		}
	}
}

static void fused_winograd_piece(const void *job, int piece, int member) {
	const struct fused_job *j = job;
	const struct ms_fused *f = j->f;
	const int run = piece / j->parts, n = ms_share(j->images, j->runs, run), count = ms_share(j->images, j->runs, run + 1) - n;
	struct winograd g = {
		.x = f->x, .y = f->y, .icb = f->icb, .ocb = f->ocb, .xhalves = f->ihalves, .yhalves = f->ohalves, .u = f->w, .bias = f->bias,
		.fused = f, .image = n,
	};
	run_part(&g, n, count, (struct part){piece % j->parts, j->parts}, f->room + member * f->room_floats);
}

// Runs of as many images as fill a group of tiles, and as many runs for every thread.
static int winograd_runs(const struct ms_fused *f, int images, int threads) {
	const int each = ms_winograd_images(f->y.h, f->y.w, f->icb), runs = (images + each - 1) / each;
	return (runs + threads - 1) / threads * threads;
}

// In Winograd's form parts are larger: all output blocks of one transform their input anew.
static void fused_forward(const struct ms_fused *f, int images) {
	struct fused_job j = {f, images, images, 1};
	const int threads = ms_team_threads(f->y.team);
	if (images % threads) j.parts = ((f->winograd ? 2 : 4) * threads + images - 1) / images;
	else if (f->winograd) j.runs = winograd_runs(f, images, threads);
	ms_team_run(f->y.team, f->winograd ? fused_winograd_piece : fused_piece, &j, j.runs * j.parts, 0);
}

// Maximum of a K x K window whose centre stands at every S-th pixel; outside the plane nothing counts, and NaN wins.
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
				ivec bad = best != best;
				for (int hh = top; hh <= bottom; hh++)
					for (int ww = left; ww <= right; ww++) {
						const vec f = load(from + hh * row + ww * MS_LANES + v);
						best = vmax(f, best);
						bad |= f != f;
					}
				store(d, pick(bad, splat(__builtin_nanf("")), best));
			}
	}
}

static void pool_only_planes(const struct planes *p, int first, int last) { max_only(5, 1, p, first, last); }
static void pool_down_only_planes(const struct planes *p, int first, int last) { max_only(3, 2, p, first, last); }
static void pool_only(struct ms_view x, struct ms_view y) { each_plane(&(struct planes){pool_only_planes, .x = x, .z = y}); }
static void pool_down_only(struct ms_view x, struct ms_view y) { each_plane(&(struct planes){pool_down_only_planes, .x = x, .z = y}); }
