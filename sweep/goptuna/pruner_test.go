package goptuna_test

import (
	"math"
	"testing"

	upstream "github.com/c-bata/goptuna"
	"github.com/c-bata/goptuna/successivehalving"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/trials"
)

// TestHalvingOncePerRung: in goptuna a trial that has passed a rung is judged there again at each later step.
func TestHalvingOncePerRung(t *testing.T) {
	p, err := successivehalving.NewPruner(successivehalving.OptionMinResource(1), successivehalving.OptionReductionFactor(4))
	if err != nil {
		t.Fatal(err)
	}
	between := 0
	_ = study(t, upstream.StudyOptionPruner(p)).Optimize(func(tr upstream.Trial) (float64, error) {
		if err := tr.ShouldPrune(1, 0.5); err != nil {
			return 0, err
		}
		n, _ := tr.Number()
		if err := tr.ShouldPrune(2, 0.9+float64(n)); err != nil { // rungs are steps 1, 4, 16
			between++
			return 0, err
		}
		return 0.5, nil
	}, 4)
	if between == 0 {
		t.Error("goptuna no longer judges between rungs")
	}
	pr, err := goptuna.SuccessiveHalving(sweep.PrunerConfig{Epochs: 16})
	if err != nil {
		t.Fatal(err)
	}
	h := sweeptest.Empty(quadraticSpace, trials.Minimize)
	for i := range 4 {
		h = sweeptest.Add(h, sweeptest.Trial(i, trials.Suggestion{}, 0.5, 0.5, 0.5, 0.5))
	}
	for _, c := range []struct {
		values []float64
		want   bool
	}{
		{[]float64{0.4}, false}, {[]float64{0.6}, true},
		{[]float64{0.4, 0.9}, false}, {[]float64{0.4, 0.9, 0.9}, false},
		{[]float64{0.4, 0.9, 0.9, 0.9}, true}, {[]float64{0.4, 0.9, 0.9, 0.4}, false},
		{[]float64{0.4, 0.9, 0.9, math.NaN(), 0.9}, true}, // nothing to judge at epoch 4, so at 5
	} {
		tr := sweeptest.Trial(9, trials.Suggestion{}, c.values...)
		tr.State = trials.Running
		if got, err := pr.Prune(h, tr); err != nil || got != c.want {
			t.Errorf("values %v: pruned %v, %v; want %v", c.values, got, err, c.want)
		}
	}
}

// TestHalvingCountsTheTrialOnce: of seven at a rung the second best is not among the best quarter. goptuna's in-memory
// storage counts the judged trial twice, and would let it pass at eight.
func TestHalvingCountsTheTrialOnce(t *testing.T) {
	pr, err := goptuna.SuccessiveHalving(sweep.PrunerConfig{Epochs: 16})
	if err != nil {
		t.Fatal(err)
	}
	h := sweeptest.Empty(quadraticSpace, trials.Minimize)
	for i := range 6 {
		h = sweeptest.Add(h, sweeptest.Trial(i, trials.Suggestion{}, 0.1+0.2*float64(i)))
	}
	tr := sweeptest.Trial(6, trials.Suggestion{}, 0.2)
	tr.State = trials.Running
	h = sweeptest.Add(h, tr)
	if got, err := pr.Prune(h, tr); err != nil || !got {
		t.Errorf("second of seven: pruned %v, %v", got, err)
	}
	h = sweeptest.Add(h, sweeptest.Trial(7, trials.Suggestion{}, 0.9))
	if got, err := pr.Prune(h, tr); err != nil || got {
		t.Errorf("second of eight: pruned %v, %v", got, err)
	}
}

// TestMedian follows the rule by hand: five complete trials, medians by epoch, the first tenth free.
func TestMedian(t *testing.T) {
	pr, err := goptuna.Median(sweep.PrunerConfig{Epochs: 20})
	if err != nil {
		t.Fatal(err)
	}
	h := sweeptest.Empty(quadraticSpace, trials.Maximize)
	for i, v := range []float64{0.1, 0.2, 0.3, 0.4, 0.5} {
		h = sweeptest.Add(h, sweeptest.Trial(i, trials.Suggestion{}, v, v, v, v))
	}
	four := h
	four.Finished = h.Finished[:4]
	for _, c := range []struct {
		name   string
		h      sweep.History
		values []float64
		want   bool
	}{
		{"below the median", h, []float64{0.2, 0.2, 0.2}, true},
		{"at the median", h, []float64{0.3, 0.3, 0.3}, false},
		{"was above it once", h, []float64{0.4, 0.1, 0.1}, false},
		{"within the first tenth", h, []float64{0.2, 0.2}, false},
		{"only four are complete", four, []float64{0.1, 0.1, 0.1}, false},
		{"past every other trial", h, []float64{0.1, 0.1, 0.1, 0.1, 0.1}, false},
	} {
		tr := sweeptest.Trial(9, trials.Suggestion{}, c.values...)
		tr.State = trials.Running
		if got, err := pr.Prune(c.h, tr); err != nil || got != c.want {
			t.Errorf("%s: pruned %v, %v; want %v", c.name, got, err, c.want)
		}
	}
}
