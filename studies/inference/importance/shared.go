package importance

import (
	"fmt"
	"math"

	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// settle walks the path over the replicates that all configurations on it have, so that steps sum to the gain and each
// has the interval of its own estimate. A walk may come upon a configuration that lacks some: those are left out, and
// it starts again with fewer. Where replicates do not pair configurations, each keeps all of its own.
func (w Walk) settle(p Path, left []Flip, goal trials.Params) (Path, error) {
	if w.Option.Unpaired {
		return w.walk(p, left, goal)
	}
	seen := map[int]bool{}
	keep := w.shared([]trials.Params{w.Start, goal}, seen)
	for {
		if len(keep) == 0 {
			return p, inference.Nothing(fmt.Sprintf("no replicate has a score at every configuration on the way from %s to %s", w.From, w.To))
		}
		some := w
		some.Scores = func(at trials.Params) map[int]float64 { return only(w.Scores(at), keep) }
		out, err := some.walk(p, left, goal)
		if err != nil {
			return out, err
		}
		fewer := w.shared(w.configurations(out), seen)
		if len(fewer) >= len(keep) {
			if n := len(seen) - len(keep); n > 0 {
				out.Notes = append(out.Notes, fmt.Sprintf("%d of %d replicates are left out: a configuration on the path has no score there.", n, len(seen)))
			}
			return out, nil
		}
		keep = fewer
	}
}

// step is what a change brings, over the replicates that both have; NaN where there are none.
func (w Walk) step(now, next map[int]float64) float64 {
	before, after := now, next
	if !w.Option.Unpaired {
		before, after = map[int]float64{}, map[int]float64{}
		for r, v := range next {
			if _, ok := now[r]; ok {
				before[r], after[r] = now[r], v
			}
		}
	}
	return inference.Summarize(values(after)).Mean - inference.Summarize(values(before)).Mean
}

// configurations are all on the path, the start first.
func (w Walk) configurations(p Path) []trials.Params {
	out := []trials.Params{w.Start}
	for _, s := range p.Steps {
		out = append(out, out[len(out)-1].With(trials.Params{s.Name: s.To}))
	}
	return out
}

// shared are the replicates that have a score at all of the configurations; those with one at any are marked as seen.
func (w Walk) shared(at []trials.Params, seen map[int]bool) map[int]bool {
	count := map[int]int{}
	for _, c := range at {
		for r, v := range w.Scores(c) {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				count[r]++
				seen[r] = true
			}
		}
	}
	out := map[int]bool{}
	for r, n := range count {
		if n == len(at) {
			out[r] = true
		}
	}
	return out
}

// only are the finite scores of those replicates.
func only(scores map[int]float64, keep map[int]bool) map[int]float64 {
	out := map[int]float64{}
	for r, v := range scores {
		if keep[r] && !math.IsNaN(v) && !math.IsInf(v, 0) {
			out[r] = v
		}
	}
	return out
}
