// Everything that is not a convolution, for one instruction set. Included once by each kern_*.c after simd.h.
// Loops over whole rows treat W*16 floats as one run: a row's blocks lie side by side.

#define EACH_ROW(v)                     \
	for (int n = 0; n < (v).n; n++)      \
		for (int b = 0; b < (v).cb; b++) \
			for (int h = 1; h <= (v).h; h++)

static void copy(struct ms_view src, struct ms_view dst, int acc) {
	EACH_ROW(dst) {
		const float *s = ms_at(&src, n, b, h, 1);
		float *d = ms_at(&dst, n, b, h, 1);
		if (!acc) {
			memcpy(d, s, sizeof(float) * MS_LANES * dst.w);
			continue;
		}
		for (int i = 0; i < dst.w * MS_LANES; i += VL) store(d + i, load(d + i) + load(s + i));
	}
}

static void zero(struct ms_view dst) {
	EACH_ROW(dst) memset(ms_at(&dst, n, b, h, 1), 0, sizeof(float) * (size_t)dst.ps * dst.w);
}

static void add(struct ms_view x, struct ms_view y, struct ms_view dst) {
	EACH_ROW(dst) {
		const float *p = ms_at(&x, n, b, h, 1), *q = ms_at(&y, n, b, h, 1);
		float *d = ms_at(&dst, n, b, h, 1);
		for (int i = 0; i < dst.w * MS_LANES; i += VL) store(d + i, load(p + i) + load(q + i));
	}
}

// Nearest neighbour, twice as large: y(2h..2h+1, 2w..2w+1) = x(h, w).
static void upsample_forward(struct ms_view x, struct ms_view y) {
	EACH_ROW(x) {
		const float *s = ms_at(&x, n, b, h, 1);
		float *up = ms_at(&y, n, b, 2 * h - 1, 1), *down = ms_at(&y, n, b, 2 * h, 1);
		for (int w = 0; w < x.w; w++, s += MS_LANES)
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

static void upsample_backward(struct ms_view dy, struct ms_view dx, int acc) {
	EACH_ROW(dx) {
		float *d = ms_at(&dx, n, b, h, 1);
		const float *up = ms_at(&dy, n, b, 2 * h - 1, 1), *down = ms_at(&dy, n, b, 2 * h, 1);
		for (int w = 0; w < dx.w; w++)
			for (int v = 0; v < MS_LANES; v += VL) {
				const int i = w * 2 * MS_LANES + v;
				vec g = (load(up + i) + load(up + i + MS_LANES)) + (load(down + i) + load(down + i + MS_LANES));
				if (acc) g += load(d + w * MS_LANES + v);
				store(d + w * MS_LANES + v, g);
			}
	}
}

// Blocked <-> dense [H*W][channels] per image; on the dense side image_floats lie between two images and pixel_floats
// between two pixels.
static void unpack(struct ms_view src, float *dst, int64_t image_floats, int pixel_floats, int channels) {
	EACH_ROW(src) {
		const int first = b * MS_LANES, lanes = channels - first < MS_LANES ? channels - first : MS_LANES;
		const float *s = ms_at(&src, n, b, h, 1);
		float *d = dst + n * image_floats + (int64_t)(h - 1) * src.w * pixel_floats + first;
		for (int w = 0; w < src.w; w++, s += MS_LANES, d += pixel_floats)
			if (lanes == MS_LANES) memcpy(d, s, sizeof(float) * MS_LANES);
			else
				for (int l = 0; l < lanes; l++) d[l] = s[l];
	}
}

static void pack(const float *src, int64_t image_floats, int pixel_floats, int channels, struct ms_view dst) {
	EACH_ROW(dst) {
		const int first = b * MS_LANES, lanes = channels - first < MS_LANES ? channels - first : MS_LANES;
		const float *s = src + n * image_floats + (int64_t)(h - 1) * dst.w * pixel_floats + first;
		float *d = ms_at(&dst, n, b, h, 1);
		for (int w = 0; w < dst.w; w++, s += pixel_floats, d += MS_LANES)
			if (lanes == MS_LANES) memcpy(d, s, sizeof(float) * MS_LANES);
			else
				for (int l = 0; l < MS_LANES; l++) d[l] = l < lanes ? s[l] : 0;
	}
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
