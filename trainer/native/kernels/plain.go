package kernels

/*
#include "kernels.h"

static void k_copy(const struct ms_kernels *k, struct ms_view s, struct ms_view d, int acc) { k->copy(s, d, acc); }
static void k_zero(const struct ms_kernels *k, struct ms_view d) { k->zero(d); }
static void k_add(const struct ms_kernels *k, struct ms_view a, struct ms_view b, struct ms_view d) { k->add(a, b, d); }
static void k_unpack(const struct ms_kernels *k, struct ms_view s, float *d, int64_t image, int pixel, int c) { k->unpack(s, d, image, pixel, c); }
static void k_pack(const struct ms_kernels *k, const float *s, int64_t image, int pixel, int c, struct ms_view d) { k->pack(s, image, pixel, c, d); }
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

// ZeroHalo clears the halo of dst, and nothing inside it.
func ZeroHalo(dst View) { C.ms_zero_halo(dst.c()) }

// Add writes a + b to dst, which may be one of them.
func Add(a, b, dst View) {
	must(a.same(dst) && b.same(dst) && a.PS == Lanes, "sum", a, b, dst)
	C.k_add(current(), a.c(), b.c(), dst.c())
}

// PackImages writes pictures, rgb [count][H][W][3], into the first images of dst (NewImage).
func PackImages(rgb []float32, dst View) {
	one := dst.H * dst.W * 3
	must(dst.PS == 4 && len(rgb) > 0 && len(rgb)%one == 0 && len(rgb)/one <= dst.N, "pictures", dst)
	C.ms_pack_images(floats(rgb), dst.c(), C.int(len(rgb)/one))
}

// Dense is a place among dense values, [N][Anchors][Channels]: pixel (h, w) of a view belongs to anchor First + h*W + w,
// and the view's first Count channels are the anchor's from channel At on.
type Dense struct {
	Anchors, First      int
	Channels, At, Count int
}

// offset is that of the first value in image 0.
func (p Dense) offset() int { return p.First*p.Channels + p.At }

func (p Dense) fit(v View, n int) {
	ok := v.PS == Lanes && p.Count > 0 && Blocks(p.Count) == v.CB && p.First >= 0 && p.First+v.H*v.W <= p.Anchors &&
		p.At >= 0 && p.At+p.Count <= p.Channels && n == v.N*p.Anchors*p.Channels
	if !ok {
		panic(fmt.Sprintf("kernels: dense form of %d floats, %+v, for view %v", n, p, v))
	}
}

// Unpack copies channels of src to dense form.
func Unpack(src View, dst []float32, p Dense) {
	p.fit(src, len(dst))
	C.k_unpack(current(), src.c(), floats(dst[p.offset():]), C.int64_t(p.Anchors*p.Channels), C.int(p.Channels), C.int(p.Count))
}

// Pack is the inverse of Unpack: it fills dst from dense form, padding lanes with zero.
func Pack(src []float32, dst View, p Dense) {
	p.fit(dst, len(src))
	C.k_pack(current(), floats(src[p.offset():]), C.int64_t(p.Anchors*p.Channels), C.int(p.Channels), C.int(p.Count), dst.c())
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
