package trainer

import (
	"context"

	"github.com/mapsweep/mapsweep/trials"
)

// Auditor is optional: runs the first optimiser steps of configurations and says what each step did, so that
// knobs that change nothing are found before a study pays for them (sweep/audit).
//
// One call takes all configurations, since starting a trainer often costs more than a few of its steps.
type Auditor interface {
	Trace(ctx context.Context, jobs []Job, opts TraceOptions) ([]Trace, error)
}

// TraceOptions says how to trace.
type TraceOptions struct {
	Steps int  // optimiser steps of each configuration, at least 1
	Bare  bool // the trainer as its authors publish it, without what mapsweep adds to it
}

// Trace is what a few steps of one configuration did.
type Trace struct {
	Steps []Step `json:"steps"`
	// End is the first batch of the last epoch, of which no step was made: it has the
	// channel input and, where rates are known ahead, lr, of that epoch's last step. nil: the
	// trainer does not look there.
	End       *Step         `json:"end,omitempty"`
	Effective trials.Params `json:"effective,omitempty"` // the configuration as the trainer understood it
	// Failed says why the configuration could not be run, or is "".
	Failed string `json:"failed,omitempty"`
	// Unjudged names knobs that act elsewhere than in the first steps (validation, saving, the end of an
	// epoch), with where, so that equal traces say nothing about them.
	Unjudged map[string]string `json:"unjudged,omitempty"`
}

// The channels of a Step, in the order in which a cause runs through a step.
const (
	ChannelInput    = "input"    // pictures and boxes of the batch
	ChannelLoss     = "loss"     // loss components
	ChannelGradient = "gradient" // gradient norm
	ChannelRate     = "lr"       // learning rate, momentum and decay of each parameter group
	ChannelWeights  = "weights"  // weights after the step
	ChannelAverage  = "average"  // moving average of the weights after the step
)

// Channels lists the channels in that order.
var Channels = []string{ChannelInput, ChannelLoss, ChannelGradient, ChannelRate, ChannelWeights, ChannelAverage}

// Step is what one step did, by channel. A channel that the trainer does not have is absent.
type Step struct {
	Hashes map[string]string    `json:"hashes"` // checksum over the exact bits
	Values map[string][]float64 `json:"values"` // sums, norms and components, to compare with a tolerance
}

// Verdict says whether a knob, or the levels of a factor, can matter.
type Verdict string

// The verdicts of an audit.
const (
	Live        Verdict = "LIVE"        // levels give different steps
	Inert       Verdict = "INERT"       // levels give the same steps: the trainer does not read the knob
	Conditional Verdict = "CONDITIONAL" // inert as the study stands, alive once another knob or the data changes
	Saturated   Verdict = "SATURATED"   // some levels differ on paper only: several give the same steps
	Unjudged    Verdict = "UNJUDGED"    // acts outside of the first steps
)

// Finding is what is known of one knob.
type Finding struct {
	Knob    string  `json:"knob"`
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason,omitempty"` // one sentence, with file and line of the trainer where that helps
	Remedy  string  `json:"remedy,omitempty"` // what makes the knob matter, or ""
}

// Reviewer is optional: says, from knowledge of the trainer's code and a look at the data, which levels of a
// factor cannot matter. It runs no step. params is the baseline; levels holds the values of each factor.
type Reviewer interface {
	// Review returns a finding for each factor that it knows to be dead or partly dead under the configuration
	// that a study would run, and nothing for others. With bare, the trainer is taken as its authors publish it.
	Review(ctx context.Context, params trials.Params, levels map[string][]any, bare bool) ([]Finding, error)
}
