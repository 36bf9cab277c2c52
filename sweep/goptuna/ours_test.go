package goptuna_test

import (
	"strings"
	"testing"

	upstream "github.com/c-bata/goptuna"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/trials"
)

// never is a pruner that lets all trials run.
type never struct{}

func (never) Prune(sweep.History, trials.Trial) (bool, error) { return false, nil }

// value is best at x = 0.7 and choice b.
func value(p trials.Params) float64 {
	x, _ := trials.Number(p["x"])
	k, _ := trials.Number(p["k"])
	v := (x-0.7)*(x-0.7) + k/100
	if p["c"] != "b" {
		v += 0.3
	}
	return v
}

// TestRelativeSampler: in a goptuna.Study, through goptuna's own Optimize or the driver, a sampler of ours proposes what
// it proposes when it is asked directly.
func TestRelativeSampler(t *testing.T) {
	distributions, err := goptuna.Distributions(threeSpace)
	if err != nil {
		t.Fatal(err)
	}
	space := trials.Space{threeSpace[2], threeSpace[1], threeSpace[0]} // goptuna's order is by name
	h := sweep.History{Space: space, Direction: trials.Maximize, Metric: goptuna.Objective, Fixed: trials.Params{}}
	s := make1(t, goptuna.TPE, space, 40)
	var want []string
	for i := range 40 {
		sg, err := s.Suggest(t.Context(), h, sweep.Rand(7, i, 0))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, sg.Params.Key())
		tr := sweeptest.Trial(i, sg)
		tr.Values = []float64{-value(sg.Params)}
		h = sweeptest.Add(h, tr)
	}
	options := func() []upstream.StudyOption {
		return []upstream.StudyOption{upstream.StudyOptionDirection(upstream.StudyDirectionMaximize), upstream.StudyOptionDefineSearchSpace(distributions),
			upstream.StudyOptionRelativeSampler(goptuna.RelativeSampler(make1(t, goptuna.TPE, space, 40), 7))}
	}
	var theirs, driven []string
	err = study(t, options()...).Optimize(func(tr upstream.Trial) (float64, error) {
		x, _ := tr.SuggestFloat("x", 0, 1)
		k, _ := tr.SuggestStepInt("k", 0, 6, 2)
		c, err := tr.SuggestCategorical("c", []string{"a", "b", "c"})
		p := trials.Params{"x": x, "k": int64(k), "c": c}
		theirs = append(theirs, p.Key())
		return -value(p), err
	}, 40)
	if err != nil {
		t.Fatal(err)
	}
	d := driver(t, study(t, options()...), threeSpace)
	for range 40 {
		if err := d.Run(func(a goptuna.Asked) (float64, error) {
			driven = append(driven, a.Params.Key())
			return -value(a.Params), nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for i, w := range want {
		if theirs[i] != w || driven[i] != w {
			t.Fatalf("trial %d: %s, with Optimize %s, with the driver %s", i, w, theirs[i], driven[i])
		}
	}
}

// above is a pruner that stops a trial at the second epoch if its objective lies above a bound.
type above float64

func (a above) Prune(h sweep.History, t trials.Trial) (bool, error) {
	n := len(t.Measurements)
	return n >= 2 && t.Measurements[n-1].Metrics[h.Metric] > float64(a), nil
}

// TestPruner: a pruner of ours judges the trials of a goptuna.Study as it judges ours.
func TestPruner(t *testing.T) {
	s := study(t, upstream.StudyOptionPruner(goptuna.Pruner(above(6))))
	d := driver(t, s, threeSpace)
	for n, level := range []float64{1, 2, 3, 4, 5, 9, 0} {
		_ = d.Run(func(a goptuna.Asked) (float64, error) {
			for step := range 8 {
				stop, err := d.Report(a.ID, step, level)
				if err != nil {
					t.Fatal(err)
				}
				if stop {
					return 0, upstream.ErrTrialPruned
				}
			}
			return level, nil
		})
		tr := trialsOf(t, s)[n]
		if pruned := tr.State == upstream.TrialStatePruned; pruned != (level == 9) {
			t.Errorf("trial %d at %v: %v", n, level, tr.State)
		}
	}
}

// TestDistributionsRefused: what goptuna cannot say is refused in words.
func TestDistributionsRefused(t *testing.T) {
	for want, p := range map[string]trials.Param{
		"logarithmic int":  {Name: "p", Kind: trials.Int, Low: 1, High: 8, Log: true},
		"no text":          {Name: "p", Kind: trials.Categorical, Choices: []any{"a", int64(1)}},
		"no conditional":   {Name: "p", Kind: trials.Float, High: 1, Requires: trials.Params{"q": true}},
		"low 2 is above":   {Name: "p", Kind: trials.Float, Low: 2, High: 1},
		"the choice none,": {Name: "p", Kind: trials.Categorical, Choices: []any{nil}},
	} {
		if _, err := goptuna.Distributions(trials.Space{p}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", p, err, want)
		}
		if _, err := goptuna.NewDriver(study(t), trials.Space{p}); err == nil {
			t.Errorf("a driver over %+v", p)
		}
	}
	if _, err := goptuna.NewDriver(study(t), nil); err == nil {
		t.Error("a driver over nothing")
	}
}

// TestDriverTogether: several goroutines share a study (run with -race).
func TestDriverTogether(t *testing.T) {
	s := study(t, upstream.StudyOptionRelativeSampler(goptuna.RelativeSampler(make1(t, goptuna.CMAES, threeSpace, 60), 1)))
	d := driver(t, s, threeSpace)
	done := make(chan error)
	for range 4 {
		go func() {
			var err error
			for range 15 {
				if e := d.Run(func(a goptuna.Asked) (float64, error) {
					_, err := d.Report(a.ID, 0, value(a.Params))
					return value(a.Params), err
				}); e != nil {
					err = e
				}
			}
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for i, tr := range trialsOf(t, s) {
		if tr.Number != i || tr.State != upstream.TrialStateComplete || len(tr.Params) != 3 {
			t.Errorf("trial %d: %v with %d parameters", tr.Number, tr.State, len(tr.Params))
		}
	}
}
