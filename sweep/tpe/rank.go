package tpe

import (
	"cmp"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// tier orders trials by what is known of them. Within a tier a smaller score is better, as in Optuna: complete ones by loss,
// pruned ones by how far they came and then by loss, infeasible ones by the sum of their violations.
type tier int

const (
	complete tier = iota
	pruned
	infeasible
	bad      // no result, and that speaks against the point: never among the best
	unusable // no result for other reasons, or another trial stands for the point
)

// rank is a trial's place in the order of trials.
type rank struct {
	tier   tier
	scores [2]float64
	losses []float64 // of complete trials, where there are several objectives
	row    int
}

func (a rank) compare(b rank) int {
	return cmp.Or(cmp.Compare(a.tier, b.tier), cmp.Compare(a.scores[0], b.scores[0]), cmp.Compare(a.scores[1], b.scores[1]), cmp.Compare(a.row, b.row))
}

// rankOf judges a finished trial.
func rankOf(goals []trials.Goal, t *trials.Trial) rank {
	switch {
	case !t.Counts():
		return rank{tier: unusable}
	case t.State == trials.Fail && sweep.AgainstPoint(t):
		return rank{tier: bad}
	case t.State == trials.Fail:
		return rank{tier: unusable}
	case !t.Feasible():
		return rank{tier: infeasible, scores: [2]float64{violation(t.Constraints)}}
	case t.State == trials.Pruned:
		return rankPruned(goals[0], t)
	}
	if len(t.Values) < len(goals) {
		return rank{tier: unusable}
	}
	r := rank{tier: complete, scores: [2]float64{loss(goals[0].Direction, t.Values[0])}}
	if math.IsNaN(r.scores[0]) {
		return rank{tier: bad}
	}
	if len(goals) > 1 {
		return rankSeveral(r, goals, t.Values)
	}
	return r
}

// rankSeveral keeps all losses; without a finite one for each objective a trial has no place among the others.
func rankSeveral(r rank, goals []trials.Goal, values []float64) rank {
	for i, g := range goals {
		v := loss(g.Direction, values[i])
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return rank{tier: bad}
		}
		r.losses = append(r.losses, v)
	}
	return r
}

// rankPruned goes by the last measurement of the first objective.
func rankPruned(g trials.Goal, t *trials.Trial) rank {
	for _, m := range slices.Backward(t.Measurements) {
		if v, ok := m.Metrics[g.Metric]; ok {
			if v = loss(g.Direction, v); math.IsNaN(v) {
				v = math.Inf(1)
			}
			return rank{tier: pruned, scores: [2]float64{float64(-m.Epoch), v}}
		}
	}
	return rank{tier: pruned, scores: [2]float64{1, 0}}
}

// violation adds up how far constraints are from being met; one that is not known is worst.
func violation(constraints []float64) float64 {
	sum := 0.0
	for _, c := range constraints {
		if math.IsNaN(c) {
			return math.Inf(1)
		}
		sum += math.Max(c, 0)
	}
	return sum
}

func loss(d trials.Direction, v float64) float64 {
	if d == trials.Maximize {
		return -v
	}
	return v
}

// ranking keeps the best of the rows with a result in order: at least depth of them, or all.
type ranking struct {
	top  []rank
	rest int // rows with a result that are not in top, none of them better than any there
}

// depth is several times as many as are used by default, so that removals seldom ask for a new search of all rows.
const depth = 128

func (k *ranking) add(r rank) {
	i, _ := slices.BinarySearchFunc(k.top, r, rank.compare)
	if i == len(k.top) && k.rest > 0 {
		k.rest++ // it may be better than others of the rest, which refill will find
		return
	}
	k.top = slices.Insert(k.top, i, r)
	if len(k.top) > 2*depth {
		k.rest += len(k.top) - depth
		k.top = slices.Clip(k.top[:depth])
	}
}

func (k *ranking) remove(r rank) {
	if i, found := slices.BinarySearchFunc(k.top, r, rank.compare); found {
		k.top = slices.Delete(k.top, i, i+1)
		return
	}
	k.rest--
}

// first returns the best n rows, best first. all are the ranks of all rows, from which the order is made anew
// if too many were removed.
func (k *ranking) first(n int, all []rank) []rank {
	if len(k.top) < n && k.rest > 0 {
		k.top, k.rest = nil, 0
		for _, r := range all {
			if r.tier < bad {
				k.add(r)
			}
		}
	}
	return k.top[:min(n, len(k.top))]
}
