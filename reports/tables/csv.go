package tables

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/trials"
)

// CSV writes the study's numbers for other programs: stored units, full precision, ASCII minus, empty where there
// is no number. An ablation has a line per arm, a search or grid a line per trial.
func CSV(w io.Writer, s *reports.Snapshot) error { return View{}.CSV(w, s) }

// CSV is CSV of the view: further metrics are lines of their own, what is grouped by has a column. By level, designs
// that cross factors have a line per level.
func (v View) CSV(w io.Writer, s *reports.Snapshot) error {
	rows := v.armLines
	switch {
	case v.By == ByLevel && crossed(s, &s.Blocks[0]):
		rows = v.levelLines
	case s.Search != nil:
		rows = v.trialLines
	}
	return writeCSV(w, rows(s))
}

func writeCSV(w io.Writer, rows [][]string) error {
	c := csv.NewWriter(w)
	for _, r := range rows {
		if err := c.Write(r); err != nil {
			return fmt.Errorf("write CSV table: %w", err)
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return fmt.Errorf("write CSV table: %w", err)
	}
	return nil
}

// howHead and howFields are the footnote, which has its place in every line.
var howHead = []string{"design", "replicates", "margin", "hardware", "version", "commit", "data_sha256"}

func howFields(s *reports.Snapshot, b *reports.Block) []string {
	h := s.How(b)
	hash := ""
	for _, d := range h.Data {
		if d.Name == b.Data {
			hash = d.Hash
		}
	}
	return []string{Safe(h.Design), Safe(h.Replicates), num(b.Margin), Safe(h.Hardware), Safe(h.Version), Safe(h.Commit), Safe(hash)}
}

// armLines have the objective of each arm, and further metrics under it.
func (v View) armLines(s *reports.Snapshot) [][]string {
	if v.By == ByClass {
		v.Metrics = classKeys(s)
	}
	level := "95"
	if len(s.Blocks) > 0 {
		level = levelName(&s.Blocks[0])
	}
	head := []string{"data", "arm", "change", "metric", "n", "mean", "sd", "pairs", "effect", "low" + level, "high" + level, "p", "p_corrected", "verdict",
		"top", "mark", "test", "correction", "comparisons"}
	if v.By == ByFactor {
		head = append(head, "factor")
	}
	blocks := slices.Clone(s.Blocks)
	if v.By == ByData {
		if pooled, why := s.Pooled(); why == "" {
			blocks = append(blocks, pooled)
		}
	}
	params := v.lineParameters(s, blocks)
	for _, n := range params {
		head = append(head, Safe(n))
	}
	rows := [][]string{append(head, howHead...)}
	for bi := range blocks {
		b := &blocks[bi]
		further := s.Further(b, v.Metrics, v.measure())
		how := howFields(s, b)
		for i, a := range b.Arms {
			rest := slices.Clone(how)
			for _, n := range slices.Backward(params) {
				rest = append([]string{Value(a.Params, n)}, rest...)
			}
			if v.By == ByFactor {
				rest = append([]string{Safe(ascii(factorsOf(a)))}, rest...)
			}
			rows = append(rows, append(armLine(s, b, i), rest...))
			for _, f := range further {
				rows = append(rows, append(furtherLine(b, i, f), rest...))
			}
		}
	}
	if v.By == ByData {
		rows = append(rows, acrossLines(s, len(rows[0]))...)
	}
	return rows
}

// acrossLines have the interquartile means over all data sets, filled up to so many fields.
func acrossLines(s *reports.Snapshot, fields int) [][]string {
	var rows [][]string
	names := armNames(s, s.Blocks)
	across := acrossSets(s, names)
	for _, n := range names {
		a, ok := across[n]
		if !ok {
			continue
		}
		r := []string{fmt.Sprintf("IQM of %d", a.Sets), Safe(n), "", Safe(s.Metric.Key), number(a.Runs), num(a.Variant.Value), "", number(a.Runs),
			num(a.Difference.Value), num(a.Difference.Low), num(a.Difference.High), "", "", "", "", "", "bootstrap", "none", ""}
		rows = append(rows, append(r, make([]string, fields-len(r))...))
	}
	return rows
}

// lineParameters are the parameters that have a column.
func (v View) lineParameters(s *reports.Snapshot, blocks []reports.Block) []string {
	if !v.configured() {
		return nil
	}
	var ps []trials.Params
	for _, b := range blocks {
		for _, a := range b.Arms {
			ps = append(ps, a.Params)
		}
	}
	return slices.DeleteFunc(parameterNames(s, ps), func(n string) bool { return v.By != ByConfig && !differ(ps, n) })
}

func armLine(s *reports.Snapshot, b *reports.Block, i int) []string {
	a := b.Arms[i]
	r := []string{Safe(b.Data), Safe(a.Name), Safe(ascii(changeWords(a.Changes))), Safe(s.Metric.Key), number(len(a.Scores)), num(a.Mean), num(a.SD)}
	top := strconv.FormatBool(b.IsTop(i))
	e, ok := b.Effect(a.Name)
	if !ok {
		verdict := ""
		if a.Reference {
			verdict = "reference"
		}
		return append(r, "", "", "", "", "", "", verdict, top, "", "", "", "")
	}
	test, correction, comparisons := string(e.Method), s.Correction(b), number(e.Comparisons)
	if math.IsNaN(e.P) {
		test, correction, comparisons = "", "", ""
	}
	return append(r, number(e.N), num(e.Mean), num(e.Low), num(e.High), num(e.P), num(e.PHolm), string(e.Verdict), top, ascii(mark(e)), test, correction, comparisons)
}

// furtherLine has a metric beside the objective: an effect with its own interval, without correction or verdict.
func furtherLine(b *reports.Block, i int, f reports.Further) []string {
	a, x := b.Arms[i], f.Arms[i]
	r := []string{Safe(b.Data), Safe(a.Name), Safe(ascii(changeWords(a.Changes))), Safe(f.Metric.Key), number(x.N), num(x.Mean), num(x.SD)}
	if x.Effect == nil {
		return append(r, "", "", "", "", "", "", "", "", "", "", "", "")
	}
	return append(r, number(x.Effect.N), num(x.Effect.Mean), num(x.Effect.Low), num(x.Effect.High), num(x.Effect.P), "", "", "", "", string(x.Effect.Method), "none", "")
}

// trialLines have the trials of a search.
func (v View) trialLines(s *reports.Snapshot) [][]string {
	head := []string{"trial", "state", "class", "seed", "epochs", s.Metric.Key}
	for _, k := range v.Metrics {
		head = append(head, Safe(k))
	}
	names := v.trialParameters(s)
	for _, n := range names {
		head = append(head, Safe(n))
	}
	rows := [][]string{head}
	for _, t := range s.Trials {
		x := ""
		if len(t.Values) > 0 {
			x = num(t.Values[0])
		}
		r := []string{number(t.Number), strings.ToLower(t.State.String()), Safe(t.Text(trials.AttrClass)), seed(t), epochs(t), x}
		for _, k := range v.Metrics {
			y, ok := v.measure()(t, k)
			if !ok {
				y = math.NaN()
			}
			r = append(r, num(y))
		}
		for _, n := range names {
			r = append(r, Value(t.Params, n))
		}
		rows = append(rows, r)
	}
	return rows
}

func (v View) trialParameters(s *reports.Snapshot) []string {
	var names []string
	for _, p := range s.Search.Space {
		names = append(names, p.Name)
	}
	var ps []trials.Params
	for _, t := range s.Trials {
		ps = append(ps, t.Params)
	}
	if v.By == ByConfig {
		names = parameterNames(s, ps)
	}
	if v.OnlyChanged && len(ps) > 0 {
		names = slices.DeleteFunc(names, func(n string) bool { return !differ(ps, n) })
	}
	return names
}

// Value is a parameter as programs read it.
func Value(p trials.Params, name string) string {
	x, ok := p[name]
	if !ok {
		return ""
	}
	if f, isNumber := trials.Number(x); isNumber {
		return num(f)
	}
	return Safe(trials.FormatValue(x))
}

// levelLines have the means of levels.
func (v View) levelLines(s *reports.Snapshot) [][]string {
	rows := [][]string{append([]string{"data", "factor", "level", "metric", "n", "mean", "sd"}, howHead...)}
	for i := range s.Blocks {
		b := &s.Blocks[i]
		how := howFields(s, b)
		for _, m := range v.Marginals(s, i) {
			lead := []string{Safe(b.Data), Safe(m.Factor), Value(trials.Params{m.Factor: m.Level}, m.Factor)}
			line := func(metric string, n int, mean, sd float64) {
				rows = append(rows, append(append(slices.Clone(lead), Safe(metric), number(n), num(mean), num(sd)), how...))
			}
			line(s.Metric.Key, m.N, m.Mean, m.SD)
			for k, f := range m.Further {
				line(v.Metrics[k], f.N, f.Mean, f.SD)
			}
		}
	}
	return rows
}

func num(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 12, 64)
}

// Safe keeps a spreadsheet from reading a name as a formula.
func Safe(t string) string {
	t = clean(t)
	if t != "" && strings.ContainsRune("=+-@|", rune(t[0])) {
		return "'" + t
	}
	return t
}

func ascii(t string) string {
	return strings.NewReplacer("→", "->", "−", "-", "±", "+/-", "≈", "~", "×", "x").Replace(t)
}
