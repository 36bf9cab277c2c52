package sweep

import "github.com/mapsweep/mapsweep/trials"

// AgainstPoint says whether a failed trial speaks against its point, as one that diverged or did not fit does, and
// one that was lost, skipped or badly set up does not.
func AgainstPoint(t *trials.Trial) bool {
	if t.State != trials.Fail {
		return false
	}
	switch t.Text(trials.AttrClass) {
	case trials.ClassDiverged, trials.ClassInfeasible, trials.ClassMemory, trials.ClassHostMemory:
		return true
	}
	return false
}
