package kernel

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// MaxPool writes to y the maximum over kernel x kernel pixels around every stride-th of x; y's extents are x's, divided by the
// stride and rounded up. index, PoolIndexBytes of y, remembers which it was, the first of equals in row order; 0: nobody asks.
func MaxPool(t Type, x, y View, kernel, stride int, index cuda.Ptr) cuda.Launch {
	return lanewise(t.named("pool"), y, poolArgs(x, y, kernel, stride, index, false))
}

// MaxPoolGrad writes to dx, or adds there, the gradient that dy means for it, with the index of MaxPool.
func MaxPoolGrad(t Type, dy, dx View, kernel, stride int, index cuda.Ptr, add bool) cuda.Launch {
	return lanewise(t.named("pool_grad"), dx, poolArgs(dx, dy, kernel, stride, index, add))
}

// PoolIndexBytes is the size of the index of a maximum that is written to y.
func PoolIndexBytes(y View) int64 { return y.Pixels() * int64(y.C) }

func poolArgs(x, y View, kernel, stride int, index cuda.Ptr, add bool) []byte {
	s := int32(stride)
	fits("pooling", x, y, (x.H-1)/s+1, (x.W-1)/s+1)
	return cuda.Args(struct {
		x, y                View
		index               cuda.Ptr
		kernel, stride, add int32
		_                   int32
	}{x: x, y: y, index: index, kernel: int32(kernel), stride: s, add: flag(add)})
}

// Mean2x2 writes to y, one pixel smaller each way, the mean over the 2x2 pixels of x that begin at each.
func Mean2x2(t Type, x, y View) cuda.Launch {
	return lanewise(t.named("mean2x2"), y, meanArgs(x, y, false))
}

// Mean2x2Grad writes to dx, or adds there, the gradient that dy means for it.
func Mean2x2Grad(t Type, dy, dx View, add bool) cuda.Launch {
	return lanewise(t.named("mean2x2_grad"), dx, meanArgs(dx, dy, add))
}

func meanArgs(x, y View, add bool) []byte {
	fits("mean", x, y, x.H-1, x.W-1)
	return cuda.Args(struct {
		x, y   View
		add, _ int32
	}{x: x, y: y, add: flag(add)})
}

// fits panics where y is not of the given extent, or has other lanes than x: a mistake of the caller.
func fits(what string, x, y View, h, w int32) {
	if y.N != x.N || y.C != x.C || y.H != h || y.W != w || h < 1 || w < 1 {
		panic(fmt.Sprintf("%s: windows of %d x %d x %d x %d and %d x %d x %d x %d", what, x.N, x.H, x.W, x.C, y.N, y.H, y.W, y.C))
	}
}
