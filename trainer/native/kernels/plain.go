package kernels

/*
#include "kernels.h"

static void k_copy(const struct ms_kernels *k, struct ms_view s, struct ms_view d, int acc) { k->copy(s, d, acc); }
static void k_zero(const struct ms_kernels *k, struct ms_view d) { k->zero(d); }
static void k_add(const struct ms_kernels *k, struct ms_view a, struct ms_view b, struct ms_view d) { k->add(a, b, d); }
static void k_up(const struct ms_kernels *k, struct ms_view x, struct ms_view y) { k->upsample_forward(x, y); }
static void k_up_back(const struct ms_kernels *k, struct ms_view dy, struct ms_view dx, int acc) { k->upsample_backward(dy, dx, acc); }
static void k_pool(const struct ms_kernels *k, struct ms_view x, struct ms_view y, uint8_t *i) { k->pool_forward(x, y, i); }
static void k_pool_back(const struct ms_kernels *k, struct ms_view dy, struct ms_view dx, const uint8_t *i, int acc) { k->pool_backward(dy, dx, i, acc); }
static void k_unpack(const struct ms_kernels *k, struct ms_view s, float *d, int64_t image, int c) { k->unpack(s, d, image, c); }
static void k_pack(const struct ms_kernels *k, const float *s, int64_t image, int c, struct ms_view d) { k->pack(s, image, c, d); }
static void k_sgd(const struct ms_kernels *k, float *w, const float *g, float *m, int64_t n, float rate, float momentum, float decay, float gscale) {
	k->sgd(w, g, m, n, rate, momentum, decay, gscale);
}
static void k_lerp(const struct ms_kernels *k, float *d, const float *s, int64_t n, float t) { k->lerp(d, s, n, t); }
static void k_scale(const struct ms_kernels *k, float *p, int64_t n, float f) { k->scale(p, n, f); }
static double k_sum_squares(const struct ms_kernels *k, const float *p, int64_t n) { return k->sum_squares(p, n); }
*/
import "C"

import (
	"fmt"
	"slices"
	"unsafe"
)

// must panics where views do not fit: the kernels check nothing, and a wrong shape would write into other memory.
func must(ok bool, op string, views ...View) {
	if !ok {
		panic(fmt.Sprintf("kernels: %s of views that do not fit: %v", op, slices.Clone(views))) // the clone keeps views off the heap
	}
}

// Copy writes src to dst, or adds it with acc.
func Copy(src, dst View, acc bool) {
	must(src.same(dst) && src.PS == Lanes, "copy", src, dst)
	C.k_copy(current(), src.c(), dst.c(), cbool(acc))
}

// Zero clears dst.
func Zero(dst View) { C.k_zero(current(), dst.c()) }

// Add writes a + b to dst, which may be one of them.
func Add(a, b, dst View) {
	must(a.same(dst) && b.same(dst) && a.PS == Lanes, "sum", a, b, dst)
	C.k_add(current(), a.c(), b.c(), dst.c())
}

func twice(small, large View) bool {
	large.H /= 2
	large.W /= 2
	return small.same(large) && small.PS == Lanes
}

// UpsampleForward writes x to y, twice as high and wide, nearest neighbour.
func UpsampleForward(x, y View) {
	must(twice(x, y) && y.H%2 == 0 && y.W%2 == 0, "upsampling", x, y)
	C.k_up(current(), x.c(), y.c())
}

// UpsampleBackward writes to dx, or adds with acc, the gradient that dy means for it.
func UpsampleBackward(dy, dx View, acc bool) {
	must(twice(dx, dy) && dy.H%2 == 0 && dy.W%2 == 0, "upsampling", dy, dx)
	C.k_up_back(current(), dy.c(), dx.c(), cbool(acc))
}

// PoolIndexLen is the length of the index that pooling into a view like y needs.
func PoolIndexLen(y View) int { return y.N * y.CB * y.H * y.W * Lanes }

// MaxPoolForward writes to y the maximum over the 5x5 window around each pixel of x, stride 1, same size; index keeps
// which pixel it was, the first of equals in row order.
func MaxPoolForward(x, y View, index []byte) {
	must(x.same(y) && x.PS == Lanes && len(index) == PoolIndexLen(y), "pooling", x, y)
	C.k_pool(current(), x.c(), y.c(), (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(index))))
}

// MaxPoolBackward writes to dx, or adds with acc, the gradient that dy means for it, with the index of the forward pass.
func MaxPoolBackward(dy, dx View, index []byte, acc bool) {
	must(dx.same(dy) && dx.PS == Lanes && len(index) == PoolIndexLen(dy), "pooling", dy, dx)
	C.k_pool_back(current(), dy.c(), dx.c(), (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(index))), cbool(acc))
}

// PackImage writes one picture, rgb [H][W][3], into image n of dst (NewImage).
func PackImage(rgb []float32, dst View, n int) {
	must(dst.PS == 4 && len(rgb) == dst.H*dst.W*3 && n >= 0 && n < dst.N, "picture", dst)
	C.ms_pack_image(floats(rgb), dst.c(), C.int(n))
}

// Unpack copies the first `channels` channels of src to dense form: dst is [N][anchors][channels], and pixel (h, w)
// goes to anchor first + h*W + w.
func Unpack(src View, dst []float32, anchors, first, channels int) {
	mustDense(src, len(dst), anchors, first, channels)
	C.k_unpack(current(), src.c(), floats(dst[first*channels:]), C.int64_t(anchors*channels), C.int(channels))
}

// Pack is the inverse of Unpack: it fills dst from dense form, padding lanes with zero.
func Pack(src []float32, dst View, anchors, first, channels int) {
	mustDense(dst, len(src), anchors, first, channels)
	C.k_pack(current(), floats(src[first*channels:]), C.int64_t(anchors*channels), C.int(channels), dst.c())
}

func mustDense(v View, n, anchors, first, channels int) {
	ok := v.PS == Lanes && Blocks(channels) == v.CB && first >= 0 && first+v.H*v.W <= anchors && n == v.N*anchors*channels
	if !ok {
		panic(fmt.Sprintf("kernels: dense form of %d floats, %d anchors from %d, %d channels for view %v", n, anchors, first, channels, v))
	}
}

// Step holds the numbers of one optimiser step over one range of parameters.
type Step struct {
	Rate, Momentum float32
	Decay          float32 // weight decay, added to the gradient as Decay*w
	GradScale      float32 // the gradient is multiplied by it first: 1, or less to clip its norm
}

// SGD takes a step of stochastic gradient descent with Nesterov momentum over parameters w, gradients g and momentum m
// of one length:  g' = GradScale*g + Decay*w;  m = Momentum*m + g';  w -= Rate*(g' + Momentum*m).
func SGD(w, g, m []float32, s Step) {
	mustLen(len(w), len(g), len(m))
	C.k_sgd(current(), floats(w), floats(g), floats(m), C.int64_t(len(w)), C.float(s.Rate), C.float(s.Momentum), C.float(s.Decay), C.float(s.GradScale))
}

// Lerp moves dst towards src: dst += t*(src - dst). An exponential moving average with decay d has t = 1-d.
func Lerp(dst, src []float32, t float32) {
	mustLen(len(dst), len(src))
	C.k_lerp(current(), floats(dst), floats(src), C.int64_t(len(dst)), C.float(t))
}

// Scale multiplies p by f.
func Scale(p []float32, f float32) { C.k_scale(current(), floats(p), C.int64_t(len(p)), C.float(f)) }

// SumSquares is the sum of p's squares, in float64.
func SumSquares(p []float32) float64 {
	return float64(C.k_sum_squares(current(), floats(p), C.int64_t(len(p))))
}

func mustLen(lens ...int) {
	for _, n := range lens {
		if n != lens[0] {
			panic(fmt.Sprintf("kernels: vectors of lengths %v", slices.Clone(lens)))
		}
	}
}
