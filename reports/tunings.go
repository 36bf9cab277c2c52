package reports

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Tuning is one search over the tuned knobs of a variant.
type Tuning struct {
	trials.TuningOf
	Name     string         `json:"name"` // of the search, a study in the same database
	Label    string         `json:"label"`
	Count    Accounting     `json:"trials"`
	Device   time.Duration  `json:"device"`           // summed over its trials
	Choice   *trials.Choice `json:"choice,omitempty"` // nil: nothing yet, or nothing at all
	Chosen   trials.Params  `json:"chosen,omitempty"` // values of the tuned knobs
	Complete []float64      `json:"complete"`         // scores of its complete trials on the split that tuning sees, in the order in which they ended
	Others   int            `json:"others"`           // trials that ended without a score, pruned or failed
}

// unchosen is how many trials of tuned variants are planned and not enqueued: their parameters are not known yet.
func unchosen(spec studies.Spec, ts []trials.Trial) int {
	if spec.Tune == nil {
		return 0
	}
	one := spec
	one.Tune = nil
	n := planned(one) * spec.Tune.Repeats
	for _, t := range ts {
		if _, tuned := t.Tuning(); tuned && !t.Superseded() {
			n--
		}
	}
	return max(0, n)
}

// tunings reads the searches that belong to a study, in the order in which they were begun.
func tunings(ctx context.Context, r trials.Reader, s *Snapshot) ([]Tuning, error) {
	all, err := r.Studies(ctx)
	if err != nil {
		return nil, fmt.Errorf("read tunings of study %q: %w", s.Study.Name, err)
	}
	var list []Tuning
	for _, st := range all {
		of, ok := st.TuningOf()
		if !ok || of.Study != s.Study.Name {
			continue
		}
		ts, err := r.Trials(ctx, st.ID)
		if err != nil {
			return nil, fmt.Errorf("read trials of study %q: %w", st.Name, err)
		}
		part, err := New(st, ts)
		if err != nil {
			return nil, err
		}
		list = append(list, s.tuning(of, part))
	}
	return list, nil
}

// tuning sums a search up.
func (s *Snapshot) tuning(of trials.TuningOf, part *Snapshot) Tuning {
	t := Tuning{TuningOf: of, Name: part.Study.Name, Label: of.Arm, Count: part.Count, Device: part.Time.Device, Complete: []float64{}}
	for _, b := range s.Blocks {
		for _, a := range b.Arms {
			if a.Name == of.Arm {
				t.Label = a.Label
			}
		}
	}
	ended := slices.Clone(part.Trials)
	slices.SortStableFunc(ended, func(a, b trials.Trial) int {
		return cmp.Or(a.Finished.Compare(b.Finished), cmp.Compare(a.Number, b.Number))
	})
	for _, tr := range ended {
		x, ok := objective(tr)
		switch {
		case !tr.Counts() || !tr.State.Finished() || tr.Text(trials.AttrClass) == trials.ClassSkipped:
		case ok && tr.State == trials.Complete:
			t.Complete = append(t.Complete, x)
		default:
			t.Others++
		}
	}
	for _, tr := range s.Trials {
		r, tuned := tr.Tuning()
		if c, chosen := tr.Choice(); tuned && chosen && r == of.Tuning && tr.Arm() == of.Arm && tr.Text(trials.AttrData) == of.Data {
			t.Choice, t.Chosen = &c, trials.Params{}
			for _, f := range part.Spec.Factors {
				if v, set := tr.Params[f.Name]; set {
					t.Chosen[f.Name] = v
				}
			}
			break
		}
	}
	return t
}

// ErrNotIndependent: an equal-budget curve needs independent draws, and the error says why these are none.
var ErrNotIndependent = errors.New("no equal-budget curve")

// BudgetCurve is what the best of n trials of a variant's tunings is on average.
type BudgetCurve struct {
	Arm   string    `json:"arm"`
	Label string    `json:"label"`
	Data  string    `json:"data,omitempty"`
	Best  []float64 `json:"best"` // [n-1]: mean over tunings, on the split that tuning sees
}

// BudgetCurves compare variants at equal numbers of random trials: for each n up to the smallest number of complete trials of
// any tuning. It returns ErrNotIndependent for a sampler that learns, and where trials were pruned or failed: those
// that are left are no random draw.
func (s *Snapshot) BudgetCurves() ([]BudgetCurve, error) {
	t := s.Spec.Tune
	switch {
	case t == nil:
		return nil, fmt.Errorf("%w: the study tunes nothing", ErrNotIndependent)
	case t.Sampler != "random":
		return nil, fmt.Errorf("%w: trials of sampler %s depend on each other, not i.i.d. as those of sampler random", ErrNotIndependent, t.Sampler)
	}
	least := math.MaxInt
	for _, u := range s.Tunings {
		if u.Others > 0 {
			return nil, fmt.Errorf("%w: %s of %s ended without a score, and the others are no random draw", ErrNotIndependent, Count(u.Others, "trial"), u.Name)
		}
		least = min(least, len(u.Complete))
	}
	if len(s.Tunings) == 0 || least == 0 {
		return nil, fmt.Errorf("%w: no tuning has a complete trial%s", ErrNotIndependent, s.yet())
	}
	var curves []BudgetCurve
	count := map[[2]string]int{}
	for _, u := range s.Tunings {
		i := slices.IndexFunc(curves, func(c BudgetCurve) bool { return c.Arm == u.Arm && c.Data == u.Data })
		if i < 0 {
			i = len(curves)
			curves = append(curves, BudgetCurve{Arm: u.Arm, Label: u.Label, Data: u.Data, Best: make([]float64, least)})
		}
		count[[2]string{u.Arm, u.Data}]++
		for n, x := range inference.ExpectedBest(u.Complete, s.Metric.Gain(1) < 0)[:least] {
			curves[i].Best[n] += x
		}
	}
	for i, c := range curves {
		for n := range c.Best {
			curves[i].Best[n] /= float64(count[[2]string{c.Arm, c.Data}])
		}
	}
	return curves, nil
}
