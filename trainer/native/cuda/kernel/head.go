package kernel

import (
	"fmt"
	"slices"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// HeadTensor is a tensor of a detection head at one level, and where its values stand in an array over all anchors of an
// image: the array has Channels values an anchor, and the tensor's pixels, by rows, are the anchors from First on.
type HeadTensor struct {
	View            View     // data for Gather, gradient for Scatter
	Dense           cuda.Ptr // FP32 [N][anchors][Channels], at a multiple of 16
	Table           cuda.Ptr // HeadTable in device memory
	First, Channels int32
}

// HeadTable is the table of a tensor whose channel i is stored in lanes[i], of so many.
func HeadTable(lanes []int32, stored int) []int32 {
	table := slices.Clone(lanes)
	for len(table)%4 != 0 {
		table = append(table, lanes[0])
	}
	channels := make([]int32, len(lanes))
	for i := range channels {
		channels[i] = int32(i)
	}
	return append(table, RegroupTable(channels, lanes, stored)...)
}

// Gather writes tensors, which may be of several levels and heads, to their dense arrays.
func Gather(t Type, anchors int, tensors ...HeadTensor) []cuda.Launch {
	return head(t.named("head_gather"), anchors, tensors)
}

// Scatter writes dense gradients to those of tensors, and 0 to their lanes without a channel.
func Scatter(t Type, anchors int, tensors ...HeadTensor) []cuda.Launch {
	return head(t.named("head_scatter"), anchors, tensors)
}

const headTensors = 16 // in a launch

func head(kernel string, anchors int, tensors []HeadTensor) (all []cuda.Launch) {
	for some := range slices.Chunk(tensors, headTensors) {
		args := struct {
			tensor  [headTensors]HeadTensor
			anchors int64
		}{anchors: int64(anchors)}
		copy(args.tensor[:], some)
		items := int64(0)
		for _, t := range some {
			if t.First < 0 || int(t.First+t.View.H*t.View.W) > anchors || t.Channels < 1 || t.Channels > t.View.C {
				panic(fmt.Sprintf("head: %d x %d pixels from anchor %d of %d, %d channels in %d lanes", t.View.H, t.View.W, t.First, anchors, t.Channels, t.View.C))
			}
			items = max(items, t.View.Pixels()*int64(t.View.C/4))
		}
		l := flat(kernel, items, cuda.Args(args))
		l.Grid[1] = len(some)
		all = append(all, l)
	}
	return all
}
