package sweep

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/mapsweep/mapsweep/trials"
)

// History is what a sampler or pruner may know: the space, the direction, and all trials so far by number.
type History struct {
	Space     trials.Space
	Direction trials.Direction
	Metric    string // objective metric, a key of Measurement.Metrics
	Trials    []trials.Trial
}

// Sampler proposes the next point. It is a pure function of history and rng: the same two give the same point.
type Sampler interface {
	Suggest(ctx context.Context, h History, rng *rand.Rand) (trials.Suggestion, error)
}

// Pruner decides whether a running trial should stop at its last reported epoch.
type Pruner interface {
	Prune(h History, t trials.Trial) (bool, error)
}

// Causes with which the engine cancels a trial's context.
var (
	ErrPruned  = errors.New("pruned")
	ErrStopped = errors.New("stopped")
	ErrTimeout = errors.New("over the time limit")
	ErrBudget  = errors.New("over the device-hours budget")
)
