package reports

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Front is what a search with several objectives found.
type Front struct {
	Goals     []trials.Goal
	Metrics   []Metric     // of the goals
	Points    []FrontPoint // complete trials that have all values, in the order of their end
	On        []int        // indices in Points of those that no other feasible one dominates, the best by the first objective first
	Reference []float64    // up to which volumes are measured: the worst feasible value of each objective, and a tenth of the range beyond
	Volume    []float64    // of what the feasible points up to each one dominate, in the product of the objectives' units
}

// FrontPoint is one complete trial.
type FrontPoint struct {
	Trial  int
	Values []float64 // of the goals
	On     bool
	Broken bool // it broke a constraint, and is on no front
}

// goals are the objectives of a study, also of one that another program recorded with names.
func (s *Snapshot) goals() []trials.Goal {
	if len(s.Spec.Objective.Also) > 0 {
		return s.Spec.Objective.Goals()
	}
	if !s.Foreign() || len(s.Study.Directions) < 2 || len(s.Study.Metrics) != len(s.Study.Directions) {
		return nil
	}
	var gs []trials.Goal
	for i, m := range s.Study.Metrics {
		gs = append(gs, trials.Goal{Metric: m, Direction: s.Study.Directions[i]})
	}
	return gs
}

// newFront reads the front out of the snapshot's trials; nil where there is one objective.
func newFront(s *Snapshot) *Front {
	gs := s.goals()
	if len(gs) < 2 {
		return nil
	}
	f := &Front{Goals: gs}
	var dirs []trials.Direction
	for _, g := range gs {
		f.Metrics = append(f.Metrics, newMetric(g.Metric, g.Direction))
		dirs = append(dirs, g.Direction)
	}
	for _, t := range ended(s.Trials) {
		if t.State == trials.Complete && len(t.Values) == len(gs) && !slices.ContainsFunc(t.Values, func(v float64) bool { return !finite(v) }) {
			f.Points = append(f.Points, FrontPoint{Trial: t.Number, Values: t.Values, Broken: !t.Feasible()})
		}
	}
	values := make([][]float64, len(f.Points)) // none for those that are infeasible
	for i, p := range f.Points {
		if !p.Broken {
			values[i] = p.Values
		}
	}
	f.On = inference.Front(values, dirs)
	for _, i := range f.On {
		f.Points[i].On = true
	}
	slices.SortStableFunc(f.On, func(a, b int) int {
		m := f.Metrics[0]
		return cmp.Compare(m.Gain(f.Points[b].Values[0]), m.Gain(f.Points[a].Values[0]))
	})
	f.volumes(values, dirs)
	return f
}

// volumes measures how the front grew.
func (f *Front) volumes(values [][]float64, dirs []trials.Direction) {
	f.Reference = inference.Nadir(values, dirs)
	if f.Reference == nil || len(dirs) > 3 {
		return
	}
	var front [][]float64
	for _, v := range values {
		if v != nil {
			front = append(front, v)
			if kept := inference.Front(front, dirs); len(kept) < len(front) {
				next := make([][]float64, 0, len(kept))
				for _, k := range kept {
					next = append(next, front[k])
				}
				front = next
			}
		}
		x, err := inference.Hypervolume(front, f.Reference, dirs)
		if err != nil {
			f.Volume = nil
			return
		}
		f.Volume = append(f.Volume, x)
	}
}

// Best are the points on the front, the best by the first objective first.
func (f *Front) Best() []FrontPoint {
	var out []FrontPoint
	for _, i := range f.On {
		out = append(out, f.Points[i])
	}
	return out
}

// Words are the values of a point: "mAP50-95 61.2 points, time/image 0.0031".
func (f *Front) Words(p FrontPoint) string {
	var parts []string
	for i, m := range f.Metrics {
		parts = append(parts, m.Key+" "+m.WithUnit(m.MeanSpread(p.Values[i], math.NaN())))
	}
	return strings.Join(parts, ", ")
}

// answerFront says what a search with several objectives found.
func (s *Snapshot) answerFront(w *writer) {
	f := s.Front
	if len(f.On) == 0 {
		w.say("no trial is complete and feasible, so there is no front. ")
		return
	}
	best := f.Best()
	w.say("of %s ", Count(len(f.Points), "complete trial"))
	w.strong("%d %s on the Pareto front", len(best), plural(len(best), "is", "are"))
	w.say(": no other one is at least as good in all of %s and better in one. ", objectiveNames(f))
	w.say("they go from %s (trial %d)", f.Words(best[0]), best[0].Trial)
	if n := len(best); n > 1 {
		w.say(" to %s (trial %d)", f.Words(best[n-1]), best[n-1].Trial)
	}
	w.say(". ")
	if n := s.Search.Infeasible; n > 0 {
		w.say("%s a constraint and %s on no front. ", plural(n, "1 complete trial breaks", Count(n, "complete trial")+" break"), plural(n, "is", "are"))
	}
}

func objectiveNames(f *Front) string {
	var parts []string
	for _, g := range f.Goals {
		parts = append(parts, g.Metric)
	}
	n := len(parts)
	return strings.Join(parts[:n-1], ", ") + " and " + parts[n-1]
}
