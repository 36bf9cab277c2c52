package goptuna

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/c-bata/goptuna"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/axis"
	"github.com/mapsweep/mapsweep/trials"
)

// unit is how goptuna sees every numeric parameter.
var unit = goptuna.UniformDistribution{Low: 0, High: 1}

// storage is goptuna's in-memory storage with the history in it. It hands out copies
// of the trials' maps, which goptuna's own code changes, and keeps attributes that pruners
// set out of them.
type storage struct {
	*goptuna.InMemoryStorage
	attrs map[string]string // what was set on the trial that is asked for
}

// GetAllTrials returns the history.
func (s *storage) GetAllTrials(studyID int) ([]goptuna.FrozenTrial, error) {
	ts, err := s.InMemoryStorage.GetAllTrials(studyID)
	for i := range ts {
		ts[i] = cloneFrozen(ts[i])
	}
	return ts, err
}

// SetTrialSystemAttr keeps an attribute of the trial that is asked for.
func (s *storage) SetTrialSystemAttr(_ int, key, value string) error {
	s.attrs[key] = value
	return nil
}

func cloneFrozen(t goptuna.FrozenTrial) goptuna.FrozenTrial {
	t.IntermediateValues = copied(t.IntermediateValues)
	t.InternalParams = copied(t.InternalParams)
	t.Params = copied(t.Params)
	t.Distributions = copied(t.Distributions)
	t.SystemAttrs = copied(t.SystemAttrs)
	return t
}

func copied[K comparable, V any](m map[K]V) map[K]V {
	c := make(map[K]V, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

// newStudy makes a goptuna study that minimises, with the frozen trials as its history.
func newStudy(history []goptuna.FrozenTrial, options ...goptuna.StudyOption) (*goptuna.Study, *storage, error) {
	st := &storage{InMemoryStorage: goptuna.NewInMemoryStorage(), attrs: map[string]string{}}
	options = append([]goptuna.StudyOption{
		goptuna.StudyOptionStorage(st),
		goptuna.StudyOptionLogger(nil), // goptuna prints to stdout by default
		goptuna.StudyOptionDirection(goptuna.StudyDirectionMinimize),
	}, options...)
	study, err := goptuna.CreateStudy("history", options...)
	if err != nil {
		return nil, nil, fmt.Errorf("make goptuna study: %w", err)
	}
	for _, t := range history {
		if _, err := st.CloneTrial(study.ID, t); err != nil {
			return nil, nil, fmt.Errorf("rebuild trial %d for goptuna: %w", t.Number, err)
		}
	}
	return study, st, nil
}

// freeze turns the history into goptuna's form: parameters on the unit interval, finite
// losses only. The state of a trial is Complete or Pruned only if it has something to say.
func freeze(h sweep.History, xs []axis.Axis) []goptuna.FrozenTrial {
	var out []goptuna.FrozenTrial
	for _, t := range h.All() {
		out = append(out, freezeTrial(h, xs, *t))
	}
	return out
}

func freezeTrial(h sweep.History, xs []axis.Axis, t trials.Trial) goptuna.FrozenTrial {
	f := goptuna.FrozenTrial{Number: t.Number, State: state(t), DatetimeStart: time.Unix(0, 0), SystemAttrs: map[string]string{},
		IntermediateValues: map[int]float64{}, InternalParams: map[string]float64{}, Params: map[string]any{},
		Distributions: map[string]any{}, UserAttrs: map[string]string{}}
	if len(t.Values) > 0 {
		f.Value = loss(h.Direction, t.Values[0])
	}
	if f.State == goptuna.TrialStateComplete && (len(t.Values) == 0 || !finite(f.Value)) {
		f.State = goptuna.TrialStateFail
	}
	for _, m := range t.Measurements {
		if v, ok := m.Metrics[h.Metric]; ok && finite(v) {
			f.IntermediateValues[m.Epoch] = loss(h.Direction, v)
		}
	}
	for _, x := range xs {
		if _, varies := t.Space.Lookup(x.Param.Name); !varies {
			continue // it did not matter there
		}
		if u, ok := x.Unit(t.Params[x.Param.Name]); ok {
			f.InternalParams[x.Param.Name] = u
			f.Params[x.Param.Name] = u
			f.Distributions[x.Param.Name] = unit
		}
	}
	return f
}

func state(t trials.Trial) goptuna.TrialState {
	switch t.State {
	case trials.Complete:
		return goptuna.TrialStateComplete
	case trials.Pruned:
		return goptuna.TrialStatePruned
	case trials.Fail:
		return goptuna.TrialStateFail
	case trials.Waiting:
		return goptuna.TrialStateWaiting
	}
	return goptuna.TrialStateRunning
}

func loss(d trials.Direction, v float64) float64 {
	if d == trials.Maximize {
		return -v
	}
	return v
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// ErrPanic is wrapped by errors that were panics inside goptuna.
var ErrPanic = errors.New("goptuna panicked")

// guard turns a panic into an error.
func guard(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", ErrPanic, p)
	}
}

// asker is a study that can be asked for one point.
type asker struct {
	study    *goptuna.Study
	storage  *storage
	relative map[string]float64 // unit values that were drawn together
}

// ask draws a point: for every active parameter the value that was drawn together with
// others, or else one from the study's independent sampler. A parameter comes after those that it requires.
func (a asker) ask(ctx context.Context, h sweep.History, xs []axis.Axis) (s trials.Suggestion, err error) {
	defer guard(&err)
	params := trials.Params{}
	active := map[string]bool{}
	for _, x := range axis.RequiredFirst(xs) {
		if err := ctx.Err(); err != nil {
			return s, context.Cause(ctx)
		}
		if !sweep.Active(x.Param, h.Space, params, h.Fixed) {
			continue
		}
		u, together := a.relative[x.Param.Name]
		if !together {
			if u, err = a.study.Sampler.Sample(a.study, goptuna.FrozenTrial{}, x.Param.Name, unit); err != nil {
				return s, fmt.Errorf("sample %s: %w", x.Param.Name, err)
			}
		}
		if math.IsNaN(u) {
			return s, fmt.Errorf("sample %s: goptuna drew NaN", x.Param.Name)
		}
		params[x.Param.Name] = x.Value(u)
		active[x.Param.Name] = true
	}
	s.Params = params
	for _, p := range h.Space {
		if active[p.Name] {
			s.Space = append(s.Space, p)
		}
	}
	return s, nil
}

// seeded is goptuna's random sampler on a stream of its own.
func seeded(rng *rand.Rand) *goptuna.RandomSampler {
	return goptuna.NewRandomSampler(goptuna.RandomSamplerOptionSeed(rng.Int64()))
}
