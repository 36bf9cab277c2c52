package reports

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/trials"
)

// reference is the name of the arm against which a design reads effects; "" if it has none.
func reference(spec studies.Spec) string {
	switch {
	case spec.Design == studies.DesignLeaveOneOut:
		return design.Full
	case spec.Referenced():
		return design.Baseline
	}
	return ""
}

// blocks groups trials by data set and arm. Arms stand in the order of their first trial, which is the design's.
func (s *Snapshot) blocks() []Block {
	var order []string
	for _, d := range s.Spec.Trainer.Data {
		if !slices.Contains(order, d) {
			order = append(order, d)
		}
	}
	alone := ""
	if len(order) == 1 {
		alone = order[0]
	}
	byData := map[string][]trials.Trial{}
	for _, t := range s.Trials {
		if _, tuned := t.Tuning(); tuned || t.Superseded() {
			continue
		}
		d := t.Text(trials.AttrData)
		if d == "" {
			d = alone
		}
		if !slices.Contains(order, d) {
			order = append(order, d)
		}
		byData[d] = append(byData[d], t)
	}
	if len(order) == 0 {
		order = []string{""}
	}
	if len(order) > 1 { // a name that only trials without a data set would have
		order = slices.DeleteFunc(order, func(d string) bool { return d == "" && len(byData[d]) == 0 })
	}
	bs := make([]Block, 0, len(order))
	for _, d := range order {
		b := Block{Data: d, Smallest: math.NaN(), Margin: s.Spec.Margin()}
		if s.Spec.Design != studies.DesignSearch {
			b.Arms = s.arms(byData[d])
		}
		if s.Spec.Referenced() {
			s.compare(&b)
			b.Top = s.top(&b)
		}
		bs = append(bs, b)
	}
	return bs
}

func (s *Snapshot) arms(ts []trials.Trial) []Arm {
	at := map[string]int{}
	var arms []Arm
	for _, t := range ts {
		name := t.Arm()
		if name == "" {
			continue
		}
		i, ok := at[name]
		if !ok {
			i = len(arms)
			at[name] = i
			arms = append(arms, Arm{Name: name, Params: t.Params})
		}
		arms[i].Trials = append(arms[i].Trials, t)
	}
	if len(arms) == 0 {
		return nil
	}
	ref := reference(s.Spec)
	base := slices.IndexFunc(arms, func(a Arm) bool { return a.Name == ref })
	for i := range arms {
		a := &arms[i]
		a.Reference = i == base
		from := s.Spec.Baseline
		if base >= 0 {
			from = arms[base].Params
		}
		if !a.Reference {
			a.Changes = changes(s.Spec, from, a.Params)
		}
		a.Label, a.Short = labels(s.Spec, *a)
		s.score(a)
	}
	if base > 0 { // the reference leads
		b := arms[base]
		copy(arms[1:base+1], arms[:base])
		arms[0] = b
	}
	return arms
}

// score collects the objective of the arm's complete trials, one per replicate: a trial that a user enqueued once
// more by hand repeats its seed, and with it its result.
func (s *Snapshot) score(a *Arm) {
	slices.SortStableFunc(a.Trials, func(x, y trials.Trial) int { return cmp.Compare(x.Replicate(), y.Replicate()) })
	var v []float64
	seen := map[int]bool{}
	for _, t := range a.Trials {
		if seen[t.Replicate()] {
			continue
		}
		if x, ok := objective(t); ok && t.State == trials.Complete {
			a.Scores = append(a.Scores, Score{Trial: t.Number, Replicate: t.Replicate(), Seed: t.Seed(), Value: x})
			v = append(v, x)
			seen[t.Replicate()] = true
		}
	}
	a.Mean, a.SD = MeanSD(v)
}

// objective is a trial's value, if it has one that is a number.
func objective(t trials.Trial) (float64, bool) {
	if len(t.Values) == 0 || !finite(t.Values[0]) {
		return math.NaN(), false
	}
	return t.Values[0], true
}

// MeanSD returns the mean and the standard deviation (n-1) of v; NaN where n is too small.
func MeanSD(v []float64) (mean, sd float64) {
	if len(v) == 0 {
		return math.NaN(), math.NaN()
	}
	for _, x := range v {
		mean += x
	}
	mean /= float64(len(v))
	if len(v) < 2 {
		return mean, math.NaN()
	}
	for _, x := range v {
		sd += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(sd / float64(len(v)-1))
}

// changes lists what differs from the baseline: factors first, in the file's order, then other parameters by name.
func changes(spec studies.Spec, from, to trials.Params) []Change {
	differ := map[string]Change{}
	for n, a := range from {
		if b, ok := to[n]; !ok || !trials.SameValue(a, b) {
			differ[n] = Change{Name: n, From: a, To: b}
		}
	}
	for n, b := range to {
		if _, ok := from[n]; !ok {
			differ[n] = Change{Name: n, To: b}
		}
	}
	if len(differ) == 0 {
		return nil
	}
	var cs []Change
	for _, f := range spec.Factors {
		if c, ok := differ[f.Name]; ok {
			cs = append(cs, c)
			delete(differ, f.Name)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(differ)) {
		cs = append(cs, differ[n])
	}
	return cs
}

// labels names an arm by what it changes. One that changes nothing keeps its own name, and so does one that
// leaves something out ("without mixup").
func labels(spec studies.Spec, a Arm) (long, short string) {
	if a.Reference || len(a.Changes) == 0 || spec.Design == studies.DesignLeaveOneOut {
		return a.Name, a.Name
	}
	if spec.Design == studies.DesignVariants {
		return a.Name + " (" + changeList(a.Changes) + ")", a.Name
	}
	var l, sh []string
	for _, c := range a.Changes {
		l = append(l, c.String())
		sh = append(sh, c.Name+"="+trials.FormatValue(c.To))
	}
	return strings.Join(l, ", "), strings.Join(sh, ", ")
}

func changeList(cs []Change) string {
	var parts []string
	for _, c := range cs {
		parts = append(parts, c.String())
	}
	return strings.Join(parts, ", ")
}

// String writes the change as "mosaic 1 → 0", and what the baseline does not set as "mosaic = 0".
func (c Change) String() string {
	if c.From == nil {
		return c.Name + " = " + trials.FormatValue(c.To)
	}
	return c.Name + " " + trials.FormatValue(c.From) + " → " + trials.FormatValue(c.To)
}

// Differences lists what a trial's configuration changes against the study's baseline, and all of it where there is
// none.
func (s *Snapshot) Differences(t trials.Trial) []Change {
	return changes(s.Spec, s.Spec.Baseline, t.Params)
}
