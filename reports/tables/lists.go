package tables

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/trials"
)

// Trials lists every trial: outcome, score, duration and what its configuration changes against the baseline.
func Trials(s *reports.Snapshot) Table {
	t := Table{Name: "trials", Title: "All trials"}
	t.Columns = []Column{{"trial", true}, {"outcome", false}, {s.Metric.Key, true}, {"epochs", true}, {"seed", true}, {"time", true}, {"differs from the baseline", false}}
	if len(s.Blocks) > 1 {
		t.Columns = append(t.Columns, Column{"data", false})
	}
	for _, tr := range s.Trials {
		row := []Cell{cell(strconv.Itoa(tr.Number)), outcome(tr), cell(value(s.Metric, tr)), cell(epochs(tr)), cell(seed(tr)),
			cell(spent(s, tr)), cell(differs(s, tr))}
		if len(s.Blocks) > 1 {
			row = append(row, cell(tr.Text(trials.AttrData)))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func outcome(t trials.Trial) Cell {
	if t.State != trials.Fail {
		return cell(strings.ToLower(t.State.String()))
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
		w += fmt.Sprintf(", repeated as %d", n)
	}
	return Cell{Text: w, Tone: Worse}
}

func value(m reports.Metric, t trials.Trial) string {
	if len(t.Values) == 0 {
		return ""
	}
	return m.Value(t.Values[0], nan)
}

func epochs(t trials.Trial) string {
	if n := len(t.Measurements); n > 0 {
		return strconv.Itoa(t.Measurements[n-1].Epoch)
	}
	return ""
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

func differs(s *reports.Snapshot, t trials.Trial) string {
	return changeWords(s.Differences(t))
}

// Failures lists failed trials with class and reason; without rows if there are none.
func Failures(s *reports.Snapshot) Table {
	t := Table{Name: "failures", Title: "Failures",
		Columns: []Column{{"trial", true}, {"variant", false}, {"class", false}, {"reason", false}}}
	for _, f := range s.Failures {
		c := f.Class
		if f.Repeated {
			c += " (repeated)"
		}
		t.Rows = append(t.Rows, []Cell{cell(strconv.Itoa(f.Trial)), cell(f.Arm), cell(c), cell(f.Reason)})
	}
	return t
}

// Metrics is every score metric by arm: mean ± spread over complete trials at the scored epoch. Losses are left out.
func Metrics(s *reports.Snapshot, block int) Table {
	b := &s.Blocks[block]
	t := Table{Name: "metrics", Title: "Other metrics", Columns: []Column{{"metric", false}}}
	for _, a := range b.Arms {
		t.Columns = append(t.Columns, Column{a.Label, true})
	}
	for _, k := range s.MetricKeys() {
		if strings.HasPrefix(k, "loss/") || strings.HasPrefix(k, "lr/") {
			continue
		}
		m := reports.MetricOf(k)
		row := []Cell{cell(k)}
		some := false
		for _, a := range b.Arms {
			mean, sd, n := a.MetricMean(k)
			some = some || n > 0
			row = append(row, cell(m.MeanSpread(mean, sd)))
		}
		if some {
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}
