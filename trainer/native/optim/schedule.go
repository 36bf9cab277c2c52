package optim

import "math"

// Rates are what one step needs.
type Rates struct {
	Weights  float64 // learning rate of convolution weights and of batch normalisation
	Bias     float64 // learning rate of the biases of the head
	Momentum float64
}

// Shape is how the learning rate goes from LR0 to LR0 x LRF.
type Shape int

// The shapes, over the share of the run that is done.
const (
	Linear     Shape = iota // a straight line
	Cosine                  // half a cosine
	FlatCosine              // LR0 for the first half of the run, then half a cosine
	Fixed                   // LR0 to the end; LRF is not read
)

// Schedule says how learning rates, momentum and accumulation go over a run.
type Schedule struct {
	LR0            float64 // learning rate at the start, above 0
	LRF            float64 // final learning rate as a fraction of LR0
	Shape          Shape
	Momentum       float64 // 0..1
	Warmup         float64 // steps of warm-up, may be broken; 0: none
	WarmupMomentum float64 // momentum at step 0
	WarmupBias     float64 // learning rate of biases at step 0; the others start from 0
	Steps          int     // of the whole run
}

// Factor is the learning rate of a step over LR0, without warm-up: 1 at step 0, near LRF
// at the last one. step counts from 0.
func (s Schedule) Factor(step int) float64 {
	done := float64(step) / float64(max(1, s.Steps))
	left := 1 - done
	switch s.Shape {
	case Cosine:
		left = 0.5 * (1 + math.Cos(math.Pi*done))
	case FlatCosine:
		left = 0.5 * (1 + math.Cos(math.Pi*max(0, 2*done-1)))
	case Fixed:
		return 1
	}
	return left*(1-s.LRF) + s.LRF
}

// At gives the rates of a step, counted from 0. During warm-up everything moves on a
// straight line from its start to the value that the schedule has at that step.
func (s Schedule) At(step int) Rates {
	lr := s.LR0 * s.Factor(step)
	r := Rates{Weights: lr, Bias: lr, Momentum: s.Momentum}
	if z := float64(step); z < s.Warmup {
		z /= s.Warmup
		r.Weights = lr * z
		r.Bias = s.WarmupBias + (lr-s.WarmupBias)*z
		r.Momentum = s.WarmupMomentum + (s.Momentum-s.WarmupMomentum)*z
	}
	return r
}

// Accumulate is over how many batches gradients are summed before weights move, at a step counted from 0, where batches
// are to count together as nominal images: round(nominal/batch), at least 1. During warm-up the quotient rises on a
// straight line from 1.
func (s Schedule) Accumulate(step, batch, nominal int) int {
	n := float64(nominal) / float64(batch)
	if z := float64(step); z < s.Warmup {
		n = 1 + (n-1)*z/s.Warmup
	}
	return max(1, int(math.RoundToEven(n)))
}

// Average is the exponential moving average of weights and batch statistics:
// average = d average + (1-d) current, with d = Decay (1 - exp(-n/Tau)) after update n.
// So the first hundreds of steps hardly average at all.
type Average struct {
	Decay float64 // 0..1
	Tau   float64 // steps, above 0

	Threads int // that Move uses; 0: 1
}

// Weight is 1-d at update n, counted from 1.
func (a Average) Weight(n int) float64 {
	return 1 - a.Decay*(1-math.Exp(-float64(n)/a.Tau))
}

// ClipFactor is what gradients of the given global norm are multiplied with, so that the
// norm does not exceed limit: 1 if it does not. limit 0 switches clipping off.
func ClipFactor(norm, limit float64) float64 {
	if limit <= 0 {
		return 1
	}
	return min(1, limit/(norm+1e-6))
}
