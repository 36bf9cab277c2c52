package sweep_test

import (
	"encoding/json"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// TestEpochsAhead: a trial that runs will use the epochs that it has not trained yet. One that continues another has that one's
// behind it.
func TestEpochsAhead(t *testing.T) {
	spec := studies.Spec{Design: studies.DesignSearch}
	spec.Trainer.Epochs = 8
	trial := func(state trials.State, first, last int) trials.Trial {
		tr := trials.Trial{State: state, Attempts: []trials.Attempt{{Number: 1}}}
		for e := first; e <= last; e++ {
			tr.Measurements = append(tr.Measurements, trials.Measurement{Epoch: e})
		}
		return tr
	}
	ended, promoted := trial(trials.Pruned, 1, 2), trial(trials.Running, 3, 5)
	begun := trial(trials.Running, 3, 2)
	begun.Number, begun.Attrs = 1, map[string]json.RawMessage{trials.AttrContinues: trials.Attr(0)}
	for _, c := range []struct {
		name   string
		ts     []trials.Trial
		budget int
		over   bool
	}{
		{"5 used, 3 to come, 8 for another", []trials.Trial{ended, promoted}, 16, false},
		{"one too few", []trials.Trial{ended, promoted}, 15, true},
		{"5 used, 3 to come of one that began anew", []trials.Trial{trial(trials.Running, 1, 5)}, 16, false},
		{"2 used, 6 to come of one that has measured nothing yet", []trials.Trial{ended, begun}, 16, false},
		{"one too few of that", []trials.Trial{ended, begun}, 15, true},
		{"nothing measured yet", []trials.Trial{trial(trials.Running, 1, 0)}, 15, true},
	} {
		spec.Budget.Epochs = c.budget
		if got := sweep.Over(spec, c.ts); (got != "") != c.over {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}
