package layerstest

import (
	"math"
	"math/rand/v2"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// target is the value that [Smooth] pulls logit i towards: different in every place.
func target(i int) float64 { return math.Sin(float64(i)*0.7 + float64(i%7)) }

// Smooth returns a smooth loss: weight times the mean square distance of box logits to a fixed wave, plus the mean of
// softplus((1 - 2 z) v) over class logits v with z = 0 or 1 in turn.
func Smooth(weight float64) layers.LossFunc {
	return func(h loss.Heads, dBox, dClass []float32) (float64, error) {
		total := 0.0
		for i, v := range h.Box {
			e := float64(v) - target(i)
			total += weight * e * e / float64(len(h.Box))
			dBox[i] = float32(weight * 2 * e / float64(len(h.Box)))
		}
		for i, v := range h.Class {
			s := sign(i)
			total += weight * math.Log1p(math.Exp(s*float64(v))) / float64(len(h.Class))
			dClass[i] = float32(weight * s / (1 + math.Exp(-s*float64(v))) / float64(len(h.Class)))
		}
		return total, nil
	}
}

func sign(i int) float64 {
	if i%3 == 0 {
		return -1
	}
	return 1
}

// SmoothLoss is the value of [Smooth] in float64.
func SmoothLoss(weight float64, box, class []float64) float64 {
	total := 0.0
	for i, v := range box {
		total += (v - target(i)) * (v - target(i)) / float64(len(box))
	}
	for i, v := range class {
		total += math.Log1p(math.Exp(sign(i)*v)) / float64(len(class))
	}
	return weight * total
}

// Difference is what [CheckGradients] found in one parameter.
type Difference struct {
	Param     *graph.Param
	Element   int
	Got, Want float64
	Relative  float64 // |Got-Want| over the largest gradient of the parameter, or over 1e-5 where that is larger
}

// CheckGradients compares gradients with central differences (step 1e-6) of the reference, at `per` elements of every
// parameter, drawn among those above 5 % of the parameter's largest. grad returns a device's gradient in logical order;
// loss evaluates the reference. It returns all comparisons. Some gradients are zero but for rounding, such as that of a
// shift before another normalisation.
func CheckGradients(r *Reference, loss func() float64, grad func(*graph.Param) []float32, per int) []Difference {
	const step = 1e-6
	draw := rand.New(rand.NewPCG(1, 2))
	var found []Difference
	r.Run(0)
	for at, op := range r.ops {
		for _, p := range op.Params() {
			g := grad(p)
			largest := 0.0
			for _, v := range g {
				largest = math.Max(largest, math.Abs(float64(v)))
			}
			for range per {
				i := draw.IntN(len(g))
				for math.Abs(float64(g[i])) < 0.05*largest {
					i = draw.IntN(len(g))
				}
				w := r.Params[p]
				old := w[i]
				evaluate := func(v float64) float64 {
					w[i] = v
					r.Run(at)
					return loss()
				}
				want := (evaluate(old+step) - evaluate(old-step)) / (2 * step)
				w[i] = old
				d := Difference{Param: p, Element: i, Got: float64(g[i]), Want: want}
				d.Relative = math.Abs(d.Got-d.Want) / math.Max(largest, 1e-5)
				found = append(found, d)
			}
		}
		r.Run(at) // as it was, before the next layer
	}
	return found
}
