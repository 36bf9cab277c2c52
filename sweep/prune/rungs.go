package prune

import (
	"cmp"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// halving is asynchronous successive halving with promotion (Li et al. 2020, algorithm 2), in one or more brackets. Rung k is
// first * eta^k epochs, below the full length; bracket b has the rungs from b on, and its trials are compared with each other
// alone, one data set at a time.
type halving struct {
	first, eta, epochs int
	weights            []float64 // of the brackets; their sum is 1
	offset             float64   // where the sequence of brackets begins, 0 to 1
}

// standing is where a point stands: the rung that it has reached last (-1: none), and its goodness at each of its bracket's.
type standing struct {
	point
	rung int
	at   map[int]float64
}

// rung is the epochs after which rung k is judged; false if that is not below the full length.
func (s halving) rung(k int) (epochs int, ok bool) {
	v := float64(s.first) * math.Pow(float64(s.eta), float64(k))
	if v >= 1<<30 || s.epochs > 0 && v >= float64(s.epochs) {
		return 0, false
	}
	return int(v), true
}

// reached is the first epoch at or after rung k that can be judged, and the goodness there.
func (s halving) reached(h sweep.History, curve []trials.Measurement, k int) (epoch int, v float64, ok bool) {
	rung, is := s.rung(k)
	if !is {
		return 0, 0, false
	}
	i, _ := slices.BinarySearchFunc(curve, rung, func(m trials.Measurement, e int) int { return cmp.Compare(m.Epoch, e) })
	for _, m := range curve[i:] {
		if v, ok := good(h, m); ok {
			return m.Epoch, v, true
		}
	}
	return 0, 0, false
}

// last is the highest rung of a bracket that a curve has reached, or -1.
func (s halving) last(h sweep.History, curve []trials.Measurement, bracket int) int {
	last := -1
	for k := bracket; ; k++ {
		if _, _, ok := s.reached(h, curve, k); !ok {
			return last
		}
		last = k
	}
}

// bracket is that of a trial: as it was suggested, or for one that was not suggested by its number.
func (s halving) bracket(t trials.Trial) int {
	if b, ok := t.Integer(trials.AttrBracket); ok && b >= 0 && int(b) < len(s.weights) {
		return int(b)
	}
	return s.assigned(t.Number)
}

// assigned is the bracket of a suggestion, a pure function of the study's seed and the suggestion's index: the additive
// recurrence of the golden ratio fills the brackets in proportion to their weights from the first few suggestions on.
func (s halving) assigned(suggestion int) int {
	_, u := math.Modf(s.offset + float64(suggestion)*(math.Phi-1))
	for b, w := range s.weights {
		if u -= w; u < 0 {
			return b
		}
	}
	return len(s.weights) - 1
}

// standings are those of the points that compete with each other: one data set, one bracket. Failed ones are out.
func (s halving) standings(f field, on string, bracket int) []standing {
	var out []standing
	for _, p := range f.points {
		if p.State == trials.Fail || data(*p.Trial) != on || s.bracket(*p.Trial) != bracket {
			continue
		}
		st := standing{p, -1, map[int]float64{}}
		for k := bracket; ; k++ {
			_, v, ok := s.reached(f.history, p.curve, k)
			if !ok {
				break
			}
			st.rung, st.at[k] = k, v
		}
		out = append(out, st)
	}
	return out
}

// passes says whether a goodness is among the best 1/eta at a rung, itself included, and in any case if it is the best. Of equal
// ones that whose chain began first is ahead: whether a point has gone on already must not move it behind those that wait, or
// all of them would go on, one after the other.
func (s halving) passes(all []standing, k, root int, v float64) bool {
	ahead, n := 0, 1
	for _, o := range all {
		w, ok := o.at[k]
		if !ok || o.root == root {
			continue
		}
		n++
		if w > v || w == v && o.root < root {
			ahead++
		}
	}
	return ahead < max(1, n/s.eta)
}

// Prune implements sweep.Pruner. A trial is judged once at each rung. One that continues another is not judged again at the
// rungs at which it was let go on.
func (s halving) Prune(h sweep.History, t trials.Trial) (bool, error) {
	epoch, ok := judged(h, t)
	if !ok {
		return false, nil
	}
	bracket := s.bracket(t)
	if k := s.last(h, t.Measurements, bracket); k < 0 {
		return false, nil
	} else if at, _, _ := s.reached(h, t.Measurements, k); at != epoch {
		return false, nil // judged there before
	}
	f := newField(h)
	curve := t.Curve(f.by)
	k := s.last(h, curve, bracket)
	at, v, _ := s.reached(h, curve, k)
	if at != epoch {
		return false, nil
	}
	if n, ok := t.Continues(); ok {
		if before, ok := f.by(n); ok && s.last(h, before.Curve(f.by), bracket) >= k {
			return false, nil
		}
	}
	return !s.passes(s.standings(f, data(t), bracket), k, f.root(&t), v), nil
}

// before says whether s is to go on before o: from a higher rung, with a better value there, or if these are the same as the one
// that began first.
func (s standing) before(o standing) bool {
	v, w := s.at[s.rung], o.at[o.rung]
	return s.rung > o.rung || s.rung == o.rung && (v > w || v == w && s.root < o.root)
}

// Promote implements sweep.Promoter: of the trials that wait at a rung and are by now among the best 1/eta there, the one at the
// highest rung, and there the best.
func (s halving) Promote(h sweep.History) (number int, ok bool, err error) {
	f := newField(h)
	type group struct {
		data    string
		bracket int
	}
	seen := map[group]bool{}
	best := standing{rung: -1}
	for _, p := range f.points {
		g := group{data(*p.Trial), s.bracket(*p.Trial)}
		if seen[g] {
			continue
		}
		seen[g] = true
		all := s.standings(f, g.data, g.bracket)
		for _, st := range all {
			if st.State != trials.Pruned || st.rung < 0 || st.Key == "" || !s.passes(all, st.rung, st.root, st.at[st.rung]) {
				continue
			}
			if st.before(best) {
				best, number, ok = st, st.Number, true
			}
		}
	}
	return number, ok, nil
}
