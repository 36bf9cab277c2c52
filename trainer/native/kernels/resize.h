// Values that only move: to another extent, or to other lanes. Included once by each kern_*.c after plain.h.

// The pixel, counted from 1, that nearest neighbour takes for pixel i (from 1) of `to` out of `from`: floor of (i-1) times
// their ratio, in float32 as PyTorch has it.
INLINE int nearest(int i, int from, int to) {
	const int at = (int)((float)(i - 1) * ((float)from / (float)to));
	return (at < from ? at : from - 1) + 1;
}

// y = x at y's extent, or y += that.
static void resize_planes(const struct planes *p, int first, int last) {
	const struct ms_view x = p->x, y = p->z;
	EACH_ROW(y) {
		const float *s = ms_at(&x, n, b, nearest(h, x.h, y.h), 0);
		float *d = ms_at(&y, n, b, h, 1);
		for (int w = 1; w <= y.w; w++, d += MS_LANES) {
			const float *from = s + nearest(w, x.w, y.w) * MS_LANES;
			for (int v = 0; v < MS_LANES; v += VL) store(d + v, p->acc ? load(d + v) + load(from + v) : load(from + v));
		}
	}
}

static void resize_forward(struct ms_view x, struct ms_view y, int acc) { each_plane(&(struct planes){resize_planes, .x = x, .z = y, .acc = acc}); }

static void resize_back_planes(const struct planes *p, int first, int last) {
	const struct ms_view dy = p->y, dx = p->z;
	if (!p->acc) zero_planes(p, first, last);
	EACH_ROW(dy) {
		const float *s = ms_at(&dy, n, b, h, 1);
		float *d = ms_at(&dx, n, b, nearest(h, dx.h, dy.h), 0);
		for (int w = 1; w <= dy.w; w++, s += MS_LANES) {
			float *to = d + nearest(w, dx.w, dy.w) * MS_LANES;
			for (int v = 0; v < MS_LANES; v += VL) store(to + v, load(to + v) + load(s + v));
		}
	}
}

static void resize_backward(struct ms_view dy, struct ms_view dx, int acc) {
	each_plane(&(struct planes){resize_back_planes, .y = dy, .z = dx, .acc = acc});
}

// Lane `to[i]` of dst is, or takes in addition, lane from[i] of src, for i < count. Other lanes of dst stay as they are.
struct regrouping {
	struct ms_view src, dst;
	const int32_t *from, *to;
	int count, acc;
};

static void regroup_image(const void *job, int n, int member) {
	const struct regrouping *r = job;
	const int64_t splane = ms_plane(&r->src), dplane = ms_plane(&r->dst);
	for (int h = 1; h <= r->dst.h; h++)
		for (int i = 0; i < r->count; i++) {
			const float *s = ms_at(&r->src, n, 0, h, 1) + r->from[i] / MS_LANES * splane + r->from[i] % MS_LANES;
			float *d = ms_at(&r->dst, n, 0, h, 1) + r->to[i] / MS_LANES * dplane + r->to[i] % MS_LANES;
			for (int w = 0; w < r->dst.w * MS_LANES; w += MS_LANES) d[w] = r->acc ? d[w] + s[w] : s[w];
		}
}

static void regroup(struct ms_view src, const int32_t *from, struct ms_view dst, const int32_t *to, int count, int acc) {
	const struct regrouping r = {src, dst, from, to, count, acc};
	ms_team_run(dst.team, regroup_image, &r, dst.n, 0);
}
