package sweep

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/mapsweep/mapsweep/trials"
)

// History is what a sampler or pruner may know: the space, the direction, and all trials so far by number.
type History struct {
	Space     trials.Space
	Direction trials.Direction
	Metric    string        // objective metric, a key of Measurement.Metrics
	Fixed     trials.Params // what does not vary: the baseline. Requirements may speak of it
	Trials    []trials.Trial
}

// Sampler proposes the next point. It is a pure function of history and rng: the same two give the same point.
// The suggestion's Space lists the parameters that vary at this point (those whose requirements hold) and
// Params has a value for each of them; the engine adds key, seed and fixed parameters.
type Sampler interface {
	Suggest(ctx context.Context, h History, rng *rand.Rand) (trials.Suggestion, error)
}

// Pruner decides whether a running trial should stop at its last reported epoch.
// t is the trial with the measurements of this attempt; h.Trials holds it, too.
type Pruner interface {
	Prune(h History, t trials.Trial) (bool, error)
}

// NewSampler makes a sampler for one study: its seed, its space, and how many trials it may ask for.
type NewSampler func(seed int64, space trials.Space, count int) (Sampler, error)

// NewPruner makes a pruner for trials of that many epochs (0: not known).
type NewPruner func(epochs int) (Pruner, error)

// Active says whether p matters at a point: whether what it requires (see trials.Params.Meets) holds
// among the point's parameters or, for parameters that do not vary, the fixed ones.
// A parameter that requires an inactive one is inactive, because that one has no value here.
func Active(p trials.Param, space trials.Space, params, fixed trials.Params) bool {
	at := trials.Params{}
	for name := range p.Requires {
		have, ok := params[name]
		if _, varies := space.Lookup(name); !ok && !varies {
			have, ok = fixed[name]
		}
		if ok {
			at[name] = have
		}
	}
	return at.Meets(p.Requires)
}

// Causes with which the engine cancels a trial's context.
var (
	ErrPruned  = errors.New("pruned")
	ErrStopped = errors.New("stopped")
	ErrTimeout = errors.New("over the time limit")
	ErrBudget  = errors.New("over the device-hours budget")
)

// ErrInvalid: what was asked for makes no sense, and the error says what would; nothing was changed.
var ErrInvalid = errors.New("invalid")

// invalid is an error that matches ErrInvalid and needs no further word.
type invalid string

func (e invalid) Error() string        { return string(e) }
func (e invalid) Is(target error) bool { return target == ErrInvalid }

func invalidf(format string, args ...any) error { return invalid(fmt.Sprintf(format, args...)) }
