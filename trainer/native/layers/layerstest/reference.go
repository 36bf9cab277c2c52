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
			r.values[op.Out] = r.conv(op)
		case *layers.Rep:
			r.rep(op)
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
		case *layers.AvgPool:
			r.avgPool(op)
		case *layers.Fuse:
			r.fuse(op)
		case *layers.Regroup:
			r.values[op.Out] = r.values[op.In[0]]
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

func (r *Reference) conv(op *layers.Conv) []float64 {
	out := r.convolve(&op.Base, op.Learn[0], op.Stride)
	if op.Norm {
		r.normalise(op.Out, out, op.Learn[1:], op.Run)
		if !op.Linear {
			silu(out)
		}
		return out
	}
	y := op.Out
	for i := range out {
		out[i] += r.Params[op.Learn[1]][i/(y.H*y.W)%y.C]
	}
	return out
}

// rep computes both arms and joins them.
func (r *Reference) rep(op *layers.Rep) {
	wide, point := r.convolve(&op.Base, op.Learn[0], 1), r.convolve(&op.Base, op.Learn[3], 1)
	r.normalise(op.Out, wide, op.Learn[1:3], op.Run[:2])
	r.normalise(op.Out, point, op.Learn[4:], op.Run[2:])
	for i := range wide {
		wide[i] += point[i]
	}
	silu(wide)
	r.values[op.Out] = wide
}

func silu(z []float64) {
	for i := range z {
		z[i] /= 1 + math.Exp(-z[i])
	}
}

// convolve is the bare convolution of op's input. Output channel o of a group reads the group's input channels alone.
func (r *Reference) convolve(op *graph.Base, weights *graph.Param, stride int) []float64 {
	x, y := op.In[0], op.Out
	in, out := r.values[x], make([]float64, y.N*y.C*y.H*y.W)
	w, k, ic := r.Params[weights], weights.Shape[2], weights.Shape[1]
	for n := range y.N {
		for o := range y.C {
			plane := out[(n*y.C+o)*y.H*y.W:][:y.H*y.W]
			for i := range ic {
				from := o/(y.C/(x.C/ic))*ic + i
				src := in[(n*x.C+from)*x.H*x.W:][:x.H*x.W]
				for t := range k * k {
					correlate(plane, src, y.Shape, x.Shape, stride, t/k-k/2, t%k-k/2, w[(o*ic+i)*k*k+t])
				}
			}
		}
	}
	return out
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

// normalise applies batch normalisation to y, which has o's shape; learn is scale and shift, run mean and variance.
func (r *Reference) normalise(o *graph.Tensor, y []float64, learn []*graph.Param, run []*graph.Stat) {
	gamma, beta := r.Params[learn[0]], r.Params[learn[1]]
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
			mean, variance = r.Stats[run[0]][c], r.Stats[run[1]][c]
		}
		each(func(i int) {
			y[i] = (y[i]-mean)/math.Sqrt(variance+layers.NormEps)*gamma[c] + beta[c]
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
	x, y, reach := op.In[0], op.Out, op.Kernel/2
	out := make([]float64, y.N*y.C*y.H*y.W)
	for i := range out {
		w, h, nc := i%y.W*op.Stride, i/y.W%y.H*op.Stride, i/y.W/y.H
		best := math.Inf(-1)
		for a := max(h-reach, 0); a <= min(h+reach, x.H-1); a++ {
			for b := max(w-reach, 0); b <= min(w+reach, x.W-1); b++ {
				best = math.Max(best, r.values[x][(nc*x.H+a)*x.W+b])
			}
		}
		out[i] = best
	}
	r.values[y] = out
}

func (r *Reference) avgPool(op *layers.AvgPool) {
	x, y := op.In[0], op.Out
	in, out := r.values[x], make([]float64, y.N*y.C*y.H*y.W)
	for i := range out {
		at := (i/y.W/y.H*x.H+i/y.W%y.H)*x.W + i%y.W
		out[i] = (in[at] + in[at+1] + in[at+x.W] + in[at+x.W+1]) / 4
	}
	r.values[y] = out
}

func (r *Reference) fuse(op *layers.Fuse) {
	y := op.Out
	out := make([]float64, y.N*y.C*y.H*y.W)
	for _, x := range op.In {
		for i := range out {
			w, h, nc := i%y.W*x.W/y.W, i/y.W%y.H*x.H/y.H, i/y.W/y.H
			out[i] += r.values[x][(nc*x.H+h)*x.W+w]
		}
	}
	r.values[y] = out
}
