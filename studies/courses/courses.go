package courses

import (
	"slices"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Variant is where one variant stands on one data set.
type Variant struct {
	Arm  string
	Data string // "" if the study names no data set
	inference.Course
	// Broken says that it was given up because replicates failed. When they can be repeated it goes on.
	Broken bool
}

// Standing is where a study until settled stands.
type Standing struct {
	Variants []Variant      // by data set, then in design order
	Missing  []design.Point // needed now and not among the trials, in the order of running
	Most     int            // trials that may come beside those that are there or missing
	Arms     int            // variants of one data set, which share alpha
}

// Of finds a variant.
func (s Standing) Of(data, arm string) (Variant, bool) {
	i := slices.IndexFunc(s.Variants, func(v Variant) bool { return v.Data == data && v.Arm == arm })
	if i < 0 {
		return Variant{}, false
	}
	return s.Variants[i], true
}

// Stopped says that an arm gets no more replicates on a data set, whatever becomes of its failed ones: the variant
// is done, or for the reference all variants are.
func (s Standing) Stopped(data, arm string) bool {
	if v, ok := s.Of(data, arm); ok {
		return v.Done && !v.Broken
	}
	return !slices.ContainsFunc(s.Variants, func(v Variant) bool { return v.Data == data && (!v.Done || v.Broken) })
}

// Sequence is the rule by which each of the study's variants is settled. Alpha is shared out among the variants of
// one data set, or they are corrected by e-BH; every data set is settled on its own.
func Sequence(spec studies.Spec, variants int) inference.Sequence {
	return inference.Sequence{
		Options: inference.Options{Alpha: spec.Rules.Level(), Margin: spec.Margin(), Minimize: spec.Objective.Direction == trials.Minimize},
		Rule:    inference.Rule(spec.Settle.Rule), Looks: spec.Settle.Looks, Max: max(1, spec.Replicates), Arms: max(1, variants),
		Correction: inference.Correction(spec.Rules.Correction),
	}
}

// First are the points before the first look, which run in any case.
func First(spec studies.Spec, plan design.Plan) []design.Point {
	var ps []design.Point
	for _, p := range plan.Points {
		if p.Replicate < spec.Settle.First() {
			ps = append(ps, p)
		}
	}
	return ps
}

// Read judges every variant of a study until settled, whose design is plan, by its trials. spent says that the budget
// is used up: what is not settled is out of budget then, and beyond the first look nothing is missing.
func Read(spec studies.Spec, plan design.Plan, ts []trials.Trial, spent bool) Standing {
	r := reader{plan: plan, q: Sequence(spec, len(plan.Arms)-1), first: spec.Settle.First(), spent: spent,
		cells: map[place]cell{}, needed: map[place]bool{}}
	r.take(ts)
	for _, p := range First(spec, plan) {
		r.needed[placeOf(p)] = true
	}
	s := Standing{Arms: len(plan.Arms) - 1}
	data := plan.Data
	if len(data) == 0 {
		data = []string{""}
	}
	for _, d := range data {
		open := 0
		for _, v := range r.judge(d) {
			if !v.Done {
				open++
				s.Most += r.most(d, v.Arm)
			}
			s.Variants = append(s.Variants, v)
		}
		if open > 0 {
			s.Most += r.most(d, plan.Reference)
		}
	}
	for _, p := range plan.Points {
		if at := placeOf(p); r.needed[at] && r.cells[at].state == absent {
			s.Missing = append(s.Missing, p)
		}
	}
	return s
}
