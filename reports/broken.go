package reports

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trials"
)

// Broken says which constraints a trial broke, and by how much in the metric's stored unit: "time/image at most 0.009: broken by 0.002".
// Constraints of other programs have no names; they are numbered from 1.
func (s *Snapshot) Broken(t trials.Trial) []string {
	var out []string
	named := len(s.Spec.Constraints) == len(t.Constraints)
	for i, off := range t.Constraints {
		if off <= 0 {
			continue
		}
		name := fmt.Sprintf("constraint %d", i+1)
		if named {
			name = s.Spec.Constraints[i].String()
		}
		out = append(out, fmt.Sprintf("%s: broken by %.3g", name, off))
	}
	return out
}
