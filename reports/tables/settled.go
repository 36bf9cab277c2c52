package tables

import (
	"fmt"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/inference"
)

// settledNotes say how to read the rows of a study until settled, and why some are not settled.
func settledNotes(s *reports.Snapshot, b *reports.Block) []string {
	n := []string{fmt.Sprintf("Mean ± standard deviation over all seeds of a row. %s Effects: differences to %s, %s, as of the look that "+
		"settled the row; p values are corrected for looks and variants.", s.Rule(), referenceWords(b), pairing(b))}
	if slices.ContainsFunc(b.Effects, func(e reports.Effect) bool { return e.Correction == inference.ByEBH }) {
		n = append(n, fmt.Sprintf("Verdicts better and worse are by e-BH: of all such verdicts at most %.6g %% are false, on average, and of their intervals as few miss the effect; the other rows' intervals hold together.", 100*s.Spec.Rules.Level()))
	}
	open := func(v inference.Verdict) bool { return v == reports.NotSettled || v == inference.Unsettled }
	for _, why := range reasons(b, "Not settled", open, math.MaxInt) {
		n = append(n, why+" It does not mean that there is no effect.")
	}
	n = append(n, untestedNotes(b, math.MaxInt)...)
	if t := marksNote(s, b); t != "" {
		n = append(n, t)
	}
	if len(b.Top) > 0 {
		n = append(n, bestNote)
	}
	return n
}
