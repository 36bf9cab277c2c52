package kernel

import (
	"fmt"
	"math"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// StepInput is what the host says about one step. Optimizer.Input makes it. It is StepInput of step.cuh.
type StepInput struct {
	number   uint64     // set by the ring
	Rate     [2]float32 // learning rate of weights and of biases; of Adam and AdamW over 1 - beta1^n
	Keep     [2]float32 // AdamW and LION: what weights that decay are multiplied with, at either rate
	Momentum float32    // SGD
	Root     float32    // Adam and AdamW: sqrt(1 - beta2^n)
	Average  float32    // how far the moving average goes towards the weights, 0..1
	move     int32
	clip     float64 // the largest norm of the gradients; 0: any
	decay    float32 // SGD: weight decay; Adam: decay that is added to the gradient
	fresh    float32 // Adam, AdamW and LION: 1 - beta1
	_        [18]uint32
}

// Halt is why nothing moves any more.
type Halt int32

// The reasons.
const (
	Running Halt = iota
	BadLoss      // a loss was not finite: nothing moved in that step but running statistics, and nothing in those after
	BadNorm      // the norm of the gradients was not: in that step only running statistics and averages moved, and sums of gradients were cleared
)

// maxLosses is MAX_LOSSES of step.cuh.
const maxLosses = 12

// StepResult is what a finished step reports. It is StepResult of step.cuh.
type StepResult struct {
	Number uint64  // of the step, from 0 when the ring was made
	Norm   float64 // of the gradients before clipping; 0 where weights were not to move
	moved  int32
	Halt   Halt // not Running: this step or one before was not finite
	idle   int32
	_      int32
	Losses [maxLosses]float64 // as Step.Losses lists them
}

// Moved tells whether weights moved after this step, or were to.
func (r StepResult) Moved() bool { return r.moved != 0 }

// Idle tells whether a step before was not finite, so that this one has changed nothing.
func (r StepResult) Idle() bool { return r.idle != 0 }

// Doubles are N float64 values in device memory.
type Doubles struct {
	P cuda.Ptr
	N int
}

// StateBytes is the size of a step's state in device memory (StepState of step.cuh), which begins as zeros.
const StateBytes = 128 + 8 + 8 + 6*4

// Step is what is the same in all steps of a run: where a step takes its input from and reports to. See Ring.
type Step struct {
	State           cuda.Ptr // StateBytes, zero at the start of a run
	Inputs, Results cuda.Ptr // rings of Slots in pinned memory
	Slots           int
	Losses          []Doubles // one or two, 12 values at most: watched for values that are not finite, and reported
}

type watched struct {
	p [2]cuda.Ptr
	n [2]int32
}

func (s Step) losses() (l watched) {
	total := 0
	for i, d := range s.Losses {
		if i >= len(l.p) || total+d.N > maxLosses {
			panic(fmt.Sprintf("step: %d groups of losses, more than 2 or %d values", len(s.Losses), maxLosses))
		}
		l.p[i], l.n[i] = d.P, int32(d.N)
		total += d.N
	}
	return l
}

// Begin takes the step's input from the ring. It comes before all that reads the state.
func (s Step) Begin() cuda.Launch {
	args := struct {
		state, inputs cuda.Ptr
		slots, _      int32
	}{state: s.State, inputs: s.Inputs, slots: int32(s.Slots)}
	return cuda.Launch{Kernel: "step_begin", Block: [3]int{32}, Args: cuda.Args(args)}
}

// End reports the step to the ring. It comes last.
func (s Step) End() cuda.Launch {
	args := struct {
		state, results cuda.Ptr
		losses         watched
		slots, _       int32
	}{state: s.State, results: s.Results, losses: s.losses(), slots: int32(s.Slots)}
	return cuda.Launch{Kernel: "step_end", Block: [3]int{32}, Args: cuda.Args(args)}
}

// Rates are the numbers of one step that a schedule gives.
type Rates struct {
	Weights, Bias float64 // learning rates
	Momentum      float64 // SGD
	Average       float64 // how far the moving average goes towards the weights: optim.Average.Weight
	Update        int     // number of this update, from 1
	Move          bool    // false: the gradients of this batch are only summed
}

// Input is a step's input, with the arithmetic of trainer/native/optim, which is in float64 before it is rounded.
func (o Optimizer) Input(r Rates) StepInput {
	n := float64(r.Update)
	in := StepInput{Momentum: float32(r.Momentum), Average: float32(r.Average), move: flag(r.Move), clip: o.ClipNorm, fresh: float32(1 - o.Beta1)}
	if o.Kind == SGD || o.Kind == Adam {
		in.decay = float32(o.WeightDecay)
	}
	if o.Kind == Adam || o.Kind == AdamW {
		in.Root = float32(math.Sqrt(1 - math.Pow(o.Beta2, n)))
	}
	for i, rate := range []float64{r.Weights, r.Bias} {
		in.Rate[i], in.Keep[i] = float32(rate), 1
		switch o.Kind {
		case Adam:
			in.Rate[i] = float32(rate / (1 - math.Pow(o.Beta1, n)))
		case AdamW:
			in.Rate[i] = float32(rate / (1 - math.Pow(o.Beta1, n)))
			in.Keep[i] = float32(1 - rate*o.WeightDecay)
		case LION:
			in.Keep[i] = float32(1 - rate*o.WeightDecay)
		}
	}
	return in
}
