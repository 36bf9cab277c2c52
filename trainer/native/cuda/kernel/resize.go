package kernel

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// Resize writes x to y, or adds it there, at y's extent by nearest neighbour: pixel i of n takes pixel floor(i m / n) of m,
// computed in float32 as PyTorch does.
func Resize(t Type, x, y View, add bool) cuda.Launch {
	return lanewise(t.named("resize"), y, resizeArgs(x, y, add))
}

// ResizeGrad writes to dx, or adds there, the gradient that dy means for it.
func ResizeGrad(t Type, dy, dx View, add bool) cuda.Launch {
	return lanewise(t.named("resize_grad"), dx, resizeArgs(dx, dy, add))
}

func resizeArgs(x, y View, add bool) []byte {
	fits("resizing", x, y, y.H, y.W)
	return cuda.Args(struct {
		x, y   View
		add, _ int32
	}{x: x, y: y, add: flag(add)})
}

// Upsample writes x to y, twice as high and wide: each pixel four times.
func Upsample(t Type, x, y View) cuda.Launch {
	fits("upsampling", x, y, 2*x.H, 2*x.W)
	return Resize(t, x, y, false)
}

// UpsampleGrad writes to dx, or adds there, the gradient that dy means for it.
func UpsampleGrad(t Type, dy, dx View, add bool) cuda.Launch {
	fits("upsampling", dx, dy, 2*dx.H, 2*dx.W)
	return ResizeGrad(t, dy, dx, add)
}

// RegroupTable is the table of a Regroup that takes lane from[i] to lane to[i], for every i, to be put into device memory:
// for each of so many lanes of y, the lane of x or -1.
func RegroupTable(from, to []int32, lanes int) []int32 {
	if len(from) != len(to) {
		panic(fmt.Sprintf("regrouping: %d lanes to %d", len(from), len(to)))
	}
	table := make([]int32, lanes)
	for i := range table {
		table[i] = -1
	}
	for i, l := range to {
		table[l] = from[i]
	}
	return table
}

// Regroup writes lanes of x to lanes of y, or adds them there, as a RegroupTable in device memory says. What takes no lane
// becomes 0, or stays where add.
func Regroup(t Type, x, y View, table cuda.Ptr, add bool) cuda.Launch {
	lanes := x
	lanes.C = y.C
	same("regrouping", lanes, y)
	return lanewise(t.named("regroup"), y, cuda.Args(struct {
		x, y   View
		table  cuda.Ptr
		add, _ int32
	}{x: x, y: y, table: table, add: flag(add)}))
}
