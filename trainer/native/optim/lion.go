package optim

import "github.com/mapsweep/mapsweep/trainer/native/kernels"

// lionBeta2 is what the paper's vision experiments and the reference trainers use.
const lionBeta2 = 0.99

// LION is EvoLved Sign Momentum (Chen et al. 2023, arXiv:2302.06675, algorithm 2) with decoupled weight decay: see
// [kernels.Lion]. beta1 is Beta1, beta2 0.99. As with SGD, the global norm of all gradients is clipped first, and decay
// is for convolution weights only.
type LION struct {
	Segments    []Segment
	Beta1       float64 // 0..1, below 1
	WeightDecay float64 // 0 or more; weights shrink by learning rate x decay a step
	ClipNorm    float64 // 0: no clipping
	Threads     int     // that a step uses; 0: 1
}

// Step moves weights along grads with the average mean (zero before the first step); all three are arranged alike. It
// returns the norm of the gradients before clipping. A norm that is not finite leaves weights and average alone. Momentum
// of the rates is not read.
func (o *LION) Step(weights, grads, mean []float32, r Rates) float64 {
	norm, factor, ok := clip(o.Segments, grads, o.ClipNorm)
	if !ok {
		return norm
	}
	for _, s := range o.Segments {
		if s.Frozen {
			continue
		}
		step := kernels.LionStep{Rate: r.Weights, Beta1: o.Beta1, Beta2: lionBeta2, GradScale: float64(factor)}
		if s.Bias {
			step.Rate = r.Bias
		}
		if s.Decay {
			step.Decay = o.WeightDecay
		}
		ranges(o.Threads, s.Off, s.Off+s.Len, func(from, to int) { kernels.Lion(weights[from:to], grads[from:to], mean[from:to], step) })
	}
	return norm
}
