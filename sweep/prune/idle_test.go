package prune_test

import (
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/trials"
)

// TestIdle: settings with which a pruner can stop no trial, and beside each the nearest with which it can.
func TestIdle(t *testing.T) {
	whole := func(name string, n int) trials.Params { return trials.Params{name: int64(n)} }
	for _, c := range []struct {
		pruner         string
		epochs, trials int
		options        trials.Params
		option         string // "" with says: it is idle by itself
		says           string // "": it can stop a trial
	}{
		{"median", 20, 40, nil, "", ""},
		{"median", 1, 40, nil, "", "one epoch"},
		{"median", 0, 40, whole("warm_up", 1000), "", ""}, // nobody knows how long the program trains
		{"median", 20, 40, whole("warm_up", 19), "warm_up", "after epoch 19, and trials have 20"},
		{"median", 20, 40, whole("warm_up", 18), "", ""},
		{"median", 20, 40, whole("startup_trials", 40), "startup_trials", "waits for 40 complete trials, and there are 40"},
		{"median", 20, 40, whole("startup_trials", 39), "", ""},
		{"percentile", 20, 40, whole("min_trials", 40), "min_trials", "waits for 40"},
		{"percentile", 20, 40, trials.Params{"percentile": 100.0}, "", ""}, // who is worse than everybody is stopped
		{"percentile", 20, 1, whole("startup_trials", 0), "", "there is one"},
		{"patient", 20, 40, whole("patience", 18), "patience", "needs 20 epochs"},
		{"patient", 20, 40, whole("patience", 17), "", ""},
		{"patient", 20, 1, nil, "", ""},
		{"patient", 20, 40, trials.Params{"pruner": "median", "warm_up": int64(19)}, "warm_up", "after epoch 19"},
		{"threshold", 20, 40, trials.Params{"lower": 0.1, "warm_up": int64(30)}, "warm_up", "after epoch 30"},
		{"threshold", 20, 1, trials.Params{"lower": 0.1}, "", ""},
		{"wilcoxon", 20, 40, trials.Params{"p_threshold": 0.0}, "p_threshold", "below 0"},
		{"wilcoxon", 20, 40, whole("startup", 20), "startup", "needs 20 epochs"},
		{"wilcoxon", 5, 40, trials.Params{"p_threshold": 0.0625}, "p_threshold", "the smallest p value is 0.0625"},
		{"wilcoxon", 5, 40, trials.Params{"p_threshold": 0.063}, "", ""},
		{"asha", 1, 40, nil, "", "one epoch"},
		{"asha", 2, 40, nil, "", ""},
		{"hyperband", 20, 1, nil, "", "there is one"},
		{"successive-halving", 20, 40, whole("min_epochs", 20), "min_epochs", "after epoch 20"},
		{"successive-halving", 20, 40, whole("min_epochs", 19), "", ""},
	} {
		make := pruners[c.pruner]
		if c.pruner == "successive-halving" {
			make = goptuna.SuccessiveHalving
		}
		cfg := sweep.PrunerConfig{Epochs: c.epochs, Trials: c.trials, Options: c.options}
		p, err := make(cfg)
		if err != nil {
			t.Fatal(err)
		}
		why, option := p.(sweep.Idler).Idle(cfg)
		if option != c.option || (why == "") != (c.says == "") || !strings.Contains(why, c.says) {
			t.Errorf("%s %v, %d trials of %d epochs: %q (option %q), want %q (%q)", c.pruner, c.options, c.trials, c.epochs, why, option, c.says, c.option)
		}
	}
}
