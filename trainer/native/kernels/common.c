// What is the same on every instruction set: memory, the choice of a kernel set, and arithmetic per channel.
#define _DEFAULT_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "kernels.h"

#define WINOGRAD_FLOATS (64 << 10)
#define WINOGRAD_LEAST 24

float *ms_alloc(int64_t floats) {
	void *p = NULL;
	size_t bytes = ((size_t)floats * sizeof(float) + 63) / 64 * 64;
	// What fills several pages of 2 MiB gets such pages where the system gives them on demand: passes over the activations of a
	// batch touch thousands of small ones.
	const size_t huge = 2 << 20;
	const int large = bytes >= 2 * huge;
	if (posix_memalign(&p, large ? huge : 64, bytes ? bytes : 64) != 0) return NULL;
#if defined(MADV_HUGEPAGE)
	if (large) (void)madvise(p, bytes / huge * huge, MADV_HUGEPAGE); // without, all is the same but slower
#endif
	memset(p, 0, bytes ? bytes : 64);
	return p;
}

double ms_thread_seconds(void) {
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

const struct ms_kernels *ms_find(const char *name) {
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (strcmp(name, "avx512") == 0)
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
		               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma")
		           ? &ms_kernels_avx512
		           : NULL;
	if (strcmp(name, "avx2") == 0) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &ms_kernels_avx2 : NULL;
#endif
	return strcmp(name, "generic") == 0 ? &ms_kernels_generic : NULL;
}

const struct ms_bf16 *ms_bf16_of(const struct ms_kernels *k) {
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (k == &ms_kernels_avx512 && __builtin_cpu_supports("avx512bf16")) return &ms_bf16_avx512;
#endif
	return k->bf;
}

// Words of room for one image forward: x in narrow form.
int64_t ms_bf16_room(const struct ms_conv *c) { return ms_plane(&c->x) / 2 * c->icb; }

// Words of room for one image backward: dy in narrow form, then, from words *dy and *x on, dy and x in pairs of pixels.
int64_t ms_bf16_slot(const struct ms_conv *c, int64_t *dy, int64_t *x) {
	const int64_t pairs = (int64_t)c->y.h * ((c->y.w + 1) / 2) * MS_LANES, narrow = ms_plane(&c->y) / 2 * c->ocb;
	*dy = (narrow + MS_LANES - 1) / MS_LANES * MS_LANES;
	*x = *dy + pairs * c->ocb;
	return *x + (c->k == 1 ? pairs : ms_plane(&c->x)) * c->icb;
}

// So many that the transformed input and the products of as many as three output blocks keep to a quarter of the second cache, but
// enough to use weights often.
int ms_winograd_tiles(int icb) {
	const int tiles = WINOGRAD_FLOATS / (16 * MS_LANES * (icb + 3));
	return tiles < WINOGRAD_LEAST ? WINOGRAD_LEAST : tiles;
}

static int64_t group_floats(int tiles, int blocks) { return 16 * MS_LANES * ((int64_t)tiles * blocks + 1); }

int64_t ms_winograd_input(int icb) { return group_floats(ms_winograd_tiles(icb), icb); }

int64_t ms_winograd_group(int icb) { return ms_winograd_input(icb) + group_floats(ms_winograd_tiles(icb), 3); }

int ms_winograd_images(int h, int w, int icb) {
	const int images = ms_winograd_tiles(icb) / (((h + 1) / 2) * ((w + 1) / 2));
	return images < 1 ? 1 : images;
}

// What is transformed at once, four positions of an input block and of all output blocks, stays in the first cache where that
// can be. Otherwise many tiles are better, since du comes and goes once for all of them.
int ms_winograd_dw_tiles(int ocb) { return ocb <= 2 ? 32 : MS_WINOGRAD_DW_TILES; }

// One pixel more, so that positions do not meet in the cache.
int64_t ms_winograd_dw_plane(int ocb) { return (ms_winograd_dw_tiles(ocb) + 1) * MS_LANES; }

static int64_t dw_floats(int ocb) { return (1 + (int64_t)ocb) * 4 * ms_winograd_dw_plane(ocb); }

int64_t ms_winograd_room(const struct ms_conv *c) {
	int64_t most = c->winograd & MS_WINOGRAD_DW ? dw_floats(c->ocb) : 0;
	const int blocks[] = {c->winograd & MS_WINOGRAD_FORWARD ? c->icb : 0, c->winograd & MS_WINOGRAD_DX ? c->ocb : 0};
	for (int i = 0; i < 2; i++) {
		const int64_t floats = blocks[i] ? ms_winograd_group(blocks[i]) : 0;
		if (floats > most) most = floats;
	}
	return most;
}

static void pack_image(const float *rgb, struct ms_view dst, int n) {
	typedef int32_t four __attribute__((vector_size(16)));
	typedef int32_t loosefour __attribute__((vector_size(16), aligned(4), may_alias));
	const four colours = {-1, -1, -1, 0};
	for (int h = 0; h < dst.h; h++) {
		float *d = ms_at(&dst, n, 0, h + 1, 1);
		// Four floats are read for three, so the last pixel of the picture is left to plain code.
		const int whole = dst.w - (h == dst.h - 1);
		for (int w = 0; w < whole; w++, rgb += 3, d += 4) *(loosefour *)d = *(const loosefour *)rgb & colours;
		if (whole == dst.w) continue;
		for (int c = 0; c < 3; c++) d[c] = rgb[c];
		d[3] = 0;
	}
}

// The halo of the planes of image n. The end of a row and the beginning of the next lie side by side.
static void zero_halos(const void *job, int n, int member) {
	const struct ms_view *v = job;
	const size_t pixel = sizeof(float) * (size_t)v->ps, row = sizeof(float) * (size_t)ms_row(v);
	for (int b = 0; b < v->cb; b++) {
		memset(ms_at(v, n, b, 0, 0), 0, row + pixel);
		if (v->ps == MS_LANES) {
			for (int h = 1; h < v->h; h++) memset(ms_at(v, n, b, h, v->w + 1), 0, 2 * MS_LANES * sizeof(float)); // of constant size: no call
		} else {
			for (int h = 1; h < v->h; h++) memset(ms_at(v, n, b, h, v->w + 1), 0, 2 * pixel);
		}
		memset(ms_at(v, n, b, v->h, v->w + 1), 0, pixel + row);
	}
}

void ms_zero_halo(struct ms_view dst) {
	const int worth = 512; // rows: a few microseconds
	if (dst.n * dst.cb * dst.h < worth) {
		for (int n = 0; n < dst.n; n++) zero_halos(&dst, n, 0);
		return;
	}
	ms_team_run(dst.team, zero_halos, &dst, dst.n, 0);
}

struct pictures {
	const float *rgb;
	struct ms_view dst;
};

static void pack_picture(const void *job, int n, int member) {
	const struct pictures *p = job;
	pack_image(p->rgb + (int64_t)n * p->dst.h * p->dst.w * 3, p->dst, n);
}

void ms_pack_images(const float *rgb, struct ms_view dst, int count) {
	const struct pictures p = {rgb, dst};
	ms_team_run(dst.team, pack_picture, &p, count, 0);
}

void ms_bn_forward(const struct ms_conv *c, int train) {
	const double m = (double)c->y.n * c->y.h * c->y.w;
	for (int o = 0; o < c->ocb * MS_LANES; o++) {
		double mean, var;
		if (!c->real[o]) { // padding lane: nothing comes out
			c->mu[o] = c->rstd[o] = c->scale[o] = c->shift[o] = 0;
			continue;
		}
		if (train) {
			const double *t = c->totals + o / MS_LANES * 2 * MS_LANES + o % MS_LANES;
			mean = t[0] / m;
			var = t[MS_LANES] / m - mean * mean;
			if (var < 0) var = 0;
			const double unbiased = m > 1 ? var * m / (m - 1) : var;
			c->mean[o] += c->momentum * ((float)mean - c->mean[o]);
			c->var[o] += c->momentum * ((float)unbiased - c->var[o]);
		} else {
			mean = c->mean[o];
			var = c->var[o];
		}
		const double r = 1 / sqrt(var + c->eps);
		c->mu[o] = (float)mean;
		c->rstd[o] = (float)r;
		c->scale[o] = (float)(c->gamma[o] * r);
		c->shift[o] = (float)(c->beta[o] - mean * r * c->gamma[o]);
	}
}

// With xhat = (y-mu)*rstd and m elements: dy = gamma*rstd*(dz - mean(dz) - xhat*mean(dz*xhat)).
void ms_bn_backward(const struct ms_conv *c) {
	const double m = (double)c->y.n * c->y.h * c->y.w;
	for (int o = 0; o < c->ocb * MS_LANES; o++) {
		const double *t = c->totals + o / MS_LANES * 2 * MS_LANES + o % MS_LANES;
		const double r = c->rstd[o], gr = c->gamma[o] * r;
		const double db = t[0], dg = t[MS_LANES] * r; // sum(dz), sum(dz*(y-mu))*rstd
		c->dbeta[o] = (c->acc_w ? c->dbeta[o] : 0) + (float)db;
		c->dgamma[o] = (c->acc_w ? c->dgamma[o] : 0) + (float)dg;
		const double slope = gr * dg * r / m;
		c->g1[o] = (float)gr;
		c->g2[o] = (float)-slope;
		c->g3[o] = (float)(slope * c->mu[o] - gr * db / m);
	}
}

void ms_bias_backward(const struct ms_conv *c) {
	for (int o = 0; o < c->ocb * MS_LANES; o++) {
		const double db = c->totals[o / MS_LANES * 2 * MS_LANES + o % MS_LANES];
		c->dbeta[o] = (c->acc_w ? c->dbeta[o] : 0) + (float)db;
	}
}

static void turn(const float *src, float *dst) { // 16x16
	for (int i = 0; i < MS_LANES; i++)
		for (int o = 0; o < MS_LANES; o++) dst[o * MS_LANES + i] = src[i * MS_LANES + o];
}

// The gradient of x is again a convolution, of dy, with input and output channels exchanged.
// Stride 1: one kernel, [ICB][OCB][K][K], turned by 180 degrees.
// Stride 2: row r of x meets kernel row 1 if r is even, rows 2 and 0 (in that order of dy rows) if r is odd; the same
// holds for columns. So there are four kernels of 1x1, 1x2, 2x1 and 2x2, one per parity, one after the other in wt.
void ms_turn_weights(const struct ms_conv *c, int first, int last) {
	const int k = c->k, block = MS_LANES * MS_LANES;
	float *dst = c->wt;
	if (c->s == 1) {
		for (int ib = 0; ib < c->icb; ib++)
			for (int ob = first; ob < last; ob++) {
				float *to = dst + ((int64_t)ib * c->ocb + ob) * k * k * block;
				for (int kh = k - 1; kh >= 0; kh--)
					for (int kw = k - 1; kw >= 0; kw--, to += block)
						turn(c->w + ((((int64_t)ob * c->icb + ib) * k + kh) * k + kw) * block, to);
			}
		return;
	}
	for (int ph = 0; ph < 2; ph++)
		for (int pw = 0; pw < 2; pw++) {
			const int64_t each = (int64_t)(1 + ph) * (1 + pw) * block;
			for (int ib = 0; ib < c->icb; ib++)
				for (int ob = first; ob < last; ob++) {
					float *to = dst + ((int64_t)ib * c->ocb + ob) * each;
					for (int a = 0; a <= ph; a++)
						for (int b = 0; b <= pw; b++, to += block) {
							const int kh = ph ? 2 - 2 * a : 1, kw = pw ? 2 - 2 * b : 1;
							turn(c->w + ((((int64_t)ob * c->icb + ib) * 3 + kh) * 3 + kw) * block, to);
						}
				}
			dst += (int64_t)c->icb * c->ocb * each;
		}
}
