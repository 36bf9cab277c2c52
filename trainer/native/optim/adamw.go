package optim

import "github.com/mapsweep/mapsweep/trainer/native/kernels"

// The numbers of Adam and AdamW that no knob sets, as PyTorch has them by default and the reference trainers leave them.
const (
	beta2   = 0.999
	epsilon = 1e-8
)

// AdamW is Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2; AMSGrad: Reddi et al.
// 2018, arXiv:1904.09237), as PyTorch defines it: see [kernels.AdamW]. beta1 is Beta1, beta2 0.999, epsilon 1e-8. As
// with SGD, the global norm of all gradients is clipped first, and decay is for convolution weights only.
type AdamW struct {
	Segments    []Segment
	Beta1       float64 // 0..1, below 1
	WeightDecay float64 // 0 or more; weights shrink by learning rate x decay a step
	ClipNorm    float64 // 0: no clipping
	L2          bool    // Adam: decay x weight is added to the gradient instead (Kingma and Ba 2015, arXiv:1412.6980)
	Threads     int     // that a step uses; 0: 1
}

// Moments is the state of Adam and AdamW, all of it arranged as the weights and zero before the first step.
type Moments struct {
	Mean   []float32 // moving average of gradients
	Square []float32 // moving average of their squares
	Peak   []float32 // the largest Square so far, for AMSGrad; nil: without it
}

// Step takes step n, counted from 1. It returns the norm of the gradients before clipping. A norm that is not finite
// leaves weights and state alone. Momentum of the rates is not read.
func (o *AdamW) Step(weights, grads []float32, m Moments, n int, r Rates) float64 {
	norm, factor, ok := clip(o.Segments, grads, o.ClipNorm)
	if !ok {
		return norm
	}
	for _, s := range o.Segments {
		if s.Frozen {
			continue
		}
		step := kernels.AdamWStep{Rate: r.Weights, Beta1: o.Beta1, Beta2: beta2, Epsilon: epsilon, GradScale: float64(factor), N: n}
		if s.Bias {
			step.Rate = r.Bias
		}
		switch {
		case s.Decay && o.L2:
			step.L2 = o.WeightDecay
		case s.Decay:
			step.Decay = o.WeightDecay
		}
		ranges(o.Threads, s.Off, s.Off+s.Len, func(from, to int) {
			var peak []float32
			if m.Peak != nil {
				peak = m.Peak[from:to]
			}
			kernels.AdamW(weights[from:to], grads[from:to], m.Mean[from:to], m.Square[from:to], peak, step)
		})
	}
	return norm
}
