package prune_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/sweep/prune"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/trials"
)

// oracle is what testdata/gen.py computed with Optuna 5.0.0 and SciPy 1.17.1.
type oracle struct {
	Cases []struct {
		Pruner, Direction string
		Options           map[string]any
		History           [][]float64
		Running           []float64
		Want              []bool // after each epoch of Running
	}
	Tests []struct {
		D  []float64
		P  float64
		By string
	}
}

func readOracle(t *testing.T) (o oracle) {
	t.Helper()
	b, err := os.ReadFile("testdata/optuna.json")
	if err == nil {
		err = json.Unmarshal(b, &o)
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// pruners by the names of study files.
var pruners = map[string]sweep.NewPruner{"median": prune.Median, "percentile": prune.Percentile, "threshold": prune.Threshold,
	"wilcoxon": prune.Wilcoxon, "successive-halving": goptuna.SuccessiveHalving, "asha": prune.ASHA, "hyperband": prune.Hyperband,
	"patient": prune.Patient(map[string]sweep.NewPruner{"median": prune.Median, "asha": prune.ASHA})}

// TestDecidesAsOptuna: the same decisions as Optuna's pruners at every epoch of random curves.
func TestDecidesAsOptuna(t *testing.T) {
	stops := map[string]int{}
	for i, c := range readOracle(t).Cases {
		p, err := pruners[c.Pruner](sweep.PrunerConfig{Epochs: 12, Options: c.Options})
		if err != nil {
			t.Fatalf("%s %v: %v", c.Pruner, c.Options, err)
		}
		d := trials.Maximize
		if c.Direction == "minimize" {
			d = trials.Minimize
		}
		h := sweeptest.Empty(nil, d)
		for n, values := range c.History {
			h = sweeptest.Add(h, sweeptest.Trial(n, trials.Suggestion{}, values...))
		}
		for n, want := range c.Want {
			tr := sweeptest.Trial(len(c.History), trials.Suggestion{}, c.Running[:n+1]...)
			tr.State, tr.Values = trials.Running, nil
			got, err := p.Prune(sweeptest.Add(h, tr), tr)
			if err != nil || got != want {
				t.Errorf("case %d, %s %v, %s, %d trials, epoch %d: %v (%v), Optuna says %v", i, c.Pruner, c.Options, d, len(c.History), n+1, got, err, want)
			}
			if want {
				stops[c.Pruner]++
			}
		}
	}
	for _, name := range []string{"median", "percentile", "patient", "threshold"} {
		if stops[name] == 0 {
			t.Errorf("Optuna's %s never stops a trial: nothing was compared", name)
		}
	}
}

func TestSignedRank(t *testing.T) {
	for _, c := range readOracle(t).Tests {
		if p := prune.SignedRank(c.D); math.Abs(p-c.P) > 1e-9 {
			t.Errorf("%d differences %v: p = %.12g, %s gives %.12g", len(c.D), c.D, p, c.By, c.P)
		}
	}
	for _, d := range [][]float64{nil, {0}, {0, 0, 0}} {
		if p := prune.SignedRank(d); p != 1 {
			t.Errorf("differences %v: p = %v, want 1", d, p)
		}
	}
}
