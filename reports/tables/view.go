package tables

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies"
)

// What View.By can be.
const (
	ByFactor = "factor" // rows under the factor that they change
	ByLevel  = "level"  // a row per level of each factor: its arm, or in designs that cross factors the mean of its trials
	ByData   = "data"   // data sets side by side, and their mean
	ByClass  = "class"  // average precision of each class, rows under the class
	ByConfig = "config" // a column per parameter in place of the change
)

// Groupings are the values of View.By.
var Groupings = []string{ByFactor, ByLevel, ByData, ByClass, ByConfig}

// View says what the tables of a study show beside the objective, and how rows are arranged. The zero value is the
// table of every report.
type View struct {
	By          string
	OnlyChanged bool            // columns of configuration that differ between rows only; implies ByConfig
	Metrics     []string        // further metrics, a column each; Resolve fills in patterns
	Measure     reports.Measure // reads a further metric of a trial; nil: what was measured
}

func (v View) measure() reports.Measure {
	if v.Measure == nil {
		return reports.At
	}
	return v.Measure
}

// configured says that columns of parameters stand in place of the change.
func (v View) configured() bool { return v.By == ByConfig || v.OnlyChanged }

// Resolve checks the view against a study, and replaces metrics in other case and patterns ("AP/*") by the study's own
// names. derived says of names that no trial measured whether Measure can make them.
func (v View) Resolve(s *reports.Snapshot, derived func(string) bool) (View, error) {
	if v.By != "" && !slices.Contains(Groupings, v.By) {
		return v, fmt.Errorf("%q is none of %s", v.By, strings.Join(Groupings, ", "))
	}
	if v.OnlyChanged && v.By != "" && v.By != ByConfig {
		return v, fmt.Errorf("--only-changed shows the configuration, and cannot be joined with --by %s", v.By)
	}
	if why := v.misfit(s); why != "" {
		return v, fmt.Errorf("--by %s: %s", v.By, why)
	}
	var metrics []string
	known := s.MetricKeys()
	for _, m := range v.Metrics {
		found := matches(m, known)
		if len(found) == 0 && derived != nil && derived(m) {
			found = []string{m}
		}
		if len(found) == 0 {
			return v, fmt.Errorf("no trial of %s measured %q%s", s.Study.Name, m, hint(m, known))
		}
		for _, k := range found {
			if k != s.Metric.Key && !slices.Contains(metrics, k) {
				metrics = append(metrics, k)
			}
		}
	}
	v.Metrics = metrics
	return v, nil
}

// matches are the known names that one of a user's stands for. * and ? stand for slashes, too: loss/* and *box are both loss/box.
func matches(name string, known []string) []string {
	var found []string
	flat := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "/", "\x01")) }
	for _, k := range known {
		if strings.EqualFold(k, name) {
			return []string{k}
		}
		if ok, err := path.Match(flat(name), flat(k)); ok && err == nil {
			found = append(found, k)
		}
	}
	return found
}

func hint(name string, known []string) string {
	if near := studies.Nearest(name, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	if len(known) == 0 {
		return "; it has no measurements"
	}
	return "; there are " + strings.Join(known, ", ")
}

// misfit says why a study cannot be shown that way; "" if it can.
func (v View) misfit(s *reports.Snapshot) string {
	switch {
	case v.By == ByFactor && s.Spec.Screens():
		return "the points of this design change several factors at once; --by level has the means of their levels"
	case s.Search != nil && (v.By == ByFactor || v.By == ByData || v.By == ByClass):
		return "the study ranks configurations, and has no variants to arrange"
	case v.By == ByData && len(s.Blocks) < 2:
		return "the study has one data set only"
	case v.By == ByClass && len(classKeys(s)) == 0:
		return "no trial measured the average precision of a class (AP/<class>)"
	case v.By == ByLevel && len(levelled(s)) == 0:
		return "no factor has levels"
	}
	return ""
}

// Tables are the tables that sum a study up. The last one carries how they were made, and the snapshot's warnings, so
// that a table never travels without them.
func (v View) Tables(s *reports.Snapshot) []Table {
	var ts []Table
	switch {
	case v.By == ByLevel:
		for i := range s.Blocks {
			ts = append(ts, v.levels(s, i))
		}
	case s.Search != nil:
		for i := range s.Blocks {
			if t, ok := Confirmed(s, i); ok {
				ts = append(ts, t)
			}
		}
		if t, ok := v.front(s); ok {
			ts = append(ts, t)
		} else {
			ts = append(ts, v.search(s, 10))
		}
	case v.By == ByData:
		ts = []Table{v.sideBySide(s)}
	default:
		for i := range s.Blocks {
			if v.By == ByClass {
				ts = append(ts, v.classes(s, i))
			} else {
				ts = append(ts, v.ablation(s, i))
			}
			if t, ok := Tuned(s, i); ok {
				ts = append(ts, t)
			}
		}
	}
	if n := len(ts); n > 0 {
		last := &s.Blocks[len(s.Blocks)-1]
		how := s.How(last)
		if v.By == ByLevel && crossed(s, last) {
			how.Test = "none"
		}
		ts[n-1].Notes = append(ts[n-1].Notes, how.Lines()...)
		for _, w := range s.Warnings {
			ts[n-1].Notes = append(ts[n-1].Notes, "Mind: "+w)
		}
	}
	return ts
}

// All are the tables that sum a study up: one ablation table per data set, or the search's.
func All(s *reports.Snapshot) []Table { return View{}.Tables(s) }

// furtherNotes say what the columns of further metrics are.
func (v View) furtherNotes(s *reports.Snapshot, b *reports.Block) []string {
	if len(v.Metrics) == 0 {
		return nil
	}
	n := []string{}
	if len(b.Effects) > 0 {
		n = append(n, "Verdicts, marks and corrected p values are on "+s.Metric.Key+" alone; the other metrics are at the same epoch and were not corrected for.")
	}
	if s.Sequential() && len(b.Effects) > 0 {
		n = append(n, stoppedNote)
	}
	if s.Study.Provenance.Backend == "native" && slices.ContainsFunc(v.Metrics, bySize) {
		n = append(n, sizesNote)
	}
	return n
}

// stoppedNote stands beside intervals that do not pay for the looks of a study until settled.
const stoppedNote = "Variants stopped by their results on the objective: intervals here that are not the objective's own do not allow for that, and describe rather than test."

// Formats are the formats of Write.
var Formats = []string{"text", "md", "csv", "latex", "html", "json"}

// Format is the format that a user's name stands for, "" if there is none.
func Format(name string) string {
	switch name {
	case "", "terminal", "txt":
		return "text"
	case "markdown":
		return "md"
	case "tex":
		return "latex"
	}
	if slices.Contains(Formats, name) {
		return name
	}
	return ""
}

// Write writes the tables of a view in a format; o is for text.
func (v View) Write(w io.Writer, s *reports.Snapshot, format string, o Options) error {
	switch format {
	case "text":
		return Terminal(w, v.Tables(s), o)
	case "md":
		return Markdown(w, v.Tables(s))
	case "csv":
		return v.CSV(w, s)
	case "latex":
		return LaTeX(w, v.Tables(s))
	case "html":
		return HTML(w, v.Tables(s))
	case "json":
		return v.JSON(w, s)
	}
	return fmt.Errorf("%q is none of %s", format, strings.Join(Formats, ", "))
}

// Prose is a paragraph escaped for a format.
func Prose(text, format string) string {
	switch format {
	case "md":
		return escapeMarkdown(text)
	case "latex":
		return escapeLaTeX(text)
	case "html":
		return "<p>" + escapeHTML(text) + "</p>"
	}
	return clean(text)
}
