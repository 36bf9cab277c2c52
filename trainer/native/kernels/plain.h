// Everything that is not a convolution, for one instruction set. Included once by each kern_*.c after simd.h.
// Loops over whole rows treat W*16 floats as one run: a row's blocks lie side by side.

// A kernel over views of as many images and blocks, which works on each plane of z alone: on the planes first to last-1, counted
// [N][CB]. The others of these fields are the kernel's own.
struct planes {
	void (*work)(const struct planes *, int first, int last);
	struct ms_view x, y, z;
	int acc, all, pieces;
	const float *from;
	float *to;
	uint8_t *index; // [N][CB][H][W][16] of y
	int64_t image_floats;
	int pixel_floats, channels;
};

#define EACH_ROW(v)                                                         \
	for (int plane = first, n, b; plane < last; plane++)                    \
		if (n = plane / (v).cb, b = plane % (v).cb, 1)                      \
			for (int h = 1; h <= (v).h; h++)

static void planes_piece(const void *job, int piece, int member) {
	const struct planes *p = job;
	p->work(p, ms_share(p->all, p->pieces, piece), ms_share(p->all, p->pieces, piece + 1));
}

// Deals the planes out to the team of z, if they are worth it.
static void each_plane(struct planes *p) {
	const int64_t worth = 8192; // floats: a few microseconds
	const int threads = ms_team_threads(p->z.team);
	p->all = p->z.n * p->z.cb;
	if (threads == 1 || p->all * ms_plane(&p->z) < worth) {
		p->work(p, 0, p->all);
		return;
	}
	p->pieces = p->all < 4 * threads ? p->all : 4 * threads;
	ms_team_run(p->z.team, planes_piece, p, p->pieces, 0);
}

static void copy_planes(const struct planes *p, int first, int last) {
	EACH_ROW(p->z) {
		const float *s = ms_at(&p->x, n, b, h, 1);
		float *d = ms_at(&p->z, n, b, h, 1);
		if (!p->acc) {
			memcpy(d, s, sizeof(float) * MS_LANES * p->z.w);
			continue;
		}
		for (int i = 0; i < p->z.w * MS_LANES; i += VL) store(d + i, load(d + i) + load(s + i));
	}
}

static void copy(struct ms_view src, struct ms_view dst, int acc) { each_plane(&(struct planes){copy_planes, .x = src, .z = dst, .acc = acc}); }

static void zero_planes(const struct planes *p, int first, int last) {
	EACH_ROW(p->z) memset(ms_at(&p->z, n, b, h, 1), 0, sizeof(float) * (size_t)p->z.ps * p->z.w);
}

static void zero(struct ms_view dst) { each_plane(&(struct planes){zero_planes, .z = dst}); }

static void add_planes(const struct planes *p, int first, int last) {
	EACH_ROW(p->z) {
		const float *x = ms_at(&p->x, n, b, h, 1), *y = ms_at(&p->y, n, b, h, 1);
		float *d = ms_at(&p->z, n, b, h, 1);
		for (int i = 0; i < p->z.w * MS_LANES; i += VL) store(d + i, load(x + i) + load(y + i));
	}
}

static void add(struct ms_view x, struct ms_view y, struct ms_view dst) { each_plane(&(struct planes){add_planes, .x = x, .y = y, .z = dst}); }

// Nearest neighbour, twice as large: y(2h..2h+1, 2w..2w+1) = x(h, w).
static void upsample_planes(const struct planes *p, int first, int last) {
	EACH_ROW(p->x) {
		const float *s = ms_at(&p->x, n, b, h, 1);
		float *up = ms_at(&p->z, n, b, 2 * h - 1, 1), *down = ms_at(&p->z, n, b, 2 * h, 1);
		for (int w = 0; w < p->x.w; w++, s += MS_LANES)
			for (int v = 0; v < MS_LANES; v += VL, up += VL, down += VL) {
				const vec f = load(s + v);
				store(up, f);
				store(up + MS_LANES, f);
				store(down, f);
				store(down + MS_LANES, f);
				if (v + VL == MS_LANES) up += MS_LANES, down += MS_LANES;
			}
	}
}

static void upsample_forward(struct ms_view x, struct ms_view y) { each_plane(&(struct planes){upsample_planes, .x = x, .z = y}); }

static void upsample_back_planes(const struct planes *p, int first, int last) {
	EACH_ROW(p->z) {
		float *d = ms_at(&p->z, n, b, h, 1);
		const float *up = ms_at(&p->y, n, b, 2 * h - 1, 1), *down = ms_at(&p->y, n, b, 2 * h, 1);
		for (int w = 0; w < p->z.w; w++)
			for (int v = 0; v < MS_LANES; v += VL) {
				const int i = w * 2 * MS_LANES + v;
				vec g = (load(up + i) + load(up + i + MS_LANES)) + (load(down + i) + load(down + i + MS_LANES));
				if (p->acc) g += load(d + w * MS_LANES + v);
				store(d + w * MS_LANES + v, g);
			}
	}
}

static void upsample_backward(struct ms_view dy, struct ms_view dx, int acc) {
	each_plane(&(struct planes){upsample_back_planes, .y = dy, .z = dx, .acc = acc});
}

// Blocked <-> dense [H*W][channels] per image; on the dense side image_floats lie between two images and pixel_floats
// between two pixels.
static void unpack_planes(const struct planes *p, int first, int last) {
	EACH_ROW(p->z) {
		const int at = b * MS_LANES, lanes = p->channels - at < MS_LANES ? p->channels - at : MS_LANES;
		const float *s = ms_at(&p->z, n, b, h, 1);
		float *d = p->to + n * p->image_floats + (int64_t)(h - 1) * p->z.w * p->pixel_floats + at;
		for (int w = 0; w < p->z.w; w++, s += MS_LANES, d += p->pixel_floats)
			if (lanes == MS_LANES) memcpy(d, s, sizeof(float) * MS_LANES);
			else
				for (int l = 0; l < lanes; l++) d[l] = s[l];
	}
}

static void unpack(struct ms_view src, float *dst, int64_t image_floats, int pixel_floats, int channels) {
	each_plane(&(struct planes){unpack_planes, .z = src, .to = dst, .image_floats = image_floats, .pixel_floats = pixel_floats, .channels = channels});
}

static void pack_planes(const struct planes *p, int first, int last) {
	EACH_ROW(p->z) {
		const int at = b * MS_LANES, lanes = p->channels - at < MS_LANES ? p->channels - at : MS_LANES;
		const float *s = p->from + n * p->image_floats + (int64_t)(h - 1) * p->z.w * p->pixel_floats + at;
		float *d = ms_at(&p->z, n, b, h, 1);
		for (int w = 0; w < p->z.w; w++, s += p->pixel_floats, d += MS_LANES)
			if (lanes == MS_LANES) memcpy(d, s, sizeof(float) * MS_LANES);
			else
				for (int l = 0; l < MS_LANES; l++) d[l] = l < lanes ? s[l] : 0;
	}
}

static void pack(const float *src, int64_t image_floats, int pixel_floats, int channels, struct ms_view dst) {
	each_plane(&(struct planes){pack_planes, .z = dst, .from = src, .image_floats = image_floats, .pixel_floats = pixel_floats, .channels = channels});
}

// g = gscale*g + decay*w;  m = momentum*m + g;  w -= rate*(g + momentum*m)   (Nesterov, as in Sutskever et al. 2013)
INLINE void sgd_step(float *w, const float *g, float *m, float rate, float momentum, float decay, float gscale) {
	const vec d = muladd(load(g), splat(gscale), splat(decay) * load(w));
	const vec mo = muladd(splat(momentum), load(m), d);
	store(m, mo);
	store(w, muladd(muladd(splat(momentum), mo, d), splat(-rate), load(w)));
}

// The last n%VL elements go through vectors on the stack, so that they are rounded as all others.
static void sgd(float *w, const float *g, float *m, int64_t n, float rate, float momentum, float decay, float gscale) {
	int64_t i = 0;
	for (; i + VL <= n; i += VL) sgd_step(w + i, g + i, m + i, rate, momentum, decay, gscale);
	if (i == n) return;
	const size_t rest = sizeof(float) * (size_t)(n - i);
	float tw[VL] = {0}, tg[VL] = {0}, tm[VL] = {0};
	memcpy(tw, w + i, rest);
	memcpy(tg, g + i, rest);
	memcpy(tm, m + i, rest);
	sgd_step(tw, tg, tm, rate, momentum, decay, gscale);
	memcpy(w + i, tw, rest);
	memcpy(m + i, tm, rest);
}

static void lerp(float *dst, const float *src, int64_t n, float t) {
	int64_t i = 0;
	for (; i + VL <= n; i += VL) store(dst + i, muladd(splat(t), load(src + i) - load(dst + i), load(dst + i)));
	if (i == n) return;
	const size_t rest = sizeof(float) * (size_t)(n - i);
	float td[VL] = {0}, ts[VL] = {0};
	memcpy(td, dst + i, rest);
	memcpy(ts, src + i, rest);
	store(td, muladd(splat(t), load(ts) - load(td), load(td)));
	memcpy(dst + i, td, rest);
}

static void scale(float *p, int64_t n, float f) {
	for (int64_t i = 0; i < n; i++) p[i] *= f;
}

static double sum_squares(const float *p, int64_t n) {
	double lane[MS_LANES] = {0}, sum = 0;
	int64_t i = 0;
	for (; i + MS_LANES <= n; i += MS_LANES)
		for (int l = 0; l < MS_LANES; l++) lane[l] += (double)p[i + l] * p[i + l];
	for (; i < n; i++) lane[0] += (double)p[i] * p[i];
	for (int l = 0; l < MS_LANES; l++) sum += lane[l];
	return sum;
}
