package reports_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/studies/diagnosis"
)

// A study of the official trainer shows what is wrong with it, and one that knows no such metrics shows nothing.
func TestSignals(t *testing.T) {
	s, err := reports.New(fixture.Sick())
	if err != nil {
		t.Fatal(err)
	}
	sum := s.Signals()
	got := map[string]string{}
	for _, g := range sum.Groups {
		if g.State == diagnosis.Problem || g.State == diagnosis.Watch {
			got[g.Rule+" "+string(g.State)] = reports.Sharers(g)
		}
	}
	for rule, want := range map[string]string{
		"gpu problem": "all 10 trials", "loading problem": "all 10 trials", "diverged problem": "1 of 10 trials (7)",
		"warm-up watch": "all 10 trials", "map-gap problem": "6 of 10 trials (0, 2, 3, 5, 8, 9)", "score-fall watch": "2 of 9 trials (1, 6)",
	} {
		if got[rule] != want {
			t.Errorf("%s is in %q, want %q", rule, got[rule], want)
		}
	}
	foreign, err := reports.New(fixture.Foreign(5))
	if err != nil {
		t.Fatal(err)
	}
	if gs := foreign.Signals().Groups; len(gs) > 0 {
		t.Errorf("a study without metrics has signals: %+v", gs)
	}
}

func TestSignalWords(t *testing.T) {
	long := diagnosis.Group{Of: 40, Trials: []int{0, 1, 2, 5, 7, 9, 11, 12, 14, 16}}
	for got, want := range map[string]string{
		reports.Sharers(long): "10 of 40 trials (0 to 2, 5, 7, 9, 11, 12, 14 and 1 more)",
		reports.Sharers(diagnosis.Group{Of: 3, Trials: []int{0, 1, 2}}):                    "all 3 trials",
		reports.Sharers(diagnosis.Group{Of: 1, Trials: []int{4}}):                          "trial 4",
		reports.StateCount(diagnosis.Problem, 1):                                           "1 problem",
		reports.StateCount(diagnosis.Watch, 2):                                             "2 to watch",
		reports.StateCount(diagnosis.Unknown, 3):                                           "3 cannot be judged",
		reports.LeverText(diagnosis.Lever{Knob: "lr0", Now: "0.01", Do: "lower it"}):       "lr0 (now 0.01): lower it",
		reports.LeverText(diagnosis.Lever{Do: "patience: this backend has no such lever"}): "patience: this backend has no such lever",
		reports.Sentence("over 22"):                                                        "Over 22.",
		reports.Sentence("mAP50, epoch 3: 1"):                                              "mAP50, epoch 3: 1.",
		reports.Sentence("train_dual.py has none"):                                         "train_dual.py has none.",
		reports.Sentence("As it is."):                                                      "As it is.",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Losses and times are better when smaller, fitness is read in points, as COCO's scores are.
func TestMetricsOfTrainers(t *testing.T) {
	for key, want := range map[string][2]bool{ // points, minimise
		"val-loss/box": {false, true}, "time/epoch": {false, true}, "fitness": {true, false}, "coco/mAP50-95": {true, false}, "gpu/utilisation": {false, false},
	} {
		m := reports.MetricOf(key)
		if m.Points != want[0] || (m.Direction == "MINIMIZE") != want[1] {
			t.Errorf("%s: %+v", key, m)
		}
	}
}
