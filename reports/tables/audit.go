package tables

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// Audit is the table of an audit: each knob with its verdict in the trainer as its authors publish it and as the
// study runs it, and where its first difference shows. Reasons and remedies stand under it.
func Audit(a trials.Audit) Table {
	t := Table{Name: "audit", Title: "Knobs", Columns: []Column{{Title: "knob"}, {Title: "levels"}}}
	official, data := false, map[string]bool{}
	for _, r := range a.Rows {
		official = official || r.Official != nil
		data[r.Data] = true
	}
	if len(data) > 1 {
		t.Columns = append(t.Columns, Column{Title: "data"})
	}
	name := "verdict"
	if official {
		t.Columns = append(t.Columns, Column{Title: "official"})
		name = "with mapsweep"
	}
	t.Columns = append(t.Columns, Column{Title: name}, Column{Title: "first differs in"})
	for _, r := range a.Rows {
		row := []Cell{cell(r.Knob), label(levels(r.Levels))}
		if len(data) > 1 {
			row = append(row, label(r.Data))
		}
		if official {
			row = append(row, liveness(r.Official))
		}
		t.Rows = append(t.Rows, append(row, liveness(r.Run), cell(place(r))))
		t.Notes = append(t.Notes, auditNotes(r, len(data) > 1)...)
	}
	if a.Steps > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("From %d steps of each configuration, all else equal.", a.Steps))
	} else if len(a.Rows) > 0 {
		t.Notes = append(t.Notes, "From knowledge of the trainer's code; no step was run.")
	}
	for _, n := range a.Notes {
		t.Notes = append(t.Notes, "Mind: "+n+".")
	}
	return t
}

func levels(vs []any) string {
	words := make([]string, len(vs))
	for i, v := range vs {
		words[i] = trials.FormatValue(v)
		if x, ok := v.(float64); ok && x != math.Trunc(x) {
			words[i] = strconv.FormatFloat(x, 'g', 5, 64)
		}
	}
	return strings.Join(words, ", ")
}

// liveness is a verdict; a level that could not be run is told beside it.
func liveness(l *trials.Liveness) Cell {
	switch {
	case l == nil:
		return Cell{}
	case l.Verdict == "":
		return Cell{Text: "no verdict", Tone: Open}
	case l.Dead:
		return Cell{Text: l.Verdict, Tone: Worse}
	}
	return cell(l.Verdict)
}

// place is where the first difference shows, as the study runs it or else in the trainer as published.
func place(r trials.Audited) string {
	for _, l := range []*trials.Liveness{r.Run, r.Official} {
		if l != nil && l.Channel != "" && l.Step == trials.AuditEnd {
			return l.Channel + ", last epoch"
		}
		if l != nil && l.Channel != "" {
			return fmt.Sprintf("%s, step %d", l.Channel, l.Step)
		}
	}
	return ""
}

// auditNotes say why, and what can be done, once where both modes say the same.
func auditNotes(r trials.Audited, data bool) []string {
	name := r.Knob
	if data && r.Data != "" {
		name += " on " + r.Data
	}
	run, official := livenessWords(r.Run), livenessWords(r.Official)
	var n []string
	switch {
	case run == official && run != "":
		n = append(n, name+": "+run)
	default:
		if official != "" {
			n = append(n, name+", official: "+official)
		}
		if run != "" && r.Official != nil {
			n = append(n, name+", with mapsweep: "+run)
		} else if run != "" {
			n = append(n, name+": "+run)
		}
	}
	return n
}

func livenessWords(l *trials.Liveness) string {
	if l == nil {
		return ""
	}
	var parts []string
	for _, p := range []string{l.Fault, l.Reason} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if l.Remedy != "" {
		parts = append(parts, "to make it matter: "+l.Remedy)
	}
	if len(parts) == 0 {
		return ""
	}
	text := strings.Join(parts, "; ")
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
