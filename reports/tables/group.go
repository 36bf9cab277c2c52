package tables

import (
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/trials"
)

// byFactor arranges arms under the factors that they change, in the file's order; within a factor they keep theirs.
// An arm that changes several parameters stands under all of them together, behind the others; one without changes
// stands first.
func byFactor(s *reports.Snapshot, b *reports.Block, order []int) ([]int, []Group) {
	var titles []string
	for _, f := range s.Spec.Factors {
		titles = append(titles, f.Name)
	}
	under := map[string][]int{}
	for _, i := range order {
		t := factorsOf(b.Arms[i])
		under[t] = append(under[t], i)
		if t != "" && !slices.Contains(titles, t) {
			titles = append(titles, t)
		}
	}
	out := under[""]
	var groups []Group
	for _, t := range titles {
		if len(under[t]) > 0 {
			groups = append(groups, Group{Row: len(out), Title: t})
			out = append(out, under[t]...)
		}
	}
	return out, groups
}

// factorsOf names what an arm changes: "mosaic", "mosaic × mixup"; "" for nothing.
func factorsOf(a reports.Arm) string {
	var names []string
	for _, c := range a.Changes {
		names = append(names, c.Name)
	}
	return strings.Join(names, " × ")
}

// classKeys are the metrics that hold the average precision of a class.
func classKeys(s *reports.Snapshot) []string {
	return slices.DeleteFunc(s.MetricKeys(), func(k string) bool { return !strings.HasPrefix(k, "AP/") })
}

// classes is the average precision of each class in each arm, with its effect.
func (v View) classes(s *reports.Snapshot, block int) Table {
	v.Metrics = classKeys(s)
	t := v.sheet(s, block)
	out := Table{Name: "classes", Title: title(s, t.b) + ": average precision by class", Columns: []Column{{Title: "change"},
		{Title: "AP (points)", Right: true}, {Title: "effect", Right: true}, {Title: intervalTitle(t.b), Right: true}, {Title: "seeds", Right: true}}}
	for _, f := range t.further {
		out.Groups = append(out.Groups, Group{Row: len(out.Rows), Title: strings.TrimPrefix(f.Metric.Key, "AP/")})
		for _, i := range t.order {
			x := f.Arms[i]
			if x.N == 0 {
				continue
			}
			row := []Cell{label(t.b.Arms[i].Label), cell(f.Metric.MeanSpread(x.Mean, x.SD)), {}, {}, {}}
			if x.Effect != nil {
				e := reports.Effect{Effect: *x.Effect}
				row[2], row[3], row[4] = cell(f.Metric.Effect(e)), cell(f.Metric.Interval(e)), cell(number(x.Effect.N))
			} else {
				row[4] = cell(number(x.N))
			}
			out.Rows = append(out.Rows, row)
		}
	}
	out.Groups = slices.DeleteFunc(out.Groups, func(g Group) bool { return g.Row >= len(out.Rows) })
	out.Notes = []string{"Mean ± standard deviation over seeds. Each class has its own t interval, not corrected for their number: of many classes some " +
		"show an effect by chance. Verdicts are on " + s.Metric.Key + " alone.", Accounting(s)}
	return out
}

// levelled are the factors that have levels.
func levelled(s *reports.Snapshot) []string {
	var names []string
	for _, f := range s.Spec.Factors {
		if len(f.Levels) > 0 {
			names = append(names, f.Name)
		}
	}
	return names
}

// crossed says that arms differ in several factors at once, so that a level is read as a mean over trials.
func crossed(s *reports.Snapshot, b *reports.Block) bool {
	if s.Search != nil || s.Spec.Screens() {
		return true
	}
	return slices.ContainsFunc(b.Arms, func(a reports.Arm) bool { return len(a.Changes) > 1 && len(a.Scores) > 0 })
}

// levels has a row for each level of each factor.
func (v View) levels(s *reports.Snapshot, block int) Table {
	if b := &s.Blocks[block]; crossed(s, b) {
		return v.marginals(s, block)
	}
	v.By = ""
	t := v.sheet(s, block)
	out := Table{Name: "levels", Title: title(s, t.b) + " by level", Columns: t.columns()}
	out.Columns[0].Title = "level"
	for _, f := range s.Spec.Factors {
		first := len(out.Rows)
		for _, level := range f.Levels {
			if i := levelArm(t.b, f.Name, level); i >= 0 {
				r := t.row(i)
				r[0] = label(reports.ShortValue(level))
				out.Rows = append(out.Rows, r)
			}
		}
		if len(out.Rows) > first {
			out.Groups = append(out.Groups, Group{Row: first, Title: f.Name})
		}
	}
	out.Notes = append(notes(s, t.b), v.furtherNotes(s, t.b)...)
	return out
}

// levelArm is the arm that has a factor at a level and everything else as the reference; -1 if there is none.
func levelArm(b *reports.Block, factor string, level any) int {
	return slices.IndexFunc(b.Arms, func(a reports.Arm) bool {
		if x, ok := a.Params[factor]; !ok || !trials.SameValue(x, level) {
			return false
		}
		return a.Reference || len(a.Changes) == 1 && a.Changes[0].Name == factor
	})
}

// marginals are the means of all complete trials by level, whatever else they change.
func (v View) marginals(s *reports.Snapshot, block int) Table {
	b := &s.Blocks[block]
	out := Table{Name: "levels", Title: title(s, b) + " by level", Columns: []Column{{Title: "level"}, {Title: heading(s.Metric), Right: true}}}
	for _, k := range v.Metrics {
		out.Columns = append(out.Columns, Column{Title: heading(reports.MetricOf(k)), Right: true})
	}
	out.Columns = append(out.Columns, Column{Title: "trials", Right: true})
	for _, m := range v.Marginals(s, block) {
		if n := len(out.Groups); n == 0 || out.Groups[n-1].Title != m.Factor {
			out.Groups = append(out.Groups, Group{Row: len(out.Rows), Title: m.Factor})
		}
		row := []Cell{label(reports.ShortValue(m.Level)), cell(s.Metric.MeanSpread(m.Mean, m.SD))}
		for i, k := range v.Metrics {
			row = append(row, cell(reports.MetricOf(k).MeanSpread(m.Further[i].Mean, m.Further[i].SD)))
		}
		out.Rows = append(out.Rows, append(row, cell(number(m.N))))
	}
	out.Notes = []string{"Mean ± standard deviation over all complete trials at that level; the other factors vary too, so that no test was made here.", Accounting(s)}
	return out
}
