package cpu

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/lifetime"
)

func (d *Device) conv(op *layers.Conv, backward bool) (graph.Kernel, error) {
	if d.convs[op] == nil {
		cs, err := d.newConv(op)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op.Name, err)
		}
		d.convs[op] = cs
	}
	cs := d.convs[op]
	if backward {
		return d.prepared(&op.Base, func() {
			for _, c := range cs {
				c.Backward()
			}
		}), nil
	}
	return graph.KernelFunc(func(p *graph.Pass) error {
		for _, c := range cs {
			c.Forward(p.Train)
		}
		return nil
	}), nil
}

// newConv makes one convolution for each group. Parameters stand in the order weight, gamma, beta with normalisation,
// and weight, bias without.
func (d *Device) newConv(op *layers.Conv) ([]*kernels.Conv, error) {
	s := kernels.ConvSpec{K: op.Kernel, S: op.Stride, Image: op.In[0].Image, BN: op.Norm, Linear: op.Linear, Form: d.form(),
		BF16: d.bf16 && op.Norm && !op.In[0].Image, Room: d.operands(0)}
	d.connect(&s, &op.Base)
	s.Y = s.A
	if op.Norm {
		s.Y = d.room(lifetime.Buffer{T: op.Out, What: lifetime.Product})
	}
	groups := banks(op.Learn[0])
	return whole(len(groups), func(i int) (*kernels.Conv, error) {
		return d.likeConv(op, i).Resized(d.group(s, groups[i], op.Learn, op.Run))
	})
}

// whole binds n convolutions, or none: where one cannot be bound, it closes those before.
func whole(n int, bind func(i int) (*kernels.Conv, error)) (cs []*kernels.Conv, err error) {
	for i := range n {
		c, err := bind(i)
		if err != nil {
			for _, c := range cs {
				c.Close()
			}
			return nil, err
		}
		cs = append(cs, c)
	}
	return cs, nil
}

func (d *Device) rep(op *layers.Rep, backward bool) (graph.Kernel, error) {
	r := d.reps[op]
	if r == nil {
		var err error
		if r, err = d.newRep(op); err != nil {
			return nil, fmt.Errorf("%s: %w", op.Name, err)
		}
		d.reps[op] = r
	}
	if backward {
		return d.prepared(&op.Base, r.Backward), nil
	}
	return graph.KernelFunc(func(p *graph.Pass) error { r.Forward(p.Train); return nil }), nil
}

func (d *Device) newRep(op *layers.Rep) (*kernels.Rep, error) {
	wide := kernels.ConvSpec{K: 3, S: 1, BN: true, Form: d.form(), BF16: d.bf16}
	d.connect(&wide, &op.Base)
	point := wide
	wide.Room, point.Room = d.operands(0), d.operands(1) // the two arms may run at the same time
	wide.Y, point.Y = d.room(lifetime.Buffer{T: op.Out, What: lifetime.Product}), d.room(lifetime.Buffer{T: op.Out, What: lifetime.Second})
	half := len(op.Learn) / 2
	wide = d.group(wide, banks(op.Learn[0])[0], op.Learn[:half], op.Run[:2])
	point = d.group(point, banks(op.Learn[half])[0], op.Learn[half:], op.Run[2:])
	return d.likeRep(op).Resized(wide, point)
}

// connect enters the views of the layer's input and output. Where only the first images are looked at there is no backward
// pass.
func (d *Device) connect(s *kernels.ConvSpec, op *graph.Base) {
	s.X, s.A = d.View(op.In[0]), d.View(op.Out)
	s.Momentum, s.Eps = layers.NormMomentum, layers.NormEps
	if d.images > 0 {
		return
	}
	s.DA = d.GradView(op.Out)
	if len(op.Sends) > 0 {
		s.HasDX, s.AccDX, s.DX = true, op.Sends[0].Add, d.GradView(op.In[0])
	}
}

// group narrows s, which describes a whole layer, to one bank of it, and enters its parameters and statistics.
func (d *Device) group(s kernels.ConvSpec, b bank, learn []*graph.Param, run []*graph.Stat) kernels.ConvSpec {
	vector := func(v []float32) []float32 { return v[b.first*graph.Block:][:b.count*graph.Block] }
	s.IC, s.OC, s.ILanes, s.OLanes = b.countIn*graph.Block, b.count*graph.Block, b.in, b.out
	if s.Image {
		s.IC = len(b.in)
	} else {
		s.X = s.X.Part(b.firstIn, b.countIn)
	}
	if s.HasDX {
		s.DX = s.DX.Part(b.firstIn, b.countIn)
	}
	s.Y, s.A = s.Y.Part(b.first, b.count), s.A.Part(b.first, b.count)
	if d.images == 0 {
		s.DA = s.DA.Part(b.first, b.count)
	}
	s.W, s.DW = d.of(d.weights, learn[0])[b.at:][:b.floats], d.of(d.grads, learn[0])[b.at:][:b.floats]
	shift := learn[len(learn)-1]
	s.Beta, s.DBeta = vector(d.of(d.weights, shift)), vector(d.of(d.grads, shift))
	if s.BN {
		s.Gamma, s.DGamma = vector(d.of(d.weights, learn[1])), vector(d.of(d.grads, learn[1]))
		s.Mean, s.Var = vector(d.stat(run[0])), vector(d.stat(run[1]))
	}
	return s
}

func (d *Device) of(arena []float32, p *graph.Param) []float32 { return arena[p.Off : p.Off+p.Len] }

func (d *Device) stat(s *graph.Stat) []float32 { return d.stats[s.Off : s.Off+s.Len] }
