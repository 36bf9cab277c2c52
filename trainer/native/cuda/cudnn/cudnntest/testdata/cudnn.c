// A stand-in for libcudnn.so.9 over host memory: the functions that library.h needs, in plain loops over what the descriptors
// say, strict about their arguments. Work goes into the stream of the emulated driver, so that it can be captured; but what a
// handle computes for the first time must not be: cuDNN loads kernels then, which a capture may forbid.
// FAKE_CUDNN_TRACE names a file that is made when the library is loaded, FAKE_CUDNN_VERSION its version, and FAKE_CUDNN_LACKS
// directions (forward, data, filter) that it has no algorithm for.
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GOOD = 0, BAD_PARAM = 2000, NOT_SUPPORTED = 3000, EXECUTION_FAILED = 5000 };
enum { FLOAT = 0, BFLOAT16 = 9, NHWC = 1, CROSS_CORRELATION = 1 };

struct tensor { int type, n, c, h, w, sn, sc, sh, sw; };
struct filter { int type, k, c, h, w; };
struct convolution { int pad, step, groups, math; };
struct once { int to, number, math; struct tensor x, y; struct once *next; };
struct handle { void *stream; struct once *loaded; };
struct algorithm { int number, status; float time; size_t memory; int deterministic, math, reserved[3]; };
#define ROOM 4096 // bytes that algorithm 6 wants

__attribute__((constructor)) static void loaded(void) {
	const char *path = getenv("FAKE_CUDNN_TRACE");
	FILE *f = path ? fopen(path, "w") : NULL;
	if (f) fclose(f);
}

size_t cudnnGetVersion(void) { return getenv("FAKE_CUDNN_VERSION") ? strtoul(getenv("FAKE_CUDNN_VERSION"), NULL, 10) : 92800; }
const char *cudnnGetErrorString(int status) { return status == NOT_SUPPORTED ? "NOT_SUPPORTED" : status == EXECUTION_FAILED ? "EXECUTION_FAILED" : status ? "BAD_PARAM" : "SUCCESS"; }

static int make(void **p, size_t bytes) { return *p = calloc(1, bytes), GOOD; }
static int drop(void *p) { return free(p), GOOD; }

int cudnnCreate(void **p) { return make(p, sizeof(struct handle)); }
int cudnnDestroy(struct handle *h) {
	for (struct once *o = h->loaded, *next; o; o = next) {
		next = o->next;
		free(o);
	}
	return drop(h);
}
int cudnnSetStream(struct handle *h, void *stream) { return h->stream = stream, stream ? GOOD : BAD_PARAM; }
int cudnnCreateTensorDescriptor(void **p) { return make(p, sizeof(struct tensor)); }
int cudnnDestroyTensorDescriptor(void *p) { return drop(p); }
int cudnnCreateFilterDescriptor(void **p) { return make(p, sizeof(struct filter)); }
int cudnnDestroyFilterDescriptor(void *p) { return drop(p); }
int cudnnCreateConvolutionDescriptor(void **p) { return make(p, sizeof(struct convolution)); }
#ifndef LACKS_ONE
int cudnnDestroyConvolutionDescriptor(void *p) { return drop(p); }
#endif

int cudnnSetTensor4dDescriptorEx(struct tensor *t, int type, int n, int c, int h, int w, int sn, int sc, int sh, int sw) {
	*t = (struct tensor){type, n, c, h, w, sn, sc, sh, sw};
	return (type == FLOAT || type == BFLOAT16) && sc == 1 && sw >= c && sh == w * sw && sn == h * sh ? GOOD : NOT_SUPPORTED;
}

int cudnnSetFilter4dDescriptor(struct filter *f, int type, int format, int k, int c, int h, int w) {
	*f = (struct filter){type, k, c, h, w};
	return format == NHWC ? GOOD : NOT_SUPPORTED;
}

int cudnnSetConvolution2dDescriptor(struct convolution *v, int ph, int pw, int sh, int sw, int dh, int dw, int mode, int type) {
	v->pad = ph, v->step = sh;
	return ph == pw && sh == sw && dh == 1 && dw == 1 && mode == CROSS_CORRELATION && type == FLOAT ? GOOD : BAD_PARAM;
}

int cudnnSetConvolutionGroupCount(struct convolution *v, int groups) { return v->groups = groups, GOOD; }
int cudnnSetConvolutionMathType(struct convolution *v, int math) { return v->math = math, math >= 0 && math <= 3 ? GOOD : BAD_PARAM; }

// Which tensors go together.
static int fits(struct handle *h, struct tensor *x, struct filter *w, struct convolution *v, struct tensor *y) {
	if (!h->stream || x->type != w->type || x->type != y->type || x->n != y->n || w->k != y->c || w->c * v->groups != x->c) return BAD_PARAM;
	if (y->h != (x->h + 2 * v->pad - w->h) / v->step + 1 || y->w != (x->w + 2 * v->pad - w->w) / v->step + 1) return BAD_PARAM;
	return GOOD;
}

// One algorithm that always sums alike, one that does not, one with a workspace and without tensor cores, one that is refused.
static int list(const char *direction, int status, struct convolution *v, int wanted, int *count, struct algorithm *a) {
	const struct algorithm all[] = {{.number = 1, .time = 0.5f, .deterministic = 1, .math = v->math},
		{.number = 0, .time = 0.6f, .deterministic = 0, .math = v->math}, {.number = 6, .time = 0.7f, .memory = ROOM, .deterministic = 1},
		{.number = 5, .status = NOT_SUPPORTED, .time = -1, .deterministic = 1, .math = v->math}};
	const char *lacks = getenv("FAKE_CUDNN_LACKS");
	*count = lacks && strstr(lacks, direction) ? 0 : wanted < 4 ? wanted : 4;
	memcpy(a, all, *count * sizeof *a);
	return status;
}
int cudnnGetConvolutionForwardAlgorithm_v7(void *h, void *x, void *w, void *v, void *y, int n, int *count, void *a) {
	return list("forward", fits(h, x, w, v, y), v, n, count, a);
}
int cudnnGetConvolutionBackwardDataAlgorithm_v7(void *h, void *w, void *y, void *v, void *x, int n, int *count, void *a) {
	return list("data", fits(h, x, w, v, y), v, n, count, a);
}
int cudnnGetConvolutionBackwardFilterAlgorithm_v7(void *h, void *x, void *y, void *v, void *w, int n, int *count, void *a) {
	return list("filter", fits(h, x, w, v, y), v, n, count, a);
}

static int room(int status, int number, size_t *bytes) { return *bytes = number == 6 ? ROOM : 0, status; }
int cudnnGetConvolutionForwardWorkspaceSize(void *h, void *x, void *w, void *v, void *y, int number, size_t *bytes) {
	return room(fits(h, x, w, v, y), number, bytes);
}
int cudnnGetConvolutionBackwardDataWorkspaceSize(void *h, void *w, void *y, void *v, void *x, int number, size_t *bytes) {
	return room(fits(h, x, w, v, y), number, bytes);
}
int cudnnGetConvolutionBackwardFilterWorkspaceSize(void *h, void *x, void *y, void *v, void *w, int number, size_t *bytes) {
	return room(fits(h, x, w, v, y), number, bytes);
}

static float get(const void *p, int type, size_t i) {
	if (type == FLOAT) return ((const float *)p)[i];
	uint32_t u = (uint32_t)((const uint16_t *)p)[i] << 16;
	float f;
	memcpy(&f, &u, 4);
	return f;
}

// put writes a sum, plus keep times what was there; with keep 0 what was there is not read.
static void put(void *p, int type, size_t i, float sum, float keep) {
	float f = sum + (keep ? keep * get(p, type, i) : 0);
	if (type == FLOAT) {
		((float *)p)[i] = f;
		return;
	}
	uint32_t u;
	memcpy(&u, &f, 4);
	((uint16_t *)p)[i] = (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}
static void put_tensor(void *p, const struct tensor *t, const float *sum, float keep) {
	for (size_t pixel = 0; pixel < (size_t)t->n * t->h * t->w; pixel++)
		for (int c = 0; c < t->c; c++) put(p, t->type, pixel * t->sw + c, sum[pixel * t->sw + c], keep);
}

enum { TO_Y, TO_X, TO_W };

// A convolution in a stream. What to says of the three tensors receives the sums.
struct job {
	int to;
	struct tensor x, y;
	struct filter w;
	struct convolution v;
	void *px, *pw, *py;
	float keep;
};

// floats are the values of a tensor, where they lie in it; zeros where it is what receives sums.
static float *floats(const struct tensor *t, const void *p, int receives) {
	float *f = calloc((size_t)t->n * t->sn, sizeof *f);
	for (size_t pixel = 0; !receives && pixel < (size_t)t->n * t->h * t->w; pixel++)
		for (int c = 0; c < t->c; c++) f[pixel * t->sw + c] = get(p, t->type, pixel * t->sw + c);
	return f;
}

// work walks over all products, in one order.
static void work(void *data) {
	const struct job *j = data;
	const struct tensor *x = &j->x, *y = &j->y;
	const struct filter *w = &j->w;
	size_t weights = (size_t)w->k * w->h * w->w * w->c;
	float *fx = floats(x, j->px, j->to == TO_X), *fy = floats(y, j->py, j->to == TO_Y), *fw = calloc(weights, sizeof *fw);
	for (size_t i = 0; j->to != TO_W && i < weights; i++) fw[i] = get(j->pw, w->type, i);
	int out = w->k / j->v.groups;
	for (int n = 0; n < y->n; n++)
	for (int oy = 0; oy < y->h; oy++)
	for (int ox = 0; ox < y->w; ox++)
	for (int k = 0; k < w->k; k++)
	for (int ky = 0; ky < w->h; ky++)
	for (int kx = 0; kx < w->w; kx++) {
		int iy = oy * j->v.step + ky - j->v.pad, ix = ox * j->v.step + kx - j->v.pad;
		if (iy < 0 || ix < 0 || iy >= x->h || ix >= x->w) continue;
		float *restrict at_y = fy + (size_t)n * y->sn + oy * y->sh + ox * y->sw + k;
		float *restrict at_x = fx + (size_t)n * x->sn + iy * x->sh + ix * x->sw + k / out * w->c;
		float *restrict at_w = fw + (((size_t)k * w->h + ky) * w->w + kx) * w->c;
		float one = *at_y;
		if (j->to == TO_X)
			for (int c = 0; c < w->c; c++) at_x[c] += one * at_w[c];
		else if (j->to == TO_W)
			for (int c = 0; c < w->c; c++) at_w[c] += at_x[c] * one;
		else {
			for (int c = 0; c < w->c; c++) one += at_x[c] * at_w[c];
			*at_y = one;
		}
	}
	if (j->to == TO_Y) put_tensor(j->py, y, fy, j->keep);
	if (j->to == TO_X) put_tensor(j->px, x, fx, j->keep);
	for (size_t i = 0; j->to == TO_W && i < weights; i++) put(j->pw, w->type, i, fw[i], j->keep);
	free(fx), free(fy), free(fw);
}

// driver is a function of the emulated driver.
static void *driver(const char *name) {
	const char *path = getenv("MAPSWEEP_CUDA_DRIVER");
	void *l = path ? dlopen(path, RTLD_NOW | RTLD_NOLOAD) : NULL;
	return l ? dlsym(l, name) : NULL;
}

// launch puts a function of the host into a stream.
static int launch(void *stream, struct job *j) {
	static int (*launch_host)(void *, void (*)(void *), void *);
	if (!launch_host && !(*(void **)&launch_host = driver("cuLaunchHostFunc"))) return EXECUTION_FAILED;
	return launch_host(stream, work, j) ? EXECUTION_FAILED : GOOD;
}

// load is false where a handle would have to load kernels while its stream is captured.
static int load(struct handle *h, int to, int number, int math, const struct tensor *x, const struct tensor *y) {
	static int (*is_capturing)(void *, int *);
	int captured = 0;
	for (struct once *o = h->loaded; o; o = o->next)
		if (o->to == to && o->number == number && o->math == math && !memcmp(&o->x, x, sizeof *x) && !memcmp(&o->y, y, sizeof *y)) return 1;
	if (!is_capturing && !(*(void **)&is_capturing = driver("cuStreamIsCapturing"))) return 0;
	if (is_capturing(h->stream, &captured) || captured) return 0;
	struct once *o = malloc(sizeof *o);
	*o = (struct once){to, number, math, *x, *y, h->loaded};
	h->loaded = o;
	return 1;
}

// run puts the convolution into the stream. What it needs is never freed: a captured graph may run it again.
static int run(int to, struct handle *h, const float *one, struct tensor *x, void *px, struct filter *w, void *pw, struct convolution *v,
	struct tensor *y, void *py, int number, void *workspace, size_t bytes, const float *keep) {
	if (fits(h, x, w, v, y) || *one != 1 || (number == 6 && (!workspace || bytes < ROOM))) return BAD_PARAM;
	if (number == 6 ? v->math != 0 : number != 1 || v->math == 0) return NOT_SUPPORTED;
	if (!load(h, to, number, v->math, x, y)) return EXECUTION_FAILED;
	struct job *j = malloc(sizeof *j);
	*j = (struct job){to, *x, *y, *w, *v, px, pw, py, *keep};
	return launch(h->stream, j);
}
int cudnnConvolutionForward(void *h, const void *one, void *x, void *px, void *w, void *pw, void *v, int number, void *workspace,
	size_t bytes, const void *keep, void *y, void *py) {
	return run(TO_Y, h, one, x, px, w, pw, v, y, py, number, workspace, bytes, keep);
}
int cudnnConvolutionBackwardData(void *h, const void *one, void *w, void *pw, void *y, void *py, void *v, int number, void *workspace,
	size_t bytes, const void *keep, void *x, void *px) {
	return run(TO_X, h, one, x, px, w, pw, v, y, py, number, workspace, bytes, keep);
}
int cudnnConvolutionBackwardFilter(void *h, const void *one, void *x, void *px, void *y, void *py, void *v, int number, void *workspace,
	size_t bytes, const void *keep, void *w, void *pw) {
	return run(TO_W, h, one, x, px, w, pw, v, y, py, number, workspace, bytes, keep);
}
