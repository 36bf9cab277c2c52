package sweep_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/memory"
)

// TestWarmStartForeign: a study without a study file, as one of Optuna's, is held against a search by all of its objectives.
func TestWarmStartForeign(t *testing.T) {
	store := memory.New()
	for _, st := range []trials.Study{
		{Name: "two", Directions: []trials.Direction{trials.Maximize, trials.Minimize}, Objective: "score", Metrics: []string{"score", "cost"}},
		{Name: "one", Directions: []trials.Direction{trials.Maximize}, Objective: "score"},
	} {
		if _, err := store.CreateStudy(t.Context(), st); err != nil {
			t.Fatal(err)
		}
	}
	both := studies.Objective{Metric: "score", Direction: trials.Maximize, Also: []trials.Goal{{Metric: "cost", Direction: trials.Minimize}}}
	alone := studies.Objective{Metric: "score", Direction: trials.Maximize}
	for _, c := range []struct {
		from string
		obj  studies.Objective
		says string // "": it can start from there
	}{
		{"two", both, ""},
		{"one", alone, ""},
		{"two", alone, `study "two" is scored by score (maximize) and cost (minimize), and this one by score (maximize)`},
		{"one", both, `study "one" is scored by score (maximize), and`},
		{"none", alone, "no such study"},
	} {
		spec := studies.Spec{Name: "new", Objective: c.obj, Search: &studies.Search{WarmStart: []string{c.from}}}
		warm, err := sweep.WarmStart(t.Context(), store, spec)
		switch {
		case c.says == "" && (err != nil || len(warm) != 1):
			t.Errorf("from %s: %v, %v", c.from, warm, err)
		case c.says != "" && (!errors.Is(err, sweep.ErrInvalid) || !strings.Contains(err.Error(), c.says)):
			t.Errorf("from %s: %v, want %q", c.from, err, c.says)
		}
	}
}
