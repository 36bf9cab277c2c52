// Pooling, for one instruction set. Included once by each kern_*.c after plain.h.

// Maximum of a K x K window whose centre stands at every S-th pixel; outside the plane nothing counts. index,
// [N][CB][H][W][16] bytes of y's extent, remembers the winner as K*row + column of the window, the first of equals.
// K and S are constants at every call.
INLINE void max_forward(const int K, const int S, struct ms_view x, struct ms_view y, uint8_t *index) {
	const int64_t row = ms_row(&x);
	EACH_ROW(y) {
		const float *plane = ms_at(&x, n, b, 0, 0);
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
								const vec f = load(plane + hh * row + ww * MS_LANES + v);
								const ivec more = f > best;
								best = pick(more, f, best);
								where = (more & (i * K + j)) | (~more & where);
							}
				store(d, best);
				for (int l = 0; l < VL; l++) index[l] = (uint8_t)where[l];
			}
	}
}

INLINE void max_backward(const int K, const int S, struct ms_view dy, struct ms_view dx, const uint8_t *index, int acc) {
	const int64_t row = ms_row(&dx);
	if (!acc) zero(dx);
	EACH_ROW(dy) {
		float *plane = ms_at(&dx, n, b, 0, 0);
		const float *d = ms_at(&dy, n, b, h, 1);
		for (int w = 1; w <= dy.w; w++, d += MS_LANES, index += MS_LANES)
			for (int l = 0; l < MS_LANES; l++) {
				const int hh = (h - 1) * S + 1 - K / 2 + index[l] / K, ww = (w - 1) * S + 1 - K / 2 + index[l] % K;
				plane[hh * row + ww * MS_LANES + l] += d[l];
			}
	}
}

static void pool_forward(struct ms_view x, struct ms_view y, uint8_t *index) { max_forward(5, 1, x, y, index); }
static void pool_backward(struct ms_view dy, struct ms_view dx, const uint8_t *index, int acc) { max_backward(5, 1, dy, dx, index, acc); }
static void pool_down_forward(struct ms_view x, struct ms_view y, uint8_t *index) { max_forward(3, 2, x, y, index); }
static void pool_down_backward(struct ms_view dy, struct ms_view dx, const uint8_t *index, int acc) {
	max_backward(3, 2, dy, dx, index, acc);
}

// Mean of 2x2 pixels, stride 1: y(h, w) = (x(h, w) + x(h, w+1) + x(h+1, w) + x(h+1, w+1)) / 4; y is smaller by one.
static void mean_forward(struct ms_view x, struct ms_view y) {
	const int64_t row = ms_row(&x);
	EACH_ROW(y) {
		const float *s = ms_at(&x, n, b, h, 1);
		float *d = ms_at(&y, n, b, h, 1);
		for (int i = 0; i < y.w * MS_LANES; i += VL) {
			const vec up = load(s + i) + load(s + i + MS_LANES), down = load(s + row + i) + load(s + row + i + MS_LANES);
			store(d + i, (up + down) * splat(0.25f));
		}
	}
}

// Each pixel of dx is read by up to four of dy; where one of them is missing stands dy's halo, which is zero.
static void mean_backward(struct ms_view dy, struct ms_view dx, int acc) {
	const int64_t row = ms_row(&dy);
	EACH_ROW(dx) {
		const float *s = ms_at(&dy, n, b, h - 1, 0);
		float *d = ms_at(&dx, n, b, h, 1);
		for (int i = 0; i < dx.w * MS_LANES; i += VL) {
			const vec up = load(s + i) + load(s + i + MS_LANES), down = load(s + row + i) + load(s + row + i + MS_LANES);
			vec g = (up + down) * splat(0.25f);
			if (acc) g += load(d + i);
			store(d + i, g);
		}
	}
}
