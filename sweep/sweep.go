package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/mapsweep/mapsweep/trials"
)

// History is what a sampler or pruner may know: the space, the objectives, and the trials so far.
//
// Finished is a log: it only grows, in the order in which trials ended, and a trial that was changed after its end
// (repeated, continued) comes again; the last entry of a trial counts, and not even that one if it is Superseded or
// Continued. When it comes again depends on when the engine looks, and what a sampler proposes must not depend on that. Numbers below 0 are trials of other studies, from which the search starts. The trials are snapshots that nobody changes, so that a sampler may keep what it has computed from the
// first n entries for as long as h.Finished[0] and h.Finished[n-1] are the same pointers (see Extends).
type History struct {
	Space     trials.Space
	Direction trials.Direction // of Metric
	Metric    string           // first objective, a key of Measurement.Metrics
	Goals     []trials.Goal    // all objectives; empty: Metric alone. Trial.Values has one value for each
	Fixed     trials.Params    // what does not vary: the baseline. Requirements may speak of it
	Forbidden []trials.Params  // no point may have all values of one of these
	Finished  []*trials.Trial  // complete, pruned and failed ones, as a log
	Open      []*trials.Trial  // those that run or wait, by number
}

// All lists the trials that count, by number: for callers that look at everything anyway.
func (h History) All() []*trials.Trial {
	last := make(map[int]*trials.Trial, len(h.Finished)+len(h.Open))
	for _, t := range h.Finished {
		last[t.Number] = t
	}
	for _, t := range h.Open {
		last[t.Number] = t
	}
	all := make([]*trials.Trial, 0, len(last))
	for _, t := range last {
		if t.Counts() {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b *trials.Trial) int { return cmp.Compare(a.Number, b.Number) })
	return all
}

// Objectives are the goals, or the one that Metric and Direction name.
func (h History) Objectives() []trials.Goal {
	if len(h.Goals) > 0 {
		return h.Goals
	}
	return []trials.Goal{{Metric: h.Metric, Direction: h.Direction}}
}

// Extends says whether log begins with the entries of which first and last are the ends and n the number: what was
// computed from those still holds, and only log[n:] is new.
func Extends(log []*trials.Trial, n int, first, last *trials.Trial) bool {
	return n == 0 || n <= len(log) && log[0] == first && log[n-1] == last
}

// Sampler proposes the next point. It is a pure function of history and rng: the same two give the same point.
// The suggestion's Space lists the parameters that vary at this point (those whose requirements hold) and
// Params has a value for each of them; the engine adds key, seed and fixed parameters.
type Sampler interface {
	Suggest(ctx context.Context, h History, rng *rand.Rand) (trials.Suggestion, error)
}

// Pruner decides whether a running trial should stop at its last reported epoch.
// t is the trial with the measurements of this attempt, and of earlier ones that it goes on from; h.Open holds it, too.
type Pruner interface {
	Prune(h History, t trials.Trial) (bool, error)
}

// SamplerConfig is what a sampler is made from.
type SamplerConfig struct {
	Seed    int64 // of the study
	Space   trials.Space
	Trials  int           // how many points may be asked for
	Goals   []trials.Goal // all objectives; empty: one
	Options trials.Params // search.sampler_options; a sampler refuses those that it does not know
}

// NewSampler makes a sampler for one study.
type NewSampler func(SamplerConfig) (Sampler, error)

// PrunerConfig is what a pruner is made from.
type PrunerConfig struct {
	Seed    int64         // of the study
	Epochs  int           // full length of a trial; 0: not known
	Trials  int           // how many points may be asked for
	Options trials.Params // search.pruner_options; a pruner refuses those that it does not know
}

// NewPruner makes a pruner for one study.
type NewPruner func(PrunerConfig) (Pruner, error)

// Promoter is an optional interface of pruners that let pruned trials go on, as ASHA and Hyperband do.
type Promoter interface {
	// Promote names a pruned trial that should go on before a new point is asked for. The engine enqueues a new
	// trial with its parameters and seed that continues from its checkpoint, linked by trials.AttrContinues.
	Promote(h History) (number int, ok bool, err error)
}

// Idler is an optional interface of pruners that know of settings with which they can never stop a trial.
type Idler interface {
	// Idle says why the pruner can stop no trial of a study, and the option from which that follows; "" if it can. A trial is
	// judged at every epoch but its last. c is what the pruner was made from, with Trials as the most that there can be.
	Idle(c PrunerConfig) (why, option string)
}

// Learner is an optional interface of samplers that propose points without regard to results until there are some.
type Learner interface {
	Startup() int          // trials that must have ended
	StartupOption() string // the option that sets it
}

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
	ErrBudget  = errors.New("over the budget")
)

// ErrExhausted is returned by samplers that have no further point, as a grid has at its end: the search is done.
var ErrExhausted = errors.New("every point has been tried")

// ErrInvalid: what was asked for makes no sense, and the error says what would; nothing was changed.
var ErrInvalid = errors.New("invalid")

// invalid is an error that matches ErrInvalid and needs no further word.
type invalid string

func (e invalid) Error() string        { return string(e) }
func (e invalid) Is(target error) bool { return target == ErrInvalid }

func invalidf(format string, args ...any) error { return invalid(fmt.Sprintf(format, args...)) }
