package prune

import (
	"cmp"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// point is a trial that stands for a point, with the curve of its chain and the number of the trial with which that begins. A point
// that goes on as another trial keeps that number.
type point struct {
	*trials.Trial
	curve []trials.Measurement // by epoch
	root  int
}

// field is what a history tells: every trial as it is now, and the points.
type field struct {
	history sweep.History
	trials  map[int]*trials.Trial
	points  []point // by number; the last links of chains that nobody repeats
}

// newField reads a history. That a trial is continued follows from the one that continues it, too: a process may have been killed
// before it noted that on the first one.
func newField(h sweep.History) field {
	f := field{history: h, trials: make(map[int]*trials.Trial, len(h.Finished)+len(h.Open))}
	for _, list := range [][]*trials.Trial{h.Finished, h.Open} {
		for _, t := range list {
			f.trials[t.Number] = t
		}
	}
	continued := map[int]bool{}
	for _, t := range f.trials {
		if n, ok := t.Continues(); ok {
			continued[n] = true
		}
	}
	for _, t := range f.trials {
		if t.Counts() && !continued[t.Number] {
			f.points = append(f.points, point{t, t.Curve(f.by), f.root(t)})
		}
	}
	slices.SortFunc(f.points, func(a, b point) int { return cmp.Compare(a.Number, b.Number) })
	return f
}

func (f field) by(n int) (*trials.Trial, bool) { t, ok := f.trials[n]; return t, ok }

// root is the number of the trial with which the chain of t begins, as far as it is known.
func (f field) root(t *trials.Trial) int {
	for {
		n, ok := t.Continues()
		if !ok {
			return t.Number
		}
		earlier, ok := f.by(n)
		if !ok {
			return n
		}
		t = earlier
	}
}

// rivals are the other points on the data set of t that pass.
func (f field) rivals(t trials.Trial, pass func(point) bool) []point {
	return slices.DeleteFunc(slices.Clone(f.points), func(p point) bool {
		return p.Number == t.Number || data(*p.Trial) != data(t) || !pass(p)
	})
}

// complete says that a trial ended with a score.
func complete(p point) bool {
	return p.State == trials.Complete && len(p.Values) > 0 && finite(p.Values[0])
}

// data is the data set of a trial as it is stored.
func data(t trials.Trial) string { return string(t.Attrs[trials.AttrData]) }

// good is the objective at an epoch as a goodness, which is better when it is larger; ok is false where it is missing or not finite.
func good(h sweep.History, m trials.Measurement) (v float64, ok bool) {
	v, ok = m.Metrics[h.Metric]
	if !ok || !finite(v) {
		return 0, false
	}
	if h.Direction == trials.Minimize {
		v = -v
	}
	return v, true
}

// goodAt is the goodness at exactly that epoch.
func goodAt(h sweep.History, curve []trials.Measurement, epoch int) (v float64, ok bool) {
	i, found := slices.BinarySearchFunc(curve, epoch, func(m trials.Measurement, e int) int { return cmp.Compare(m.Epoch, e) })
	if !found {
		return 0, false
	}
	return good(h, curve[i])
}

// best is the largest goodness of a curve; ok is false if it has none.
func best(h sweep.History, curve []trials.Measurement) (v float64, ok bool) {
	for _, m := range curve {
		if x, has := good(h, m); has && (!ok || x > v) {
			v, ok = x, true
		}
	}
	return v, ok
}

// judged is the epoch that a trial has just measured; ok is false if there is nothing to judge there.
func judged(h sweep.History, t trials.Trial) (epoch int, ok bool) {
	n := len(t.Measurements)
	if n == 0 {
		return 0, false
	}
	_, ok = good(h, t.Measurements[n-1])
	return t.Measurements[n-1].Epoch, ok
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
