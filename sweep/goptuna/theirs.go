package goptuna

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/c-bata/goptuna"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// Objective is the metric under which values of a goptuna.Study, which have no name, are known to our samplers
// and pruners.
const Objective = "value"

// reader turns goptuna's trials into our history. Trials that have ended are translated once and keep their places in
// the log, so that samplers can keep what they computed from it.
type reader struct {
	mu    sync.Mutex
	study *goptuna.Study
	ended map[int]bool
	log   []*trials.Trial
}

// history reads the study. Values that are not finite are left out.
func (r *reader) history(study *goptuna.Study, space trials.Space) (sweep.History, error) {
	ts, err := study.GetTrials()
	if err != nil && !errors.Is(err, goptuna.ErrTrialsPartiallyDeleted) {
		return sweep.History{}, fmt.Errorf("read goptuna's trials: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.study != study {
		r.study, r.ended, r.log = study, map[int]bool{}, nil
	}
	// Trials that ended since the last time join the log in the order in which they ended.
	slices.SortStableFunc(ts, func(a, b goptuna.FrozenTrial) int {
		return cmp.Or(a.DatetimeComplete.Compare(b.DatetimeComplete), cmp.Compare(a.Number, b.Number))
	})
	h := sweep.History{Space: space, Metric: Objective, Direction: direction(study), Fixed: trials.Params{}}
	for _, t := range ts {
		switch {
		case !t.State.IsFinished():
			open := translate(t)
			h.Open = append(h.Open, &open)
		case !r.ended[t.ID]:
			ended := translate(t)
			r.ended[t.ID], r.log = true, append(r.log, &ended)
		}
	}
	slices.SortFunc(h.Open, func(a, b *trials.Trial) int { return cmp.Compare(a.Number, b.Number) })
	h.Finished = r.log[:len(r.log):len(r.log)]
	return h, nil
}

func direction(study *goptuna.Study) trials.Direction {
	if study.Direction() == goptuna.StudyDirectionMaximize {
		return trials.Maximize
	}
	return trials.Minimize
}

// translate is one of goptuna's trials as ours. Its steps count from 0, our epochs from 1; steps below 0 are left out.
// A complete trial whose value is not finite has failed.
func translate(t goptuna.FrozenTrial) trials.Trial {
	out := trials.Trial{ID: int64(t.ID), Number: t.Number, State: ourState(t.State), Key: fmt.Sprint("goptuna-", t.Number),
		Params: trials.Params{}, Started: t.DatetimeStart, Finished: t.DatetimeComplete}
	for name, d := range t.Distributions {
		p, err := param(name, d)
		if err != nil {
			continue
		}
		if v, ok := external(p, t.InternalParams[name]); ok {
			out.Space, out.Params[name] = append(out.Space, p), v
		}
	}
	slices.SortFunc(out.Space, func(a, b trials.Param) int { return cmp.Compare(a.Name, b.Name) })
	for step, v := range t.IntermediateValues {
		if step >= 0 {
			out.Measurements = append(out.Measurements, trials.Measurement{Epoch: step + 1, Metrics: map[string]float64{Objective: v}})
		}
	}
	slices.SortFunc(out.Measurements, func(a, b trials.Measurement) int { return cmp.Compare(a.Epoch, b.Epoch) })
	switch {
	case out.State == trials.Complete && !finite(t.Value):
		out.State = trials.Fail
	case out.State == trials.Complete:
		out.Values = []float64{t.Value}
	case out.State == trials.Pruned:
		out.Values = lastFinite(out.Measurements)
	}
	return out
}

// lastFinite is the last objective that is a number, alone in a list, or none.
func lastFinite(ms []trials.Measurement) []float64 {
	for _, m := range slices.Backward(ms) {
		if v := m.Metrics[Objective]; finite(v) {
			return []float64{v}
		}
	}
	return nil
}

func ourState(s goptuna.TrialState) trials.State {
	switch s {
	case goptuna.TrialStateComplete:
		return trials.Complete
	case goptuna.TrialStatePruned:
		return trials.Pruned
	case goptuna.TrialStateFail:
		return trials.Fail
	case goptuna.TrialStateWaiting:
		return trials.Waiting
	}
	return trials.Running
}
