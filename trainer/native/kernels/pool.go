package kernels

/*
#include "kernels.h"

static void k_pool(const struct ms_kernels *k, struct ms_view x, struct ms_view y, uint8_t *i) { k->pool_forward(x, y, i); }
static void k_pool_back(const struct ms_kernels *k, struct ms_view dy, struct ms_view dx, const uint8_t *i, int acc) { k->pool_backward(dy, dx, i, acc); }
static void k_down(const struct ms_kernels *k, struct ms_view x, struct ms_view y, uint8_t *i) { k->pool_down_forward(x, y, i); }
static void k_down_back(const struct ms_kernels *k, struct ms_view dy, struct ms_view dx, const uint8_t *i, int acc) { k->pool_down_backward(dy, dx, i, acc); }
static void k_mean(const struct ms_kernels *k, struct ms_view x, struct ms_view y) { k->mean_forward(x, y); }
static void k_mean_back(const struct ms_kernels *k, struct ms_view dy, struct ms_view dx, int acc) { k->mean_backward(dy, dx, acc); }
*/
import "C"

import "unsafe"

// PoolIndexLen is the length of the index that pooling into a view like y needs.
func PoolIndexLen(y View) int { return y.N * y.CB * y.H * y.W * Lanes }

func indexOf(index []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(index))) }

// MaxPoolForward writes to y the maximum over the 5x5 window around each pixel of x, stride 1, same size; index keeps
// which pixel it was, the first of equals in row order.
func MaxPoolForward(x, y View, index []byte) {
	must(x.same(y) && x.PS == Lanes && len(index) == PoolIndexLen(y), "pooling", x, y)
	C.k_pool(current(), x.c(), y.c(), indexOf(index))
}

// MaxPoolBackward writes to dx, or adds with acc, the gradient that dy means for it, with the index of the forward pass.
func MaxPoolBackward(dy, dx View, index []byte, acc bool) {
	must(dx.same(dy) && dx.PS == Lanes && len(index) == PoolIndexLen(dy), "pooling", dy, dx)
	C.k_pool_back(current(), dy.c(), dx.c(), indexOf(index), cbool(acc))
}

// sized says whether v has o's shape but for the given extent.
func (v View) sized(o View, h, w int) bool {
	o.H, o.W = h, w
	return v.same(o) && v.PS == Lanes
}

// PoolDownForward writes to y the maximum over the 3x3 window around every second pixel of x, half the size rounded up;
// index keeps which pixel it was, the first of equals in row order.
func PoolDownForward(x, y View, index []byte) {
	must(y.sized(x, (x.H-1)/2+1, (x.W-1)/2+1) && len(index) == PoolIndexLen(y), "pooling", x, y)
	C.k_down(current(), x.c(), y.c(), indexOf(index))
}

// PoolDownBackward writes to dx, or adds with acc, the gradient that dy means for it, with the index of the forward pass.
func PoolDownBackward(dy, dx View, index []byte, acc bool) {
	must(dy.sized(dx, (dx.H-1)/2+1, (dx.W-1)/2+1) && len(index) == PoolIndexLen(dy), "pooling", dy, dx)
	C.k_down_back(current(), dy.c(), dx.c(), indexOf(index), cbool(acc))
}

// MeanForward writes to y, one pixel smaller each way, the mean over the 2x2 pixels of x that begin at each.
func MeanForward(x, y View) {
	must(y.sized(x, x.H-1, x.W-1) && y.H > 0 && y.W > 0, "mean", x, y)
	C.k_mean(current(), x.c(), y.c())
}

// MeanBackward writes to dx, or adds with acc, the gradient that dy means for it.
func MeanBackward(dy, dx View, acc bool) {
	must(dy.sized(dx, dx.H-1, dx.W-1) && dy.H > 0 && dy.W > 0, "mean", dy, dx)
	C.k_mean_back(current(), dy.c(), dx.c(), cbool(acc))
}
