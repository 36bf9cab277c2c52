// Pooling, for one instruction set. Included once by each kern_*.c after plain.h.

// Maximum of a K x K window whose centre stands at every S-th pixel; outside the plane nothing counts. index,
// [N][CB][H][W][16] bytes of y's extent, remembers the winner as K*row + column of the window, the first of equals. A NaN
// wins over everything, and the last of several, as in PyTorch: a network that has diverged must not look sound.
// K and S are constants at every call.
INLINE void max_planes(const int K, const int S, const struct planes *p, int first, int last) {
	const struct ms_view x = p->x, y = p->z;
	const int64_t row = ms_row(&x);
	uint8_t *index = p->index + (int64_t)first * y.h * y.w * MS_LANES;
	EACH_ROW(y) {
		const float *from = ms_at(&x, n, b, 0, 0);
		float *d = ms_at(&y, n, b, h, 1);
		const int top = (h - 1) * S + 1 - K / 2;
		for (int w = 1; w <= y.w; w++)
			for (int v = 0; v < MS_LANES; v += VL, d += VL, index += VL) {
				const int left = (w - 1) * S + 1 - K / 2;
				vec best = splat(-__builtin_inff());
				ivec where = isplat(K * (K / 2) + K / 2); // the centre, should nothing be larger than -Inf
				for (int i = 0, hh = top; i < K; i++, hh++)
					if (hh >= 1 && hh <= x.h)
						for (int j = 0, ww = left; j < K; j++, ww++)
							if (ww >= 1 && ww <= x.w) {
								const vec f = load(from + hh * row + ww * MS_LANES + v);
								const ivec more = (f > best) | (f != f);
								best = pick(more, f, best);
								where = (more & (i * K + j)) | (~more & where);
							}
				store(d, best);
				for (int l = 0; l < VL; l++) index[l] = (uint8_t)where[l];
			}
	}
}

INLINE void max_back_planes(const int K, const int S, const struct planes *p, int first, int last) {
	const struct ms_view dy = p->y, dx = p->z;
	const int64_t row = ms_row(&dx);
	const uint8_t *index = p->index + (int64_t)first * dy.h * dy.w * MS_LANES;
	if (!p->acc) zero_planes(p, first, last);
	EACH_ROW(dy) {
		float *to = ms_at(&dx, n, b, 0, 0);
		const float *d = ms_at(&dy, n, b, h, 1);
		for (int w = 1; w <= dy.w; w++, d += MS_LANES, index += MS_LANES)
			for (int l = 0; l < MS_LANES; l++) {
				const int hh = (h - 1) * S + 1 - K / 2 + index[l] / K, ww = (w - 1) * S + 1 - K / 2 + index[l] % K;
				to[hh * row + ww * MS_LANES + l] += d[l];
			}
	}
}

static void pool_planes(const struct planes *p, int first, int last) { max_planes(5, 1, p, first, last); }
static void pool_back_planes(const struct planes *p, int first, int last) { max_back_planes(5, 1, p, first, last); }
static void pool_down_planes(const struct planes *p, int first, int last) { max_planes(3, 2, p, first, last); }
static void pool_down_back_planes(const struct planes *p, int first, int last) { max_back_planes(3, 2, p, first, last); }

static void pool_forward(struct ms_view x, struct ms_view y, uint8_t *index) {
	each_plane(&(struct planes){pool_planes, .x = x, .z = y, .index = index});
}
static void pool_backward(struct ms_view dy, struct ms_view dx, const uint8_t *index, int acc) {
	each_plane(&(struct planes){pool_back_planes, .y = dy, .z = dx, .index = (uint8_t *)index, .acc = acc});
}
static void pool_down_forward(struct ms_view x, struct ms_view y, uint8_t *index) {
	each_plane(&(struct planes){pool_down_planes, .x = x, .z = y, .index = index});
}
static void pool_down_backward(struct ms_view dy, struct ms_view dx, const uint8_t *index, int acc) {
	each_plane(&(struct planes){pool_down_back_planes, .y = dy, .z = dx, .index = (uint8_t *)index, .acc = acc});
}

// Mean of 2x2 pixels, stride 1: y(h, w) = (x(h, w) + x(h, w+1) + x(h+1, w) + x(h+1, w+1)) / 4; y is smaller by one.
static void mean_planes(const struct planes *p, int first, int last) {
	const int64_t row = ms_row(&p->x);
	EACH_ROW(p->z) {
		const float *s = ms_at(&p->x, n, b, h, 1);
		float *d = ms_at(&p->z, n, b, h, 1);
		for (int i = 0; i < p->z.w * MS_LANES; i += VL) {
			const vec up = load(s + i) + load(s + i + MS_LANES), down = load(s + row + i) + load(s + row + i + MS_LANES);
			store(d + i, (up + down) * splat(0.25f));
		}
	}
}

static void mean_forward(struct ms_view x, struct ms_view y) { each_plane(&(struct planes){mean_planes, .x = x, .z = y}); }

// Each pixel of dx is read by up to four of dy; where one of them is missing stands dy's halo, which is zero.
static void mean_back_planes(const struct planes *p, int first, int last) {
	const int64_t row = ms_row(&p->y);
	EACH_ROW(p->z) {
		const float *s = ms_at(&p->y, n, b, h - 1, 0);
		float *d = ms_at(&p->z, n, b, h, 1);
		for (int i = 0; i < p->z.w * MS_LANES; i += VL) {
			const vec up = load(s + i) + load(s + i + MS_LANES), down = load(s + row + i) + load(s + row + i + MS_LANES);
			vec g = (up + down) * splat(0.25f);
			if (p->acc) g += load(d + i);
			store(d + i, g);
		}
	}
}

static void mean_backward(struct ms_view dy, struct ms_view dx, int acc) {
	each_plane(&(struct planes){mean_back_planes, .y = dy, .z = dx, .acc = acc});
}
