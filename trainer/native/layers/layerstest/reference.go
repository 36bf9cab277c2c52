package layerstest

import (
	"fmt"
	"math"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// Reference computes a network's forward pass in float64, as plainly as possible: dense NCHW arrays, one loop for each
// definition, no shared storage. Legend: N images, C channels, H and W pixels.
type Reference struct {
	Train  bool                       // batch statistics; false: Stats
	Params map[*graph.Param][]float64 // logical order
	Stats  map[*graph.Stat][]float64
	ops    []graph.Op
	values map[*graph.Tensor][]float64
}

// NewReference prepares a reference for training mode, with parameters and statistics as given by the device.
func NewReference(g *graph.Graph, param func(*graph.Param) []float32, stat func(*graph.Stat) []float32) *Reference {
	r := &Reference{
		Train:  true,
		Params: map[*graph.Param][]float64{},
		Stats:  map[*graph.Stat][]float64{},
		ops:    g.Ops(),
		values: map[*graph.Tensor][]float64{},
	}
	for _, p := range g.Params {
		r.Params[p] = widen(param(p))
	}
	for _, s := range g.Stats {
		r.Stats[s] = widen(stat(s))
	}
	return r
}

func widen(v []float32) []float64 {
	w := make([]float64, len(v))
	for i := range v {
		w[i] = float64(v[i])
	}
	return w
}

// SetImages takes images by rows, channels interleaved.
func (r *Reference) SetImages(t *graph.Tensor, pix []float32) {
	v := make([]float64, len(pix))
	for n := range t.N {
		for p := range t.H * t.W {
			for c := range t.C {
				v[(n*t.C+c)*t.H*t.W+p] = float64(pix[(n*t.H*t.W+p)*t.C+c])
			}
		}
	}
	r.values[t] = v
}

// Run computes all activations from operation number first on; those before keep their values.
func (r *Reference) Run(first int) {
	for _, op := range r.ops[first:] {
		switch op := op.(type) {
		case *layers.Conv:
			r.conv(op)
		case *layers.Concat:
			r.concat(op)
		case *layers.Part:
			parent, _, _ := op.Out.PartOf()
			r.pick(op.Out, parent, op.Out.First())
		case *layers.Add:
			x, y := r.values[op.In[0]], r.values[op.In[1]]
			z := make([]float64, len(x))
			for i := range z {
				z[i] = x[i] + y[i]
			}
			r.values[op.Out] = z
		case *layers.Upsample:
			r.upsample(op)
		case *layers.MaxPool:
			r.maxPool(op)
		case *layers.Loss:
		default:
			panic(fmt.Sprintf("layerstest: no reference for %T", op))
		}
	}
}

// Heads gathers a head set's output: box N*A*4*R, class N*A*K.
func (r *Reference) Heads(set *layers.HeadSet) (box, class []float64) {
	return r.dense(set.Box), r.dense(set.Class)
}

func (r *Reference) dense(levels []*graph.Tensor) (out []float64) {
	for n := range levels[0].N {
		for _, t := range levels {
			for p := range t.H * t.W {
				for c := range t.C {
					out = append(out, r.values[t][(n*t.C+c)*t.H*t.W+p])
				}
			}
		}
	}
	return out
}

func (r *Reference) conv(op *layers.Conv) {
	x, y := op.In[0], op.Out
	in, out := r.values[x], make([]float64, y.N*y.C*y.H*y.W)
	w, k := r.Params[op.Learn[0]], op.Kernel
	for n := range y.N {
		for o := range y.C {
			plane := out[(n*y.C+o)*y.H*y.W:][:y.H*y.W]
			for i := range x.C {
				src := in[(n*x.C+i)*x.H*x.W:][:x.H*x.W]
				for t := range k * k {
					correlate(plane, src, y.Shape, x.Shape, op.Stride, t/k-k/2, t%k-k/2, w[(o*x.C+i)*k*k+t])
				}
			}
		}
	}
	if op.Norm {
		r.normalise(op, out)
	} else {
		for i := range out {
			out[i] += r.Params[op.Learn[1]][i/(y.H*y.W)%y.C]
		}
	}
	r.values[y] = out
}

// correlate adds w times the plane x, shifted by (dh, dw) and sampled at the stride, to the plane y.
func correlate(y, x []float64, ys, xs graph.Shape, stride, dh, dw int, w float64) {
	first, end := 0, ys.W // columns whose sample lies inside
	for first*stride+dw < 0 {
		first++
	}
	for end > first && (end-1)*stride+dw >= xs.W {
		end--
	}
	for h := range ys.H {
		hh := h*stride + dh
		if hh < 0 || hh >= xs.H {
			continue
		}
		at := hh*xs.W + first*stride + dw
		for v := h*ys.W + first; v < h*ys.W+end; v++ {
			y[v] += w * x[at]
			at += stride
		}
	}
}

func (r *Reference) normalise(op *layers.Conv, y []float64) {
	o := op.Out
	gamma, beta := r.Params[op.Learn[1]], r.Params[op.Learn[2]]
	for c := range o.C {
		each := func(f func(i int)) {
			for n := range o.N {
				for p := range o.H * o.W {
					f((n*o.C+c)*o.H*o.W + p)
				}
			}
		}
		mean, variance, count := 0.0, 0.0, float64(o.N*o.H*o.W)
		each(func(i int) { mean += y[i] / count })
		each(func(i int) { variance += (y[i] - mean) * (y[i] - mean) / count })
		if !r.Train {
			mean, variance = r.Stats[op.Run[0]][c], r.Stats[op.Run[1]][c]
		}
		each(func(i int) {
			z := (y[i]-mean)/math.Sqrt(variance+layers.NormEps)*gamma[c] + beta[c]
			y[i] = z / (1 + math.Exp(-z))
		})
	}
}

func (r *Reference) concat(op *layers.Concat) {
	var out []float64
	for n := range op.Out.N {
		for _, x := range op.In {
			size := x.C * x.H * x.W
			out = append(out, r.values[x][n*size:(n+1)*size]...)
		}
	}
	r.values[op.Out] = out
}

// pick copies t's channels out of its parent, from channel first on.
func (r *Reference) pick(t, parent *graph.Tensor, first int) {
	var out []float64
	plane := t.H * t.W
	for n := range t.N {
		out = append(out, r.values[parent][(n*parent.C+first)*plane:][:t.C*plane]...)
	}
	r.values[t] = out
}

func (r *Reference) upsample(op *layers.Upsample) {
	x, y := op.In[0], op.Out
	out := make([]float64, y.N*y.C*y.H*y.W)
	for i := range out {
		w, h, nc := i%y.W, i/y.W%y.H, i/y.W/y.H
		out[i] = r.values[x][(nc*x.H+h/2)*x.W+w/2]
	}
	r.values[y] = out
}

func (r *Reference) maxPool(op *layers.MaxPool) {
	x := op.In[0]
	out := make([]float64, x.N*x.C*x.H*x.W)
	for i := range out {
		w, h, nc := i%x.W, i/x.W%x.H, i/x.W/x.H
		best := math.Inf(-1)
		for a := max(h-2, 0); a <= min(h+2, x.H-1); a++ {
			for b := max(w-2, 0); b <= min(w+2, x.W-1); b++ {
				best = math.Max(best, r.values[x][(nc*x.H+a)*x.W+b])
			}
		}
		out[i] = best
	}
	r.values[op.Out] = out
}
