package tables

import (
	"math"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
)

// The marks behind an effect.
const (
	markClear      = "*"   // better or worse at the study's level
	markClearer    = "**"  // p below 0.01
	markClearest   = "***" // p below 0.001
	markEquivalent = "≈"   // inside the margin
)

// mark is the mark of an effect's verdict; an effect without an interval has none.
func mark(e reports.Effect) string {
	if math.IsNaN(e.Low) || math.IsNaN(e.High) || math.IsInf(e.Low, 0) || math.IsInf(e.High, 0) {
		return ""
	}
	switch e.Verdict {
	case inference.Equivalent:
		return markEquivalent
	case inference.Better, inference.Worse:
		switch p := math.Round(1000*e.PHolm) / 1000; { // as it is written
		case e.PHolm < 0.001:
			return markClearest
		case p < 0.01:
			return markClearer
		}
		return markClear
	}
	return ""
}

// marksNote explains the marks that a block's effects have; "" without any.
func marksNote(s *reports.Snapshot, b *reports.Block) string {
	used := map[string]bool{}
	for _, e := range b.Effects {
		used[mark(e)] = true
	}
	var parts []string
	if used[markClear] || used[markClearer] || used[markClearest] {
		level := reports.Number(s.Spec.Rules.Level(), 2)
		if l := s.Spec.Rules.Level(); l < 0.01 || l != math.Round(100*l)/100 {
			level = reports.Number(l, 4)
		}
		parts = append(parts, "* p < "+level)
		if used[markClearer] {
			parts = append(parts, "** p < 0.01")
		}
		if used[markClearest] {
			parts = append(parts, "*** p < 0.001")
		}
		parts[len(parts)-1] += ", after correction"
	}
	if used[markEquivalent] {
		parts = append(parts, "≈ equivalent: within ±"+s.MarginText(b))
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, "; ") + "."
}

// verdictWords is a verdict for people: why a sequence ended without one is told under the table.
func verdictWords(v inference.Verdict) string {
	switch v {
	case inference.Futile, inference.OutOfBudget:
		return "not settled"
	}
	return string(v)
}
