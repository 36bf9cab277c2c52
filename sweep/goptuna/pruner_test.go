package goptuna_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	upstream "github.com/c-bata/goptuna"
	"github.com/c-bata/goptuna/medianstopping"
	"github.com/c-bata/goptuna/successivehalving"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/sweep/prune"
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

// TestHalvingOptions: the first rung and the factor can be set, and nothing else.
func TestHalvingOptions(t *testing.T) {
	for _, c := range []struct {
		options trials.Params
		says    string
	}{
		{trials.Params{"min_epochs": int64(2), "reduction_factor": int64(3)}, ""},
		{trials.Params{"min_epochs": int64(0)}, "option min_epochs: 0 is not a whole number from 1 to 1073741824"},
		{trials.Params{"reduction_factor": 2.5}, "option reduction_factor: 2.5 is not a whole number from 2 to 1073741824"},
		{trials.Params{"percentile": 25.0}, "option percentile: there is none of that name; there are min_epochs, reduction_factor"},
	} {
		_, err := goptuna.SuccessiveHalving(sweep.PrunerConfig{Epochs: 16, Options: c.options})
		if got := fmt.Sprint(err); err == nil && c.says != "" || err != nil && got != c.says {
			t.Errorf("%v: %v, want %q", c.options, err, c.says)
		}
	}
	pr, err := goptuna.SuccessiveHalving(sweep.PrunerConfig{Epochs: 16, Options: trials.Params{"min_epochs": int64(2), "reduction_factor": int64(2)}})
	if err != nil {
		t.Fatal(err)
	}
	h := sweeptest.Add(sweeptest.Empty(quadraticSpace, trials.Minimize), sweeptest.Trial(0, trials.Suggestion{}, 0.5, 0.5, 0.5, 0.5))
	for _, c := range []struct {
		values []float64
		want   bool
	}{{[]float64{0.9}, false}, {[]float64{0.9, 0.9}, true}, {[]float64{0.4, 0.4, 0.9}, false}, {[]float64{0.4, 0.4, 0.9, 0.9}, true}} {
		tr := sweeptest.Trial(9, trials.Suggestion{}, c.values...)
		tr.State = trials.Running
		if got, err := pr.Prune(h, tr); err != nil || got != c.want {
			t.Errorf("values %v: pruned %v, %v; want %v", c.values, got, err, c.want)
		}
	}
}

// TestMedianIsGoptunas: our median pruner, which took the place of goptuna's under its name, stops the same trials at the same
// epochs: goptuna minimises, our history has the values with their signs turned, too.
func TestMedianIsGoptunas(t *testing.T) {
	const n, epochs, warmUp = 60, 12, 2
	rng := rand.New(rand.NewPCG(5, 5))
	curves := make([][]float64, n)
	for i := range curves {
		level := rng.NormFloat64()
		for e := range epochs {
			curves[i] = append(curves[i], level-0.1*float64(e)+0.3*rng.NormFloat64())
		}
	}
	m := medianstopping.NewMedianPruner()
	m.NWarmUpSteps = warmUp
	var want []int // epoch at which goptuna stops each trial, 0: none
	_ = study(t, upstream.StudyOptionPruner(m)).Optimize(func(tr upstream.Trial) (float64, error) {
		i := len(want)
		want = append(want, 0)
		for e, v := range curves[i] {
			if err := tr.ShouldPrune(e+1, v); err != nil {
				want[i] = e + 1
				return 0, err
			}
		}
		return curves[i][epochs-1], nil
	}, n)
	stopped := 0
	for _, d := range []trials.Direction{trials.Minimize, trials.Maximize} {
		p, err := prune.Median(sweep.PrunerConfig{Epochs: epochs, Options: trials.Params{"warm_up": int64(warmUp)}})
		if err != nil {
			t.Fatal(err)
		}
		h := sweeptest.Empty(nil, d)
		for i, curve := range curves {
			var values []float64
			at := 0
			for e, v := range curve {
				if d == trials.Maximize {
					v = -v
				}
				values = append(values, v)
				tr := sweeptest.Trial(i, trials.Suggestion{}, values...)
				tr.State, tr.Values = trials.Running, nil
				stop, err := p.Prune(sweeptest.Add(h, tr), tr)
				if err != nil {
					t.Fatal(err)
				}
				if stop {
					at = e + 1
					stopped++
					break
				}
			}
			if at != want[i] {
				t.Errorf("%s, trial %d: stopped at epoch %d, goptuna at %d", d, i, at, want[i])
			}
			tr := sweeptest.Trial(i, trials.Suggestion{}, values...)
			if at > 0 {
				tr.State = trials.Pruned
			}
			h = sweeptest.Add(h, tr)
		}
	}
	if stopped == 0 || stopped == 2*n {
		t.Errorf("%d of %d trials were stopped: nothing was compared", stopped, 2*n)
	}
}
