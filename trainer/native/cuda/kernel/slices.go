package kernel

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// Slices are what a gradient is the sum of: sums over slices of pixels, added in an order that depends on their number alone.
type Slices struct {
	From   cuda.Ptr // FP32 [Count][Floats]
	To     cuda.Ptr // FP32 [Floats], at a multiple of 16 bytes: the gradient
	Floats int64    // a multiple of 4
	Count  int64    // 1: the gradient itself was made, and there is nothing to add
}

// Bytes is the scratch memory that slices take.
func (s Slices) Bytes() int64 {
	if s.Count == 1 {
		return 0
	}
	return 4 * s.Count * s.Floats
}

// MostSlices is how many gradients are added up in one launch: its arguments, which name them, stay below 4 KiB.
const MostSlices = 127

// sliceThreads is the block of sum_slices, sliceParts the number of sums that slices are added by.
const (
	sliceThreads = 256
	sliceParts   = 16
)

// apart is the number of threads that share the slices of a float: as many as keep them short where there are many slices, and few
// of them elsewhere, since that makes tiles wide.
func (s Slices) apart() int64 {
	switch {
	case s.Count <= sliceParts:
		return 1
	case s.Count <= 4*sliceParts:
		return 4
	default:
		return sliceParts
	}
}

func (s Slices) blocks() int64 { return ceil(s.Floats, 4*sliceThreads/s.apart()) }

// slicesRow is Slices of slices.cu.
type slicesRow struct {
	from, to                    cuda.Ptr
	floats, count, apart, first int32
}

// SumSlices adds up gradients, at most MostSlices. Blocks with the most to add begin first.
func SumSlices(all ...Slices) cuda.Launch {
	var args struct {
		rows     [MostSlices]slicesRow
		count, _ int32
	}
	if len(all) == 0 || len(all) > MostSlices {
		panic(fmt.Sprintf("add up slices of %d gradients: there is room for 1 to %d", len(all), MostSlices))
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(s, t Slices) int { return cmp.Compare(t.Count*t.Floats/t.blocks(), s.Count*s.Floats/s.blocks()) })
	var blocks int64
	for i, s := range all {
		if s.To%16 != 0 || s.Floats%4 != 0 || s.Floats > 1<<31-4*sliceThreads {
			panic(fmt.Sprintf("add up slices of %d floats to address %#x", s.Floats, s.To))
		}
		args.rows[i] = slicesRow{s.From, s.To, int32(s.Floats), int32(s.Count), int32(s.apart()), int32(blocks)}
		blocks += s.blocks()
	}
	args.count = int32(len(all))
	return cuda.Launch{Kernel: "sum_slices", Grid: [3]int{int(blocks)}, Block: [3]int{sliceThreads}, Args: cuda.Args(args)}
}
