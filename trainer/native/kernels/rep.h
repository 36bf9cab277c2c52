// The convolution of two arms, a = silu(bn(y3) + bn(y1)) with y3 and y1 a 3x3 and a 1x1 convolution of the same x, for one
// instruction set. Included once by each kern_*.c after conv.h. c is the 3x3 arm, d the 1x1 arm: a and da are c's, and
// the y's are of one shape. d->da has room for the dy of a group of images (with operands in bfloat16 it
// is c's); dx stands in both, and d adds to it.

// a of the channel blocks first to last-1 of image n.
static void rep_activate(const struct ms_conv *c, const struct ms_conv *d, int n, int first, int last) {
	for (int b = first; b < last; b++)
		for (int h = 1; h <= c->y.h; h++) {
			const float *y3 = ms_at(&c->y, n, b, h, 1), *y1 = ms_at(&d->y, n, b, h, 1);
			float *a = ms_at(&c->a, n, b, h, 1);
			for (int v = 0; v < NV; v++) {
				const int lane = b * MS_LANES + v * VL;
				const vec s3 = load(c->scale + lane), s1 = load(d->scale + lane), shift = load(c->shift + lane) + load(d->shift + lane);
				for (int i = v * VL; i < c->y.w * MS_LANES; i += MS_LANES) {
					const vec z = muladd(load(y3 + i), s3, muladd(load(y1 + i), s1, shift));
					store(a + i, z * sigmoid(z));
				}
			}
		}
}

// da -> dz in place, which is the gradient of both arms' normalised values, and the sums of each arm.
static void rep_silu_backward(const struct ms_conv *c, const struct ms_conv *d, int n, int first, int last) {
	const vec one = splat(1.0f);
	for (int b = first; b < last; b++)
		for (int v = 0; v < NV; v++) {
			const int lane = b * MS_LANES + v * VL;
			const vec s3 = load(c->scale + lane), s1 = load(d->scale + lane), shift = load(c->shift + lane) + load(d->shift + lane);
			const vec mu3 = load(c->mu + lane), mu1 = load(d->mu + lane);
			double *to3 = start_sums(c, n, b, v), *to1 = start_sums(d, n, b, v);
			vec sum = splat(0), second3 = splat(0), second1 = splat(0);
			for (int h = 1; h <= c->y.h; h++) {
				const float *y3 = ms_at(&c->y, n, b, h, 1), *y1 = ms_at(&d->y, n, b, h, 1);
				float *g = ms_at(&c->da, n, b, h, 1);
				for (int i = v * VL; i < c->y.w * MS_LANES; i += MS_LANES) {
					const vec a = load(y3 + i), e = load(y1 + i), z = muladd(a, s3, muladd(e, s1, shift)), s = sigmoid(z);
					const vec dz = load(g + i) * s * muladd(z, one - s, one);
					sum += dz;
					second3 = muladd(dz, a - mu3, second3);
					second1 = muladd(dz, e - mu1, second1);
					store(g + i, dz);
				}
				if (!ends_sums(h - 1, c->y.h, c->y.w)) continue;
				add_wide(to3, sum);
				add_wide(to1, sum);
				add_wide(to3 + MS_LANES, second3);
				add_wide(to1 + MS_LANES, second1);
				sum = second3 = second1 = splat(0);
			}
		}
}

// dz of image n -> the 1x1 arm's dy; dz itself stays.
static void rep_point_backward(const struct ms_conv *c, const struct ms_conv *d, int n, int first, int last) {
	for (int b = first; b < last; b++)
		for (int h = 1; h <= c->y.h; h++) {
			const float *y = ms_at(&d->y, n, b, h, 1), *dz = ms_at(&c->da, n, b, h, 1);
			float *dy = ms_at(&d->da, n % d->da_room, b, h, 1);
			for (int v = 0; v < NV; v++) {
				const int lane = b * MS_LANES + v * VL;
				const vec g1 = load(d->g1 + lane), g2 = load(d->g2 + lane), g3 = load(d->g3 + lane);
				for (int i = v * VL; i < c->y.w * MS_LANES; i += MS_LANES)
					store(dy + i, muladd(load(dz + i), g1, muladd(load(y + i), g2, g3)));
			}
		}
}
