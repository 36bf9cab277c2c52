package courses

import (
	"cmp"
	"math"
	"regexp"
	"slices"

	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// place is where a point stands in the design.
type place struct {
	arm, data string
	replicate int
}

func placeOf(p design.Point) place { return place{p.Arm, p.Data, p.Replicate} }

// The states of a point, the better one last: where two trials ran the same one, the better counts.
const (
	absent  = iota // no trial was enqueued for it
	dead           // its trial ended without a score
	pending        // its trial waits or runs, or the budget left it out
	scored
)

// cell is what became of a point.
type cell struct {
	state  int
	number int // of the trial
	value  float64
}

// reader collects what Read needs.
type reader struct {
	plan   design.Plan
	q      inference.Sequence
	first  int // replicates before the first look
	spent  bool
	cells  map[place]cell
	needed map[place]bool
}

// take notes what became of the design's points.
func (r *reader) take(ts []trials.Trial) {
	at := make(map[string]place, len(r.plan.Points))
	for _, p := range r.plan.Points {
		at[p.Key] = placeOf(p)
	}
	for _, t := range ts {
		p, ok := at[t.Key]
		if _, again := t.Integer(trials.AttrRetryOf); again && !ok {
			p, ok = at[repetition.ReplaceAllString(t.Key, "")]
		}
		if c := cellOf(t); ok && !t.Superseded() && c.state > r.cells[p].state {
			r.cells[p] = c
		}
	}
}

// repetition ends the key of a trial that repeats another one.
var repetition = regexp.MustCompile(`#\d+$`)

func cellOf(t trials.Trial) cell {
	c := cell{state: dead, number: t.Number}
	switch {
	case t.State == trials.Waiting, t.State == trials.Running, t.Text(trials.AttrClass) == trials.ClassSkipped:
		c.state = pending
	case t.State == trials.Complete && len(t.Values) > 0 && finite(t.Values[0]):
		c.state, c.value = scored, t.Values[0]
	}
	return c
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// pair is a replicate of a variant and its reference.
type pair struct {
	replicate int
	at        int // number of the later one of its trials; last if one was not enqueued
	complete  bool
}

// unborn is the place of a pair that has not been enqueued: behind all that have.
const unborn = int(^uint(0) >> 1)

// pairs lists the replicates of a variant that have or may get a score in both arms, in the order in which they were
// enqueued: a trial that is repeated long after it failed comes behind what was judged without it.
func (r *reader) pairs(data, arm string) []pair {
	var ps []pair
	for n := range r.q.Max {
		a, b := r.cells[place{r.plan.Reference, data, n}], r.cells[place{arm, data, n}]
		p := pair{replicate: n, at: max(a.number, b.number), complete: a.state == scored && b.state == scored}
		if a.state == dead || b.state == dead {
			continue
		}
		if a.state == absent || b.state == absent {
			p.at = unborn
		}
		ps = append(ps, p)
	}
	slices.SortStableFunc(ps, func(x, y pair) int { return cmp.Compare(x.at, y.at) })
	return ps
}

// contrast is a variant with its reference as far as both came, and how many pairs that is: a later pair that came in
// first waits for its turn.
func (r *reader) contrast(data, arm string) (c inference.Contrast[int], n int) {
	c.Reference, c.Variant = map[int]float64{}, map[int]float64{}
	for _, p := range r.pairs(data, arm) {
		if !p.complete {
			break
		}
		c.Reference[n] = r.cells[place{r.plan.Reference, data, p.replicate}].value
		c.Variant[n] = r.cells[place{arm, data, p.replicate}].value
		n++
	}
	return c, n
}

// judge judges the variants of a data set together.
func (r *reader) judge(data string) []Variant {
	var vs []Variant
	var contrasts []inference.Contrast[int]
	var counts []int
	for _, a := range r.plan.Arms {
		if a.Name != r.plan.Reference {
			c, n := r.contrast(data, a.Name)
			vs, contrasts, counts = append(vs, Variant{Arm: a.Name, Data: data}), append(contrasts, c), append(counts, n)
		}
	}
	for i, c := range inference.Together(contrasts, r.q) {
		vs[i].Course = c
		if !c.Done {
			r.next(&vs[i], contrasts[i], counts[i])
		}
	}
	return vs
}

// next notes which points a variant with n pairs needs for its next look, or why it gets none.
func (r *reader) next(v *Variant, c inference.Contrast[int], n int) {
	ps := r.pairs(v.Data, v.Arm)
	switch why := r.scoreless(v.Data, v.Arm); {
	case why != "":
		v.Broken = true
		end(&v.Course, why)
	case n == len(ps): // all that can have a score have one, and the next look is beyond them
		r.last(v, c, n)
	case r.spent:
		end(&v.Course, "the budget of device-hours is used up")
	case r.unproven(v.Data, r.plan.Reference), r.unproven(v.Data, v.Arm):
		// more of it only when it is known to work at all
	default:
		for _, p := range ps[:min(max(r.q.Next(n), r.first), len(ps))] {
			r.needed[place{r.plan.Reference, v.Data, p.replicate}] = true
			r.needed[place{v.Arm, v.Data, p.replicate}] = true
		}
	}
}

// most counts the replicates of an arm that were not enqueued and are not needed yet.
func (r *reader) most(data, arm string) int {
	n := 0
	for i := range r.q.Max {
		if at := (place{arm, data, i}); r.cells[at].state == absent && !r.needed[at] {
			n++
		}
	}
	return n
}
