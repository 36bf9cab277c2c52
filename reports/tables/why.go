package tables

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/studies/inference/importance"
)

// WhyOptions choose what Why tells.
type WhyOptions struct {
	Method   string // importance.FANOVA or importance.PEDANOVA; "": the first, with the second beside it where points are uneven
	Pairs    bool   // the importance of pairs, too
	From, To string // ends of paths and Shapley values; "": baseline and best
}

// Why are the tables that say what made the difference: main effects and interactions, Shapley values, an ablation path
// and the importance of parameters. What the study's design cannot tell is a table without rows whose note says why.
func Why(s *reports.Snapshot, o WhyOptions) ([]Table, error) {
	if o.From == "" {
		o.From, o.To = reports.FromBaseline, reports.ToBest
	}
	var ts []Table
	for i := range s.Blocks {
		b := &s.Blocks[i]
		on := ""
		if len(s.Blocks) > 1 && b.Data != "" {
			on = " on " + b.Data
		}
		if !s.IsSearch() {
			f, err := s.Factorial(b)
			t, err := explained("main-effects", "Main effects and interactions"+on, err, func() Table { return MainEffects(s, f) })
			if err != nil {
				return nil, err
			}
			a, err2 := s.ShapleyBetween(b, o.From, o.To)
			u, err2 := explained("shapley", "Shapley values"+on, err2, func() Table { return Attribution(s, a) })
			if err2 != nil {
				return nil, err2
			}
			ts = append(ts, t, u)
		}
		p, err := s.PathBetween(b, o.From, o.To)
		t, err := explained("path", "Ablation path"+on, err, func() Table { return Path(s, p) })
		if err != nil {
			return nil, err
		}
		ts = append(ts, t)
	}
	t, err := importances(s, o)
	if err != nil {
		return nil, err
	}
	return append(ts, t), nil
}

// explained builds a table, or where there is nothing to tell one that says so. Other errors are returned.
func explained(name, title string, err error, build func() Table) (Table, error) {
	var nothing inference.Nothing
	switch {
	case errors.As(err, &nothing):
		return Table{Name: name, Title: title, Notes: []string{sentence("None: " + err.Error())}}, nil
	case err != nil:
		return Table{}, err
	}
	t := build()
	t.Name, t.Title = name, title+t.Title
	return t, nil
}

// sentence ends a text with a full stop.
func sentence(t string) string {
	if strings.HasSuffix(t, ".") {
		return t
	}
	return t + "."
}

// MainEffects are the terms of a factorial.
func MainEffects(s *reports.Snapshot, f inference.Factorial) Table {
	t := Table{Name: "main-effects", Columns: []Column{{Title: "term"}, {Title: "effect on " + heading(s.Metric), Right: true}, {Title: levelTitle(s), Right: true},
		{Title: "p (Holm)", Right: true}, {Title: "verdict"}, {Title: "cannot be told from"}}}
	aliased := false
	for _, x := range f.Terms {
		aliased = aliased || len(x.Aliases) > 0
		tone := ToneOf(x.Verdict)
		e := termEffect(x)
		t.Rows = append(t.Rows, []Cell{label(x.Label), {Text: s.Metric.Effect(e), Tone: tone}, cell(s.Metric.Interval(e)), cell(reports.PValue(x.PHolm)),
			{Text: string(x.Verdict), Tone: tone}, label(aliases(x))})
	}
	if !aliased {
		t.Columns = t.Columns[:5]
		for i := range t.Rows {
			t.Rows[i] = t.Rows[i][:5]
		}
	}
	t.Notes = append(t.Notes, effectNotes(s, f)...)
	return t
}

// levelTitle names intervals by the study's own level.
func levelTitle(s *reports.Snapshot) string {
	return fmt.Sprintf("%.4g %% interval", 100*(1-s.Spec.Rules.Level()))
}

func termEffect(x inference.Term) reports.Effect {
	return reports.Effect{Effect: inference.Effect{Mean: x.Estimate, Low: x.Low, High: x.High}}
}

func aliases(x inference.Term) string {
	var parts []string
	for _, a := range x.Aliases {
		parts = append(parts, strings.Join(a, " × "))
	}
	return strings.Join(parts, ", ")
}

func effectNotes(s *reports.Snapshot, f inference.Factorial) []string {
	n := []string{"A main effect is the mean at the changed level minus that at the baseline's, over all levels of the other factors. " +
		"An interaction is half the difference that one factor makes to the effect of the other."}
	switch f.Method {
	case inference.SeedBlocks:
		n = append(n, fmt.Sprintf("%s, %s with a score, seeds as blocks: standard deviation %s, %s degrees of freedom. p values after Holm's correction over %s.",
			reports.Count(f.Runs, "point"), reports.Count(f.N, "trial"), s.Metric.WithUnit(s.Metric.Rough(f.Residual)), reports.Number(f.DF, 0), reports.Count(len(f.Terms), "term")))
	case inference.Lenth:
		n = append(n, fmt.Sprintf("Lenth's margin of error is %s for one term, %s for all at once.", s.Metric.WithUnit(s.Metric.Rough(f.ME)), s.Metric.WithUnit(s.Metric.Rough(f.SME))))
	}
	n = append(n, f.Notes...)
	return append(n, termReasons(f)...)
}

// termReasons are those of terms that got no test or lean on assumptions, each once.
func termReasons(f inference.Factorial) []string {
	var out []string
	seen := map[string]bool{}
	for _, x := range f.Terms {
		if x.Verdict == inference.NotTested && !seen[x.Reason] {
			seen[x.Reason] = true
			out = append(out, sentence("Not tested: "+x.Reason))
		}
		if x.Verdict == inference.Aliased && len(x.Aliases) > 0 && !seen["aliased"] {
			seen["aliased"] = true
			out = append(out, "“aliased” means that the estimate is the sum of all the terms in its row: the design cannot say which of them it is.")
		}
		if len(x.Partial) > 0 && len(x.Aliases) == 0 && !seen["partial"] {
			seen["partial"] = true
			how := "Verdicts assume no interactions"
			switch {
			case f.Unchecked:
				how = "A main effect is “aliased” as parts of interactions may be in the estimate, and these points cannot check it"
			case x.Verdict == inference.Aliased:
				how = "“aliased” means that interactions are at work and parts of them are in the estimate"
			}
			out = append(out, fmt.Sprintf("%s: %s of the effect of %s would be in that of %s, and so on.", how, reports.Signed(x.Partial[0].Weight, 2), x.Partial[0].Label, x.Label))
		}
	}
	return out
}

// Attribution are Shapley values, then what knobs do in pairs.
func Attribution(s *reports.Snapshot, a importance.Attribution) Table {
	t := Table{Name: "shapley", Title: fmt.Sprintf(": from %s to %s", a.From, a.To), Columns: []Column{{Title: "change"}, {Title: "part of the gain" + unit(s.Metric), Right: true},
		{Title: levelTitle(s), Right: true}, {Title: "alone", Right: true}, {Title: "last", Right: true}, {Title: "p (Holm)", Right: true}}}
	for _, k := range a.Knobs {
		e := reports.Effect{Effect: k.Value}
		t.Rows = append(t.Rows, []Cell{label(k.Label), {Text: s.Metric.Effect(e), Tone: toned(k.Value)}, cell(s.Metric.Interval(e)), cell(like(s, e, k.First)), cell(like(s, e, k.Last)), cell(reports.PValue(k.Value.PHolm))})
	}
	g := reports.Effect{Effect: a.Gain}
	t.Rows = append(t.Rows, []Cell{label("together"), cell(s.Metric.Effect(g)), cell(s.Metric.Interval(g)), {}, {}, cell(reports.PValue(a.Gain.P))})
	for _, p := range a.Pairs {
		e := reports.Effect{Effect: p.Value}
		t.Rows = append(t.Rows, []Cell{label(p.A + " × " + p.B), cell(s.Metric.Effect(e)), cell(s.Metric.Interval(e)), {}, {}, cell(reports.PValue(p.Value.PHolm))})
	}
	t.Notes = append(t.Notes, fmt.Sprintf("Shapley values: each change's effect, averaged over all orders of making the changes one after another, over %s. They sum to the gain, %s to %s. "+
		"“alone” is the effect of making it first, “last” after all others; rows with × are what two bring beyond their sum.",
		reports.Count(a.Seeds, "seed"), s.Metric.Value(a.Start, a.Gain.SD), s.Metric.WithUnit(s.Metric.Value(a.End, a.Gain.SD))))
	t.Notes = append(t.Notes, a.Notes...)
	return t
}

func toned(e inference.Effect) Tone { return ToneOf(e.Verdict) }

// like writes x with as many decimals as the effect beside it.
func like(s *reports.Snapshot, e reports.Effect, x float64) string {
	half := (e.High - e.Low) / 2
	return s.Metric.Effect(reports.Effect{Effect: inference.Effect{Mean: x, Low: x - half, High: x + half}})
}

func unit(m reports.Metric) string {
	if m.Points {
		return " (points)"
	}
	return ""
}

// Path is an ablation path, a row a step.
func Path(s *reports.Snapshot, p importance.Path) Table {
	how := ""
	if p.Predicted {
		how = ", predicted by a model"
	}
	t := Table{Name: "path", Title: fmt.Sprintf(" from %s to %s%s", p.From, p.To, how), Columns: []Column{{Title: "step", Right: true}, {Title: "change"},
		{Title: heading(s.Metric), Right: true}, {Title: "gain", Right: true}, {Title: levelTitle(s), Right: true}, {Title: "share of the gain", Right: true}}}
	if p.Predicted {
		t.Columns[4].Title = "± over trees"
	}
	t.Rows = append(t.Rows, []Cell{cell("0"), label(p.From), cell(s.Metric.Value(p.Start, math.NaN())), {}, {}, {}})
	for i, m := range p.Steps {
		e := reports.Effect{Effect: m.Gain}
		around := s.Metric.Interval(e)
		if p.Predicted {
			around = s.Metric.Rough(m.Gain.SD)
		}
		t.Rows = append(t.Rows, []Cell{cell(fmt.Sprint(i + 1)), label(change(m)), cell(s.Metric.Value(m.Score, math.NaN())), cell(s.Metric.Effect(e)), cell(around), cell(percent(m.Share))})
	}
	if len(p.Idle) > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("Left out, since it does not matter at the end: %s.", strings.Join(p.Idle, ", ")))
	}
	t.Notes = append(t.Notes, p.Notes...)
	return t
}

func change(m importance.Move) string {
	return fmt.Sprintf("%s %s → %s", m.Name, reports.ShortValue(m.From), reports.ShortValue(m.To))
}

// percent writes a share: "46 %", "0.4 %".
func percent(x float64) string {
	d := 0
	if math.Abs(x) < 0.0095 {
		d = 1
	}
	return reports.Number(100*x, d) + " %"
}

// importances is the table of the chosen methods.
func importances(s *reports.Snapshot, o WhyOptions) (Table, error) {
	title := "Importance"
	if o.Method == importance.PEDANOVA {
		r, err := s.PED()
		return explained("importance", title, err, func() Table { return Importance(r, nil, o.Pairs) })
	}
	r, err := s.Importance()
	if err != nil || o.Method == importance.FANOVA || !s.Uneven() {
		return explained("importance", title, err, func() Table { return Importance(r, nil, o.Pairs) })
	}
	ped, err := s.PED()
	var nothing inference.Nothing
	if errors.As(err, &nothing) {
		t := Importance(r, nil, o.Pairs)
		t.Title = title
		t.Notes = append(t.Notes, sentence("No PED-ANOVA: "+err.Error()))
		return t, nil
	}
	return explained("importance", title, err, func() Table { return Importance(r, &ped, o.Pairs) })
}

// mostPairs is how many pairs the table of importance lists.
const mostPairs = 10

// Importance is the table of one result, with another one's singles beside it (nil: none).
func Importance(r importance.Result, beside *importance.Result, pairs bool) Table {
	t := Table{Name: "importance", Columns: []Column{{Title: "parameter"}, {Title: r.Method, Right: true}}}
	if r.Method == importance.FANOVA {
		t.Columns = append(t.Columns, Column{Title: "± over trees", Right: true})
	}
	if beside != nil {
		t.Columns = append(t.Columns, Column{Title: beside.Method, Right: true})
	}
	for _, x := range r.Single {
		row := shareCells(r, x.Name, x.Value, x.SD)
		if beside != nil {
			c := Cell{}
			for _, y := range beside.Single {
				if y.Name == x.Name {
					c = cell(percent(y.Value))
				}
			}
			row = append(row, c)
		}
		t.Rows = append(t.Rows, row)
	}
	for i, x := range r.Pairs {
		if !pairs || i == mostPairs {
			break
		}
		row := shareCells(r, x.A+" × "+x.B, x.Value, x.SD)
		if beside != nil {
			row = append(row, Cell{})
		}
		t.Rows = append(t.Rows, row)
	}
	t.Notes = importanceNotes(r, beside, pairs)
	return t
}

func shareCells(r importance.Result, name string, value, sd float64) []Cell {
	row := []Cell{label(name), cell(percent(value))}
	if r.Method == importance.FANOVA {
		row = append(row, cell(percent(sd)))
	}
	return row
}

func importanceNotes(r importance.Result, beside *importance.Result, pairs bool) []string {
	var n []string
	if r.Method == importance.FANOVA {
		n = append(n, fmt.Sprintf("fANOVA: shares of the variance of the scores that a model of %s (a forest of trees) predicts over the whole space. It predicts %.0f %% of the variance of configurations that it has not seen.",
			reports.Count(r.N, "configuration"), 100*r.Fit))
		if pairs && len(r.Pairs) > 0 {
			n = append(n, "Rows with × are what two parameters do together beyond what each does alone.")
		}
		if pairs && len(r.Pairs) > mostPairs {
			n = append(n, fmt.Sprintf("The first %d of %d pairs.", mostPairs, len(r.Pairs)))
		}
	}
	if r.Method == importance.PEDANOVA || beside != nil {
		n = append(n, "PED-ANOVA: how much the values in the best tenth of the configurations differ from those in all, as shares of the sum.")
	}
	if r.Bias != "" {
		n = append(n, r.Bias)
	}
	return append(n, r.Notes...)
}

// Marginals is a line per place of each parameter, for files.
func Marginals(s *reports.Snapshot, r importance.Result) Table {
	t := Table{Name: "marginals", Title: "Mean predicted score along each parameter", Columns: []Column{{Title: "parameter"}, {Title: "value", Right: true}, {Title: heading(s.Metric), Right: true}, {Title: "± over trees", Right: true}}}
	for _, m := range r.Marginals {
		for i, x := range m.X {
			at := reports.ShortValue(x)
			if m.Labels != nil {
				at = m.Labels[i]
			}
			t.Rows = append(t.Rows, []Cell{label(m.Name), label(at), cell(s.Metric.Value(m.Mean[i], m.SD[i])), cell(s.Metric.Rough(m.SD[i]))})
		}
	}
	return t
}
