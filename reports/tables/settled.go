package tables

import (
	"fmt"
	"math"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
)

// settledNotes say how to read the rows of a study until settled, and why some are not settled.
func settledNotes(s *reports.Snapshot, b *reports.Block) []string {
	n := []string{fmt.Sprintf("Mean ± standard deviation over all seeds of a row. %s Effects: differences to %s, paired by seed, as of the look that "+
		"settled the row; p values are corrected for looks and variants.", s.Rule(), referenceWords(b))}
	var reasons []string
	labels := map[string][]string{}
	for _, e := range b.Effects {
		if e.Verdict != reports.NotSettled && e.Verdict != inference.Unsettled {
			continue
		}
		why := e.Reason
		if needs := e.Needs(); needs != "" {
			why += "; it " + needs
		}
		if labels[why] == nil {
			reasons = append(reasons, why)
		}
		labels[why] = append(labels[why], e.Label)
	}
	for _, why := range reasons {
		names := strings.Join(labels[why], "; ")
		if len(labels[why]) > named {
			names = reports.Count(len(labels[why]), "variant")
		}
		n = append(n, fmt.Sprintf("Not settled: %s (%s). It does not mean that there is no effect.", names, why))
	}
	n = append(n, untestedNotes(b, math.MaxInt)...)
	if t := marksNote(s, b); t != "" {
		n = append(n, t)
	}
	return n
}
