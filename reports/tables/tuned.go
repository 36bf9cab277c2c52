package tables

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Tuned is the table of one block of a study that tunes its variants: every effect as the study file has it, and beside
// it the same with both arms tuned. Not ok for a study that tunes nothing.
func Tuned(s *reports.Snapshot, block int) (Table, bool) {
	b := &s.Blocks[block]
	if b.Tuned == nil {
		return Table{}, false
	}
	m := s.Metric
	t := Table{Name: "tuned", Title: title(s, b) + ", every variant tuned"}
	interval := Column{Title: fmt.Sprintf("%.3g %% interval", 100*(1-s.Spec.Rules.Level())), Right: true}
	t.Columns = []Column{{Title: "change"}, {Title: "untuned effect", Right: true}, {Title: levelName(b) + " % interval", Right: true}, {Title: "tuned effect", Right: true}, interval, {Title: "p (Holm)", Right: true}, {Title: "verdict"}}
	for _, e := range b.Tuned.Effects {
		own, tone := reports.Effect{Effect: e.Tuned.Effect}, ToneOf(e.Tuned.Verdict)
		t.Rows = append(t.Rows, []Cell{label(e.Label), {Text: m.Effect(e.Untuned), Tone: ToneOf(e.Untuned.Verdict)}, cell(m.Interval(e.Untuned)),
			{Text: m.Effect(own), Tone: tone}, cell(m.Interval(own)), cell(reports.PValue(e.Tuned.PHolm)), {Text: tunedVerdict(e), Tone: tone}})
	}
	t.Notes = tunedNotes(s, b)
	return t, true
}

// TunedArms has for every variant of a block the score of what its tunings chose, and what the effect's interval rests on.
func TunedArms(s *reports.Snapshot, block int) Table {
	b, m := &s.Blocks[block], s.Metric
	t := Table{Name: "tuned-arms", Title: "Tuned scores"}
	t.Columns = []Column{{Title: "variant"}, {Title: heading(m), Right: true}, {Title: "tunings", Right: true}, {Title: "trials", Right: true},
		{Title: "bootstrap interval of the effect", Right: true}, {Title: "sd between tunings", Right: true}, {Title: "sd of a pair", Right: true}}
	if b.Tuned == nil {
		return t
	}
	for _, a := range b.Tuned.Arms {
		row := []Cell{label(a.Label), tunedScore(m, a), cell(strconv.Itoa(len(a.Scores))), cell(strconv.Itoa(a.Trials())), {}, {}, {}}
		if i := slices.IndexFunc(b.Tuned.Effects, func(e reports.TunedEffect) bool { return e.Arm == a.Name }); i >= 0 {
			e := b.Tuned.Effects[i].Tuned
			boot := reports.Effect{Effect: e.Effect}
			boot.Low, boot.High = e.BootLow, e.BootHigh
			row[4], row[5], row[6] = cell(m.Interval(boot)), cell(m.Rough(e.Between)), cell(m.Rough(e.Within))
		}
		t.Rows = append(t.Rows, row)
	}
	t.Notes = []string{"Scores: mean ± standard deviation over tunings. The hierarchical bootstrap draws tunings, then seeds within each, 10,000 times; with few tunings its interval is too narrow. " +
		"Standard deviations are those of the difference to the reference: of tunings, without what seeds add, and of one pair of trials within a tuning."}
	return t
}

func tunedScore(m reports.Metric, a reports.TunedArm) Cell {
	if a.Trials() == 0 {
		return Cell{Text: "no score", Tone: Open}
	}
	return cell(m.MeanSpread(a.Mean, a.SD))
}

// tunedVerdict calls a sign that turned by its name.
func tunedVerdict(e reports.TunedEffect) string {
	v := string(e.Tuned.Verdict)
	if e.Tuned.Tunings == 1 {
		v = "HPO variance not estimated"
	}
	switch e.Turn {
	case reports.Turns:
		return v + ", sign turned"
	case reports.Changes:
		return v + ", sign changed"
	}
	return v
}

func tunedNotes(s *reports.Snapshot, b *reports.Block) []string {
	t := s.Spec.Tune
	n := []string{fmt.Sprintf("Every variant was tuned %s, each with %s on the same device time (%s) and the split %s; each choice was trained again with %s of its own and scored on the split %s.",
		times(t.Repeats), knobWords(t.Sampler, len(t.Knobs)), reports.Span(time.Duration(t.DeviceHours*float64(time.Hour))), t.Split, reports.Count(max(1, s.Spec.Replicates), "fresh seed"), s.Spec.Objective.Split)}
	if slices.ContainsFunc(b.Tuned.Effects, func(e reports.TunedEffect) bool { return e.Tuned.Tunings > 1 }) {
		n = append(n, "Tuned effects: means over tunings, paired by tuning, with the t interval over tunings; p values after Holm's correction.")
	}
	if slices.ContainsFunc(b.Tuned.Effects, func(e reports.TunedEffect) bool { return e.Tuned.Tunings == 1 }) {
		n = append(n, "With one tuning the interval is over seeds alone: another tuning may come to something else.")
	}
	for _, e := range b.Tuned.Effects {
		if e.Tuned.Verdict == inference.NotTested && e.Tuned.Tunings != 1 {
			n = append(n, fmt.Sprintf("Not tested: %s (%s).", e.Label, e.Tuned.Reason))
		}
	}
	return n
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

func knobWords(sampler string, n int) string {
	return fmt.Sprintf("sampler %s over %s", sampler, reports.Count(n, "knob"))
}

// Tunings lists what every tuning tried and chose; without rows before the first has begun.
func Tunings(s *reports.Snapshot) Table {
	t := Table{Name: "tunings", Title: "Tunings"}
	t.Columns = []Column{{Title: "variant"}, {Title: "tuning", Right: true}, {Title: "complete", Right: true}, {Title: "without a score", Right: true}, {Title: "device time", Right: true},
		{Title: "best on " + splitOf(s), Right: true}, {Title: "chosen"}, {Title: "study"}}
	for _, u := range s.Tunings {
		best, chosen := "", "nothing yet"
		if u.Choice != nil {
			best, chosen = s.Metric.Value(u.Choice.Value, nan), params(u.Chosen)
		}
		name := u.Label
		if len(s.Blocks) > 1 && u.Data != "" {
			name += " on " + u.Data
		}
		t.Rows = append(t.Rows, []Cell{label(name), cell(strconv.Itoa(u.Tuning)), cell(strconv.Itoa(len(u.Complete))), cell(strconv.Itoa(u.Others)),
			cell(reports.Span(u.Device)), cell(best), label(chosen), label(u.Name)})
	}
	if len(t.Rows) > 0 {
		t.Notes = append(t.Notes, "The best score of a tuning chose the trial that it belongs to: it is optimistic, and is not compared.")
	}
	return t
}

func splitOf(s *reports.Snapshot) string {
	if s.Spec.Tune == nil {
		return "val"
	}
	return s.Spec.Tune.Split
}

func params(p trials.Params) string {
	var parts []string
	for _, name := range p.Names() {
		parts = append(parts, name+" "+reports.ShortValue(p[name]))
	}
	return strings.Join(parts, ", ")
}

// BudgetCurves is what the best of n random trials is on average, variant by variant; without rows, and with a note that says why,
// where there is no such curve.
func BudgetCurves(s *reports.Snapshot) Table {
	t := Table{Name: "budget", Title: "Best of n random trials"}
	curves, err := s.BudgetCurves()
	if err != nil {
		t.Notes = []string{"Equal budgets: " + err.Error() + "."}
		return t
	}
	t.Columns = []Column{{Title: "variant"}}
	most := len(curves[0].Best)
	var at []int
	for n := 1; n < most; n *= 2 {
		at = append(at, n)
	}
	at = append(at, most)
	for _, n := range at {
		t.Columns = append(t.Columns, Column{Title: fmt.Sprintf("n = %d", n), Right: true})
	}
	for _, c := range curves {
		name := c.Label
		if len(s.Blocks) > 1 && c.Data != "" {
			name += " on " + c.Data
		}
		row := []Cell{label(name)}
		for _, n := range at {
			row = append(row, cell(s.Metric.Value(c.Best[n-1], nan)))
		}
		t.Rows = append(t.Rows, row)
	}
	t.Notes = []string{fmt.Sprintf("%s of the best of n trials on the split %s, by all subsets of n of each tuning's trials; the mean over tunings.", s.Metric.Key, splitOf(s))}
	return t
}
