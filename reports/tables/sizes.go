package tables

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
)

// Sizes is the table of a block's effects in units that do not depend on the metric's; without rows where nothing was
// tested.
func Sizes(s *reports.Snapshot, block int) Table {
	b := &s.Blocks[block]
	level := levelName(b) + " % interval"
	t := Table{Name: "sizes", Title: title(s, b) + ", effect sizes", Columns: []Column{{Title: "change"}, {Title: "chance of being better", Right: true}, {Title: level, Right: true},
		{Title: "standardised effect", Right: true}, {Title: level, Right: true}}}
	few := false
	for _, e := range s.Sorted(b) {
		x, ok := s.Sizes(b, e.Arm)
		if !ok {
			continue
		}
		few = few || e.N < 10
		t.Rows = append(t.Rows, []Cell{label(e.Label), cell(plain(x.Above)), cell(span(x.AboveLow, x.AboveHigh)), cell(signed(x.D)), cell(signedSpan(x.DLow, x.DHigh))})
	}
	if len(t.Rows) > 0 {
		t.Notes = []string{"Chance of being better: that a training of the variant beats one of the reference, with the same seed where seeds pair them. Standardised effect: the effect over the standard deviation of " +
			"differences (Hedges). Intervals are each variant's own, without correction."}
		if few {
			t.Notes = append(t.Notes, "With fewer than ten pairs the bootstrap interval of the chance is too narrow: verdicts follow the t interval, not this.")
		}
	}
	return t
}

func plain(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return reports.Number(x, 2)
}

func signed(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	return reports.Signed(x, 2)
}

func span(low, high float64) string {
	if math.IsNaN(low) || math.IsNaN(high) {
		return ""
	}
	return "[" + reports.Number(low, 2) + ", " + reports.Number(high, 2) + "]"
}

func signedSpan(low, high float64) string {
	if signed(low) == "" || signed(high) == "" {
		return ""
	}
	return "[" + signed(low) + ", " + signed(high) + "]"
}

// holdingNotes say on how many data sets each effect holds, and how arms rank over them.
func holdingNotes(s *reports.Snapshot) []string {
	var n []string
	labels := map[string]string{}
	for _, e := range s.Blocks[0].Effects {
		labels[e.Arm] = e.Label
	}
	var parts []string
	for _, h := range s.HoldsOn() {
		if h.Holds > 0 {
			parts = append(parts, fmt.Sprintf("%s is %s on at least %d of %d", labels[h.Arm], h.Verdict, h.Holds, h.Sets))
		}
	}
	if len(parts) > 0 {
		n = append(n, "Over data sets: "+strings.Join(parts, "; ")+" (partial conjunction, at the study's level shared out among variants and directions).")
	}
	if arms, r, ok := s.Ranked(); ok {
		order := make([]int, len(arms))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(i, j int) int {
			if r.Mean[i] < r.Mean[j] {
				return -1
			} else if r.Mean[i] > r.Mean[j] {
				return 1
			}
			return 0
		})
		var ranks []string
		for _, i := range order {
			ranks = append(ranks, arms[i]+" "+reports.Number(r.Mean[i], 2))
		}
		n = append(n, fmt.Sprintf("Mean ranks over %d data sets: %s. Friedman's test: p %s; ranks that differ by less than %s are not told apart (Nemenyi).",
			r.Sets, strings.Join(ranks, ", "), reports.PValue(r.PF), reports.Number(r.Critical, 2)))
	}
	return n
}
