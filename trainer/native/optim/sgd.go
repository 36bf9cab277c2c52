package optim

import (
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// Segment is a run of floats of the weight arena that is treated alike.
type Segment struct {
	Off, Len int
	Decay    bool // weight decay applies: convolution weights
	Bias     bool // takes the biases' learning rate: biases of the head
	Frozen   bool // stays as it is: its gradient is cleared and counts in no norm
}

// Segments groups parameters as the reference trainers do: weight decay on convolution
// weights only; the warm-up of biases for biases of convolutions only, so that scale
// and shift of batch normalisation go with the weights. Neighbours treated alike, with
// the padding between them, are joined. params must have their places (Off, Len) set.
// Those among them that are frozen are not to be trained.
func Segments(params []*graph.Param, frozen ...*graph.Param) []Segment {
	sorted := slices.SortedFunc(slices.Values(params), func(a, b *graph.Param) int { return a.Off - b.Off })
	var all []Segment
	for _, p := range sorted {
		bias := p.Group == graph.Bias && !strings.HasSuffix(p.Name, ".beta")
		s := Segment{Off: p.Off, Len: p.Len, Decay: p.Group == graph.Decay, Bias: bias, Frozen: slices.Contains(frozen, p)}
		if n := len(all); n > 0 && all[n-1].Decay == s.Decay && all[n-1].Bias == s.Bias && all[n-1].Frozen == s.Frozen {
			all[n-1].Len = s.Off + s.Len - all[n-1].Off
			continue
		}
		all = append(all, s)
	}
	return all
}

// clip clears the gradients of what is frozen and returns the global norm of the others, with what the gradients are
// to be multiplied with so that it does not exceed limit. A norm that is not finite comes with ok false.
func clip(segments []Segment, grads []float32, limit float64) (norm float64, factor float32, ok bool) {
	for _, s := range segments {
		if s.Frozen {
			clear(grads[s.Off : s.Off+s.Len])
		}
	}
	norm = math.Sqrt(kernels.SumSquares(grads))
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return norm, 0, false
	}
	return norm, float32(ClipFactor(norm, limit)), true
}

// SGD is stochastic gradient descent with Nesterov momentum, as PyTorch defines it:
//
//	g' = factor g + decay w;  m = momentum m + g';  w = w - rate (g' + momentum m)
//
// factor clips the global norm of all gradients, before weight decay.
type SGD struct {
	Segments    []Segment
	WeightDecay float64 // 0 or more
	ClipNorm    float64 // 0: no clipping
	Threads     int     // that a step uses; 0: 1
}

// Step moves weights along grads with the buffer momentum (zero before the first step);
// all three are arranged alike. It returns the norm of the gradients before clipping. A
// norm that is not finite leaves weights and momentum alone.
func (o *SGD) Step(weights, grads, momentum []float32, r Rates) float64 {
	norm, factor, ok := clip(o.Segments, grads, o.ClipNorm)
	if !ok {
		return norm
	}
	for _, s := range o.Segments {
		if s.Frozen {
			continue
		}
		step := kernels.Step{Rate: float32(r.Weights), Momentum: float32(r.Momentum), GradScale: factor}
		if s.Bias {
			step.Rate = float32(r.Bias)
		}
		if s.Decay {
			step.Decay = float32(o.WeightDecay)
		}
		to := s.Off + s.Len
		ranges(o.Threads, s.Off, to, func(from, to int) { kernels.SGD(weights[from:to], grads[from:to], momentum[from:to], step) })
	}
	return norm
}

// Move updates an average with the current values after update n, counted from 1.
func (a Average) Move(average, current []float32, n int) {
	t := float32(a.Weight(n))
	ranges(a.Threads, 0, len(average), func(from, to int) { kernels.Lerp(average[from:to], current[from:to], t) })
}
