package reports

import (
	"cmp"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Search is how a search went.
type Search struct {
	Sampler, Pruner string
	Space           trials.Space
	Steps           []Step      // trials with a value, complete or pruned, in the order of their end
	Candidates      []Candidate // distinct feasible configurations with at least one complete trial, best first
	Infeasible      int         // complete trials that broke a constraint
}

// Step is one finished trial of a search.
type Step struct {
	Trial  int
	Value  float64
	Pruned bool
	Broken bool    // it broke a constraint, and cannot be the best
	Best   float64 // best complete value so far; NaN before the first
	Record bool    // this trial set it
}

// Candidate is a configuration that a search tried.
type Candidate struct {
	Params   trials.Params // the parameters that vary
	Trials   []int         // numbers
	Mean, SD float64       // SD is NaN for a single trial
	N        int
	Rank     float64 // by which it stands where it does: its value, or once some are repeated the cautious end of its interval
}

// newSearch reads a search out of the snapshot's trials.
func newSearch(s *Snapshot) *Search {
	se := &Search{Sampler: s.Spec.Design, Space: space(s)}
	if s.Spec.Search != nil {
		se.Sampler, se.Pruner = s.Spec.Search.Sampler, s.Spec.Search.Pruner
	}
	done := ended(s.Trials)
	best := math.NaN()
	for _, t := range done {
		v, ok := objective(t)
		if !ok {
			continue
		}
		st := Step{Trial: t.Number, Value: v, Pruned: t.State == trials.Pruned, Broken: !t.Feasible()}
		if st.Broken && !st.Pruned {
			se.Infeasible++
		}
		if !st.Pruned && !st.Broken && s.Metric.Direction.Better(v, best) {
			best, st.Record = v, true
		}
		st.Best = best
		se.Steps = append(se.Steps, st)
	}
	se.Candidates = candidates(s.Metric, se.Space, done)
	return se
}

// ended are the complete and pruned trials that count, in the order of their end.
func ended(ts []trials.Trial) []trials.Trial {
	out := slices.DeleteFunc(slices.Clone(ts), func(t trials.Trial) bool {
		return !t.Counts() || t.State != trials.Complete && t.State != trials.Pruned
	})
	slices.SortStableFunc(out, func(a, b trials.Trial) int {
		return cmp.Or(a.Finished.Compare(b.Finished), cmp.Compare(a.Number, b.Number))
	})
	return out
}

// candidates groups complete and feasible trials of one configuration and sorts them, the best first: by their scores, or
// where some are repeated by inference.Cautious, so that luck does not outrank replicates.
func candidates(m Metric, sp trials.Space, ended []trials.Trial) []Candidate {
	at := map[string]int{}
	var cs []Candidate
	var values [][]float64
	for _, t := range ended {
		v, ok := objective(t)
		if !ok || t.State != trials.Complete || !t.Feasible() {
			continue
		}
		varied := trials.Params{}
		for _, p := range sp {
			if x, ok := t.Params[p.Name]; ok {
				varied[p.Name] = x
			}
		}
		key := t.Text(trials.AttrData) + " " + varied.Key()
		i, ok := at[key]
		if !ok {
			i = len(cs)
			at[key] = i
			cs = append(cs, Candidate{Params: varied})
			values = append(values, nil)
		}
		cs[i].Trials = append(cs[i].Trials, t.Number)
		values[i] = append(values[i], v)
	}
	for i := range cs {
		cs[i].Mean, cs[i].SD = MeanSD(values[i])
		cs[i].N = len(values[i])
	}
	for i, x := range inference.Cautious(values, m.Gain(1) < 0) {
		cs[i].Rank = x
	}
	slices.SortStableFunc(cs, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(m.Gain(b.Rank), m.Gain(a.Rank)), cmp.Compare(a.Trials[0], b.Trials[0]))
	})
	return cs
}

// space is the search space: the file's, else every parameter that a trial's space names.
func space(s *Snapshot) trials.Space {
	if sp := s.Spec.Space(); len(sp) > 0 {
		return sp
	}
	var sp trials.Space
	for _, t := range s.Trials {
		for _, p := range t.Space {
			if _, ok := sp.Lookup(p.Name); !ok {
				sp = append(sp, p)
			}
		}
	}
	return sp
}

// IsSearch says that a sampler, not a design, proposed the points.
func (s *Snapshot) IsSearch() bool { return s.Spec.Design == studies.DesignSearch }

// Trial is the trial of that number; the zero value if there is none.
func (s *Snapshot) Trial(number int) trials.Trial {
	i := slices.IndexFunc(s.Trials, func(t trials.Trial) bool { return t.Number == number })
	if i < 0 {
		return trials.Trial{}
	}
	return s.Trials[i]
}
