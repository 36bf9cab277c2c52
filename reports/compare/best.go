package compare

import (
	"github.com/mapsweep/mapsweep/reports"
)

// Best are the best configurations of two searches. Each was chosen by the score that it is quoted with: there is no
// test of their difference.
type Best struct {
	A, B  *reports.Candidate // nil: no trial is complete
	Names []string           // parameters of either, those of A's space first
}

func best(a, b *reports.Snapshot) *Best {
	out := &Best{}
	seen := map[string]bool{}
	for _, s := range []*reports.Snapshot{a, b} {
		for _, p := range s.Search.Space {
			if !seen[p.Name] {
				seen[p.Name] = true
				out.Names = append(out.Names, p.Name)
			}
		}
	}
	if cs := a.Search.Candidates; len(cs) > 0 {
		out.A = &cs[0]
	}
	if cs := b.Search.Candidates; len(cs) > 0 {
		out.B = &cs[0]
	}
	return out
}
