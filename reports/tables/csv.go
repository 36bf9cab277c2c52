package tables

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/trials"
)

// CSV writes the study's numbers for other programs: stored units, full precision, ASCII minus, empty where there
// is no number. An ablation has a line per arm, a search or grid a line per trial.
func CSV(w io.Writer, s *reports.Snapshot) error {
	c := csv.NewWriter(w)
	rows := ablationRows
	if s.Search != nil {
		rows = searchRows
	}
	for _, r := range rows(s) {
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

func ablationRows(s *reports.Snapshot) [][]string {
	rows := [][]string{{"data", "arm", "change", "metric", "n", "mean", "sd", "pairs", "effect", "low95", "high95", "p", "p_holm", "verdict", "best"}}
	for bi := range s.Blocks {
		b := &s.Blocks[bi]
		for i, a := range b.Arms {
			e, ok := b.Effect(a.Name)
			r := []string{safe(b.Data), safe(a.Name), safe(ascii(changeWords(a.Changes))), safe(s.Metric.Key),
				strconv.Itoa(len(a.Scores)), num(a.Mean), num(a.SD)}
			if ok {
				r = append(r, strconv.Itoa(e.N), num(e.Mean), num(e.Low), num(e.High), num(e.P), num(e.PHolm), string(e.Verdict))
			} else {
				r = append(r, "", "", "", "", "", "", "reference")
			}
			rows = append(rows, append(r, strconv.FormatBool(b.IsTop(i))))
		}
	}
	return rows
}

func searchRows(s *reports.Snapshot) [][]string {
	head := []string{"trial", "state", "class", "seed", "epochs", s.Metric.Key}
	for _, p := range s.Search.Space {
		head = append(head, safe(p.Name))
	}
	rows := [][]string{head}
	for _, t := range s.Trials {
		v := ""
		if len(t.Values) > 0 {
			v = num(t.Values[0])
		}
		r := []string{strconv.Itoa(t.Number), strings.ToLower(t.State.String()), safe(t.Text(trials.AttrClass)), seed(t), epochs(t), v}
		for _, p := range s.Search.Space {
			x, ok := t.Params[p.Name]
			switch {
			case !ok:
				r = append(r, "")
			default:
				if f, isNumber := trials.Number(x); isNumber {
					r = append(r, num(f))
				} else {
					r = append(r, safe(trials.FormatValue(x)))
				}
			}
		}
		rows = append(rows, r)
	}
	return rows
}

func num(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 12, 64)
}

// safe keeps a spreadsheet from reading a name as a formula.
func safe(t string) string {
	t = clean(t)
	if t != "" && strings.ContainsRune("=+-@|", rune(t[0])) {
		return "'" + t
	}
	return t
}

func ascii(t string) string {
	return strings.NewReplacer("→", "->", "−", "-", "±", "+/-").Replace(t)
}
