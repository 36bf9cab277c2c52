package tables

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/trials"
)

// Trials lists every trial: outcome, score, duration and what its configuration changes against the baseline.
func Trials(s *reports.Snapshot) Table {
	t := Table{Name: "trials", Title: "All trials"}
	t.Columns = []Column{{Title: "trial", Right: true}, {Title: "outcome"}, {Title: heading(s.Metric), Right: true}, {Title: "epochs", Right: true}, {Title: "seed", Right: true}, {Title: "time", Right: true}}
	_, gpus := s.GPUs()
	if gpus {
		t.Columns = append(t.Columns, Column{Title: "GPU"}, Column{Title: "GPU memory (MiB)", Right: true})
	}
	t.Columns = append(t.Columns, Column{Title: configuration(s)})
	if len(s.Blocks) > 1 {
		t.Columns = append(t.Columns, Column{Title: "data"})
	}
	notes := slices.ContainsFunc(s.Trials, func(tr trials.Trial) bool { return tr.Text(trials.AttrNote) != "" })
	if notes {
		t.Columns = append(t.Columns, Column{Title: "note"})
	}
	for _, tr := range s.Trials {
		row := []Cell{cell(strconv.Itoa(tr.Number)), outcome(tr), cell(value(s.Metric, tr)), cell(epochs(tr)), cell(seed(tr)),
			cell(spent(s, tr))}
		if gpus {
			row = append(row, cell(tr.Text(trials.AttrDevices)), cell(held(tr)))
		}
		row = append(row, label(differs(s, tr)))
		if len(s.Blocks) > 1 {
			row = append(row, cell(tr.Text(trials.AttrData)))
		}
		if notes {
			row = append(row, cell(tr.Text(trials.AttrNote)))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// heading names a metric and the unit that its numbers have in tables.
func heading(m reports.Metric) string {
	if m.Points {
		return m.Key + " (points)"
	}
	return m.Key
}

// configuration heads the column of what a trial's configuration is.
func configuration(s *reports.Snapshot) string {
	if len(s.Spec.Baseline) == 0 {
		return "configuration"
	}
	return "differs from the baseline"
}

func outcome(t trials.Trial) Cell {
	if t.State != trials.Fail {
		w := strings.ToLower(t.State.String()) + chained(t)
		if t.State.Finished() && !t.Feasible() {
			w += ", constraint broken"
		}
		return cell(w)
	}
	c := t.Text(trials.AttrClass)
	if c == "" {
		c = trials.ClassError
	}
	w := "failed (" + c + ")"
	switch c {
	case trials.ClassInfeasible, trials.ClassSkipped:
		w = c
	}
	if n, ok := t.Integer(trials.AttrRetriedBy); ok {
		again := "repeated"
		if c == trials.ClassSkipped {
			again = "run later"
		}
		w += fmt.Sprintf(", %s as %d", again, n)
	}
	return Cell{Text: w + chained(t), Tone: Worse}
}

// chained says which trial a trial continues, and which one continues it.
func chained(t trials.Trial) (words string) {
	if n, ok := t.Continues(); ok {
		words += fmt.Sprintf(", continues %d", n)
	}
	if n, ok := t.Integer(trials.AttrContinued); ok {
		words += fmt.Sprintf(", goes on as %d", n)
	}
	return words
}

func value(m reports.Metric, t trials.Trial) string {
	if len(t.Values) == 0 {
		return ""
	}
	return m.Value(t.Values[0], nan)
}

// epochs is how many epochs a trial has, those that it goes on from among them. Other programs may count their steps from 0.
func epochs(t trials.Trial) string {
	n := len(t.Measurements)
	switch {
	case n == 0:
		return ""
	case t.Measurements[0].Epoch == 0:
		return strconv.Itoa(t.Measurements[n-1].Epoch + 1)
	}
	return strconv.Itoa(t.Measurements[n-1].Epoch)
}

func seed(t trials.Trial) string {
	if n, ok := t.Integer(trials.AttrSeed); ok {
		return strconv.FormatInt(n, 10)
	}
	return ""
}

func spent(s *reports.Snapshot, t trials.Trial) string {
	if d := reports.Duration(t, s.AsOf); d > 0 {
		return reports.Span(d)
	}
	return ""
}

// held is the most memory of a GPU that a trial held, in MiB.
func held(t trials.Trial) string {
	if n, ok := t.Integer(trials.AttrPeakMiB); ok {
		return strconv.FormatInt(n, 10)
	}
	return ""
}

func differs(s *reports.Snapshot, t trials.Trial) string {
	return changeWords(s.Differences(t))
}

// Failures lists failed trials with class and reason; without rows if there are none.
func Failures(s *reports.Snapshot) Table {
	t := Table{Name: "failures", Title: "Failures",
		Columns: []Column{{Title: "trial", Right: true}, {Title: "variant"}, {Title: "class"}, {Title: "reason"}}}
	for _, f := range s.Failures {
		c := f.Class
		if f.Repeated {
			c += " (repeated)"
		}
		t.Rows = append(t.Rows, []Cell{cell(strconv.Itoa(f.Trial)), label(f.Arm), cell(c), cell(f.Reason)})
	}
	return t
}

// Notes lists what was noted at trials, those with the same note together; without rows if there is nothing.
func Notes(s *reports.Snapshot) Table {
	t := Table{Name: "notes", Title: "Notes", Columns: []Column{{Title: "trials"}, {Title: "note"}}}
	var order []string
	at := map[string][]int{}
	for _, tr := range s.Trials {
		n := tr.Text(trials.AttrNote)
		if n == "" {
			continue
		}
		if at[n] == nil {
			order = append(order, n)
		}
		at[n] = append(at[n], tr.Number)
	}
	for _, n := range order {
		t.Rows = append(t.Rows, []Cell{cell(some(at[n])), cell(n)})
	}
	return t
}

// some names the first few trials and counts the others.
func some(ns []int) string {
	const first = 8
	if len(ns) <= first {
		return numbers(ns)
	}
	return fmt.Sprintf("%s and %d more", numbers(ns[:first]), len(ns)-first)
}

// metricOrder is the order of well-known metrics; others follow by name.
var metricOrder = []string{"mAP50-95", "mAP50", "mAP75", "mAP-small", "mAP-medium", "mAP-large", "AR1", "AR10", "AR100", "precision", "recall"}

// Metrics are the scores beside the objective by arm: mean ± spread over complete trials at the scored epoch. The
// second table holds the average precision of each class. Losses and the use of the machine are left out, and so are
// tables without numbers.
func Metrics(s *reports.Snapshot, block int) []Table {
	var scores, perClass []string
	for _, k := range s.MetricKeys() {
		switch {
		case k == s.Metric.Key, strings.HasPrefix(k, "loss"), strings.HasPrefix(k, "val-loss"), strings.HasPrefix(k, "lr/"), ofMachine(k):
		case strings.HasPrefix(k, "AP/"):
			perClass = append(perClass, k)
		default:
			scores = append(scores, k)
		}
	}
	rank := func(k string) int {
		if i := slices.Index(metricOrder, k); i >= 0 {
			return i
		}
		return len(metricOrder)
	}
	slices.SortStableFunc(scores, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	var out []Table
	others := byArm(s, block, "Other metrics", scores)
	if s.Study.Provenance.Backend == "native" && slices.ContainsFunc(scores, bySize) {
		others.Notes = append(others.Notes, sizesNote)
	}
	for _, t := range []Table{others, byArm(s, block, "Average precision by class", perClass)} {
		if len(t.Rows) > 0 {
			out = append(out, t)
		}
	}
	return out
}

// ofMachine says that a metric tells how the machine was used and not what was learned.
func ofMachine(key string) bool {
	for _, p := range []string{"gpu/", "cpu/", "host/", "time/"} {
		if strings.HasPrefix(key, p) {
			return true
		}
	}
	return false
}

// sizesNote says how the native trainer measures objects.
const sizesNote = "Small, medium and large objects: up to 32², up to 96² and more pixels, counted in the network's input and not in the source picture."

func bySize(key string) bool {
	return key == "mAP-small" || key == "mAP-medium" || key == "mAP-large"
}

// byArm is a table of metrics with a row per arm, without arms that have no complete trial. A unit that all of them
// have stands in the title.
func byArm(s *reports.Snapshot, block int, title string, keys []string) Table {
	t := Table{Name: "metrics", Title: title, Columns: []Column{{Title: "change"}}}
	points := !slices.ContainsFunc(keys, func(k string) bool { return !reports.MetricOf(k).Points })
	if points {
		t.Title += " in points"
	}
	for _, k := range keys {
		name := strings.TrimPrefix(k, "AP/")
		if reports.MetricOf(k).Points && !points {
			name += " (points)"
		}
		t.Columns = append(t.Columns, Column{Title: name, Right: true})
	}
	for _, a := range s.Blocks[block].Arms {
		row := []Cell{label(a.Label)}
		some := false
		for _, k := range keys {
			mean, sd, n := a.MetricMean(k)
			some = some || n > 0
			row = append(row, cell(reports.MetricOf(k).MeanSpread(mean, sd)))
		}
		if some {
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}
