package gpu

import (
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/lifetime"
)

// imageLanes is the number of values of a pixel of the image: red, green, blue and zero.
const imageLanes = 4

func lanes(t *graph.Tensor) int {
	if t.Image {
		return imageLanes
	}
	return t.Blocks() * graph.Block
}

// plan places the buffers of a pass in the arena.
func (d *Device) plan() error {
	size := func(b lifetime.Buffer) int { return b.T.N * b.T.H * b.T.W * lanes(b.T) * int(d.typ.Bytes()) }
	all := lifetime.Of(d.g, size)
	if d.evaluates() {
		d.prolongOutputs(all)
	} else {
		d.prolong(all)
	}
	all = d.merge(all)
	d.room = lifetime.Arrange(all, grain)
	for _, l := range all {
		d.at[l.Buffer] = l.At
	}
	if d.first != nil && d.room <= d.first.room {
		d.arena = d.first.arena
		return nil
	}
	var err error
	d.arena, err = d.take(int64(d.room))
	return err
}

// prolong keeps what gradients of weights read until the end of the pass, since they are computed beside the way back.
func (d *Device) prolong(all []*lifetime.Life) {
	read := map[lifetime.Buffer]bool{}
	for _, op := range d.g.Ops() {
		var out *graph.Tensor
		products := []lifetime.Content{lifetime.Product}
		switch op := op.(type) {
		case *layers.Conv:
			out = op.Out
			if !op.Norm { // its output's gradient is the product's
				products = []lifetime.Content{lifetime.Gradient}
			}
		case *layers.Rep:
			out, products = op.Out, append(products, lifetime.Second)
		default:
			continue
		}
		read[lifetime.Buffer{T: op.Inputs()[0], What: lifetime.Activation}.Whole()] = true
		for _, p := range products {
			read[lifetime.Buffer{T: out, What: p}.Whole()] = true
		}
	}
	end := len(d.g.Forward) + len(d.g.Backward)
	for _, l := range all {
		if read[l.Buffer] {
			l.Last = end
		}
	}
}

// evaluates says that the graph has no way back.
func (d *Device) evaluates() bool { return len(d.g.Backward) == 0 }

// prolongOutputs keeps, without a way back, what the outputs of the network lie in to the end of the pass, and the products
// of layers that are activated in a sum until it is made.
func (d *Device) prolongOutputs(all []*lifetime.Life) {
	end, last := len(d.g.Forward), map[lifetime.Buffer]int{}
	for i, s := range d.g.Forward {
		sum, ok := s.Op.(*layers.Add)
		if of, late := d.sums[sum]; ok && late {
			for _, what := range []lifetime.Content{lifetime.Product, lifetime.Second} {
				last[lifetime.Buffer{T: of.of.Output(), What: what}] = i
			}
		}
	}
	if op, err := d.lossOp(); err == nil { // without a loss nothing is an output
		for _, t := range op.Inputs() {
			last[lifetime.Buffer{T: t, What: lifetime.Activation}.Whole()] = end
		}
	}
	for _, l := range all {
		l.Last = max(l.Last, last[l.Buffer])
	}
}

// view is the window of t's lanes in a buffer.
func (d *Device) view(b lifetime.Buffer, block int, t *graph.Tensor) kernel.View {
	return kernel.View{
		P: d.arena.Add(int64(d.at[b]) + int64(block*graph.Block)*d.typ.Bytes()),
		N: int32(t.N), H: int32(t.H), W: int32(t.W), C: int32(lanes(t)), Stride: int32(lanes(b.T)),
	}
}

// data is where t's activation lies between the step that makes it and the last that reads it.
func (d *Device) data(t *graph.Tensor) kernel.View {
	owner, block := t.Data()
	return d.view(lifetime.Buffer{T: owner, What: lifetime.Activation}, block, t)
}

// grad is the same for t's gradient.
func (d *Device) grad(t *graph.Tensor) kernel.View {
	b, block := d.gradOf(t)
	return d.view(b, block, t)
}

// product is what a convolution makes before its normalisation, and then that product's gradient.
func (d *Device) product(t *graph.Tensor, what lifetime.Content) kernel.View {
	return d.view(lifetime.Buffer{T: t, What: what}, 0, t)
}

// window is the window of blocks of v.
func (d *Device) window(v kernel.View, block, blocks int) kernel.View {
	if v.C == imageLanes {
		return v
	}
	return v.Part(d.typ, block*graph.Block, blocks*graph.Block)
}

func align(bytes int64) int64 { return (bytes + grain - 1) / grain * grain }
