package cpu

import (
	"fmt"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

func (d *Device) conv(op *layers.Conv, backward bool) (graph.Kernel, error) {
	c := d.convs[op]
	if c == nil {
		var err error
		if c, err = d.newConv(op); err != nil {
			return nil, fmt.Errorf("%s: %w", op.Name, err)
		}
		d.convs[op] = c
	}
	if backward {
		return d.prepared(&op.Base, c.Backward), nil
	}
	return graph.KernelFunc(func(p *graph.Pass) error { c.Forward(p.Train); return nil }), nil
}

// newConv joins the layer's views, parameters and scratch. Parameters stand in the order weight, gamma, beta with
// normalisation, and weight, bias without.
func (d *Device) newConv(op *layers.Conv) (*kernels.Conv, error) {
	x, out := op.In[0], op.Out
	shift := op.Learn[len(op.Learn)-1]
	s := kernels.ConvSpec{
		K: op.Kernel, S: op.Stride, IC: x.C, OC: out.C, Image: x.Image, BN: op.Norm,
		X: d.View(x), A: d.View(out), DA: d.GradView(out),
		W: d.of(d.weights, op.Learn[0]), DW: d.of(d.grads, op.Learn[0]),
		Beta: d.of(d.weights, shift), DBeta: d.of(d.grads, shift),
		Momentum: layers.NormMomentum, Eps: layers.NormEps,
	}
	s.Y = s.A
	if op.Norm {
		s.Gamma, s.DGamma = d.of(d.weights, op.Learn[1]), d.of(d.grads, op.Learn[1])
		s.Mean, s.Var = d.stat(op.Run[0]), d.stat(op.Run[1])
		s.Y = shape(out)
		s.Y.P = unsafe.Pointer(unsafe.SliceData(d.Alloc(s.Y.Floats())))
	}
	if len(op.Sends) > 0 {
		s.HasDX, s.AccDX, s.DX = true, op.Sends[0].Add, d.GradView(x)
	}
	return kernels.NewConv(s)
}

func (d *Device) of(arena []float32, p *graph.Param) []float32 { return arena[p.Off : p.Off+p.Len] }

func (d *Device) stat(s *graph.Stat) []float32 { return d.stats[s.Off : s.Off+s.Len] }
