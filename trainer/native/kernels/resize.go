package kernels

/*
#include "kernels.h"

static void k_up(const struct ms_kernels *k, struct ms_view x, struct ms_view y) { k->upsample_forward(x, y); }
static void k_up_back(const struct ms_kernels *k, struct ms_view dy, struct ms_view dx, int acc) { k->upsample_backward(dy, dx, acc); }
static void k_resize(const struct ms_kernels *k, struct ms_view x, struct ms_view y, int acc) { k->resize_forward(x, y, acc); }
static void k_resize_back(const struct ms_kernels *k, struct ms_view dy, struct ms_view dx, int acc) { k->resize_backward(dy, dx, acc); }
static void k_regroup(const struct ms_kernels *k, struct ms_view s, const int32_t *from, struct ms_view d, const int32_t *to, int n, int acc) {
	k->regroup(s, from, d, to, n, acc);
}
*/
import "C"

import "unsafe"

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

// ResizeForward writes x to y, or adds it with acc, at y's extent by nearest neighbour: pixel i of n takes pixel
// floor(i m/n) of m, computed in float32 as PyTorch does.
func ResizeForward(x, y View, acc bool) {
	must(x.sized(y, x.H, x.W), "resizing", x, y)
	C.k_resize(current(), x.c(), y.c(), cbool(acc))
}

// ResizeBackward writes to dx, or adds with acc, the gradient that dy means for it.
func ResizeBackward(dy, dx View, acc bool) {
	must(dx.sized(dy, dx.H, dx.W), "resizing", dy, dx)
	C.k_resize_back(current(), dy.c(), dx.c(), cbool(acc))
}

// Regroup writes lane from[i] of src to lane to[i] of dst, or adds it with acc, for every i. Other lanes of dst stay.
func Regroup(src View, from []int32, dst View, to []int32, acc bool) {
	ok := len(from) == len(to) && src.N == dst.N && src.H == dst.H && src.W == dst.W && src.PS == Lanes && dst.PS == Lanes
	for i := range from {
		ok = ok && from[i] >= 0 && to[i] >= 0 && int(from[i]) < src.CB*Lanes && int(to[i]) < dst.CB*Lanes
	}
	must(ok, "regrouping", src, dst)
	C.k_regroup(current(), src.c(), lanesOf(from), dst.c(), lanesOf(to), C.int(len(from)), cbool(acc))
}

func lanesOf(s []int32) *C.int32_t { return (*C.int32_t)(unsafe.Pointer(unsafe.SliceData(s))) }
