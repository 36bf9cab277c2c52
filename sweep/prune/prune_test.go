package prune_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/prune"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/trials"
)

func TestConformance(t *testing.T) {
	band := func(d trials.Direction) trials.Params {
		if d == trials.Minimize {
			return trials.Params{"upper": -0.11, "warm_up": int64(8)}
		}
		return trials.Params{"lower": 0.11, "warm_up": int64(8)}
	}
	for name, c := range map[string]sweeptest.PrunerCase{
		"median": {}, "percentile": {}, "wilcoxon": {}, "asha": {}, "hyperband": {},
		"threshold": {Options: band, Absolute: true},
	} {
		c.New = pruners[name]
		t.Run(name, func(t *testing.T) { sweeptest.TestPrunerCase(t, c) })
	}
}

// running is a running trial with those values so far.
func running(n int, values ...float64) trials.Trial {
	tr := sweeptest.Trial(n, trials.Suggestion{}, values...)
	tr.State, tr.Values = trials.Running, nil
	return tr
}

// judge makes a pruner for trials of so many epochs.
func judge(t *testing.T, name string, epochs int, options trials.Params) sweep.Pruner {
	t.Helper()
	p, err := pruners[name](sweep.PrunerConfig{Epochs: epochs, Options: options})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestMedian follows the rule by hand: five complete trials, medians by epoch, the first tenth free.
func TestMedian(t *testing.T) {
	pr := judge(t, "median", 20, nil)
	h := sweeptest.Empty(nil, trials.Maximize)
	for i, v := range []float64{0.1, 0.2, 0.3, 0.4, 0.5} {
		h = sweeptest.Add(h, sweeptest.Trial(i, trials.Suggestion{}, v, v, v, v))
	}
	four := h
	four.Finished = h.Finished[:4]
	elsewhere := sweeptest.Add(four, func() trials.Trial {
		tr := sweeptest.Trial(4, trials.Suggestion{}, 0.9, 0.9, 0.9, 0.9)
		tr.Attrs = map[string]json.RawMessage{trials.AttrData: trials.Attr("trees")}
		return tr
	}())
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
		{"only four are complete on its data set", elsewhere, []float64{0.1, 0.1, 0.1}, false},
		{"past every other trial", h, []float64{0.1, 0.1, 0.1, 0.1, 0.1}, false},
		{"not a number now", h, []float64{0.1, 0.1, math.NaN()}, false},
	} {
		if got, err := pr.Prune(c.h, running(9, c.values...)); err != nil || got != c.want {
			t.Errorf("%s: pruned %v, %v; want %v", c.name, got, err, c.want)
		}
	}
}

// TestAlone are the pruners that judge a trial by itself.
func TestAlone(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		pruner  string
		options trials.Params
		values  []float64
		want    bool
	}{
		{"patient", trials.Params{"patience": int64(1)}, []float64{0.5, 0.4, 0.4}, true},
		{"patient", trials.Params{"patience": int64(1)}, []float64{0.5, 0.5, 0.4}, false}, // as good as before within the last two
		{"patient", trials.Params{"patience": int64(2)}, []float64{0.5, 0.4, 0.4}, false},
		{"patient", trials.Params{"patience": int64(1), "min_delta": 0.2}, []float64{0.5, 0.4, 0.4}, false},
		{"patient", trials.Params{"patience": int64(1)}, []float64{0.5, nan, 0.4}, true},
		{"patient", trials.Params{"patience": int64(1), "pruner": "median", "startup_trials": int64(0)}, []float64{0.5, 0.4, 0.4}, false}, // nothing to compare with
		{"threshold", trials.Params{"lower": 0.3}, []float64{0.1}, false},                                                                 // within the first tenth
		{"threshold", trials.Params{"lower": 0.3}, []float64{0.4, 0.2}, true},
		{"threshold", trials.Params{"lower": 0.3}, []float64{0.1, 0.4}, false},
		{"threshold", trials.Params{"upper": 0.3}, []float64{0.4, 0.4}, true},
		{"threshold", trials.Params{"upper": 0.3}, []float64{0.4, nan}, false},
		{"threshold", trials.Params{"upper": 0.3, "nan": "prune"}, []float64{0.1, nan}, true},
		{"threshold", trials.Params{"upper": 0.3}, []float64{0.1, math.Inf(1)}, false},
		{"threshold", trials.Params{"upper": 0.3, "nan": "prune"}, []float64{0.1, math.Inf(1)}, true},
	} {
		if got, err := judge(t, c.pruner, 10, c.options).Prune(sweeptest.Empty(nil, trials.Maximize), running(0, c.values...)); err != nil || got != c.want {
			t.Errorf("%s %v of %v: pruned %v (%v), want %v", c.pruner, c.options, c.values, got, err, c.want)
		}
	}
}

// TestWilcoxon: behind the best trial at every epoch the p value is 1/2^n: below 0.1 from four epochs on.
func TestWilcoxon(t *testing.T) {
	h := sweeptest.Empty(nil, trials.Minimize)
	h = sweeptest.Add(h, sweeptest.Trial(0, trials.Suggestion{}, 9, 8, 7, 6, 5, 4), sweeptest.Trial(1, trials.Suggestion{}, 1, 2, 3, 4, 5, 6))
	for _, c := range []struct {
		options trials.Params
		values  []float64
		want    bool
	}{
		{nil, []float64{9.5, 9, 8.5}, false},    // 1/8
		{nil, []float64{9.5, 9, 8.5, 8}, true},  // 1/16
		{nil, []float64{8.5, 9, 8.5, 8}, false}, // 2/16
		{nil, []float64{2, 3, 4, 5, 6}, false},  // ahead of the best one, if behind the other
		{nil, []float64{9, 8, 7, 6, 5}, false},  // alike
		{trials.Params{"p_threshold": 0.05}, []float64{9.5, 9, 8.5, 8}, false},
		{trials.Params{"startup": int64(5)}, []float64{9.5, 9, 8.5, 8}, false},
		{trials.Params{"startup": int64(5)}, []float64{9.5, 9, 8.5, 8, 8}, true},
	} {
		if got, err := judge(t, "wilcoxon", 6, c.options).Prune(h, running(9, c.values...)); err != nil || got != c.want {
			t.Errorf("%v of %v: pruned %v (%v), want %v", c.options, c.values, got, err, c.want)
		}
	}
}

func TestOptionsRefused(t *testing.T) {
	for _, c := range []struct {
		pruner  string
		options trials.Params
		says    string
	}{
		{"median", trials.Params{"startup": int64(3)}, "option startup: there is none of that name"},
		{"median", trials.Params{"warmup": int64(3)}, "did you mean warm_up?"},
		{"percentile", trials.Params{"percentile": 101.0}, "option percentile: 101 is not a number from 0 to 100"},
		{"percentile", trials.Params{"interval": int64(0)}, "option interval: 0 is not a whole number from 1"},
		{"patient", trials.Params{"patience": -1.0}, "option patience: -1 is not"},
		{"patient", trials.Params{"pruner": "medium"}, "option pruner: medium is not one of asha, median, none"},
		{"patient", trials.Params{"pruner": "asha"}, "asha lets pruned trials go on and cannot be wrapped"},
		{"patient", trials.Params{"warm_up": int64(1)}, "option warm_up: there is none of that name; there are patience, min_delta, pruner"},
		{"patient", trials.Params{"pruner": "median", "warmup": int64(1)}, "pruner median inside patient, which itself has the options patience, min_delta and pruner: option warmup"},
		{"threshold", nil, "option lower or upper is needed"},
		{"threshold", trials.Params{"lower": 1.0, "upper": 0.5}, "option lower is above option upper"},
		{"threshold", trials.Params{"lower": 1.0, "nan": "keep"}, "option nan: keep is not one of ignore, prune"},
		{"wilcoxon", trials.Params{"p_threshold": 1.5}, "option p_threshold: 1.5"},
		{"asha", trials.Params{"reduction_factor": int64(1)}, "option reduction_factor: 1 is not a whole number from 2"},
		{"asha", trials.Params{"min_epochs": int64(16)}, "option min_epochs: 16 is not a whole number from 1 to 15"},
		{"asha", trials.Params{"brackets": int64(2)}, "option brackets: there is none of that name"},
		{"hyperband", trials.Params{"brackets": int64(5)}, "option brackets: 5 is not a whole number from 1 to 4"},
	} {
		_, err := pruners[c.pruner](sweep.PrunerConfig{Epochs: 16, Options: c.options})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %v: %v, want %q", c.pruner, c.options, err, c.says)
		}
	}
	for _, name := range []string{"median", "percentile", "patient", "wilcoxon", "asha", "hyperband"} {
		for _, epochs := range []int{0, 1, 2, 3, 300} {
			if _, err := pruners[name](sweep.PrunerConfig{Epochs: epochs}); err != nil {
				t.Errorf("%s for %d epochs: %v", name, epochs, err)
			}
		}
	}
}

// TestRungs follows ASHA by hand: rungs after 1 and 2 epochs of 4, the better half goes on.
func TestRungs(t *testing.T) {
	p := judge(t, "asha", 4, trials.Params{"min_epochs": int64(1), "reduction_factor": int64(2)})
	h := sweeptest.Empty(nil, trials.Maximize)
	paused := func(n int, values ...float64) trials.Trial {
		tr := running(n, values...)
		tr.State, tr.Key = trials.Pruned, fmt.Sprintf("suggestion-%04d", n)
		return tr
	}
	want := func(says string, tr trials.Trial, stop bool) {
		t.Helper()
		if got, err := p.Prune(sweeptest.Add(h, tr), tr); err != nil || got != stop {
			t.Errorf("%s: pruned %v (%v), want %v", says, got, err, stop)
		}
	}
	promoted := func(says string, n int) {
		t.Helper()
		if got, ok, err := p.(sweep.Promoter).Promote(h); err != nil || ok != (n >= 0) || ok && got != n {
			t.Errorf("%s: promoted %d, %v (%v), want %d", says, got, ok, err, n)
		}
	}
	want("the first one is the best", running(0, 0.5), false)
	h = sweeptest.Add(h, sweeptest.Trial(0, trials.Suggestion{}, 0.5, 0.6, 0.7, 0.8))
	want("second of two", running(1, 0.4), true)
	h = sweeptest.Add(h, paused(1, 0.4))
	promoted("half of two is one, and that has gone on", -1)
	want("second of three", running(2, 0.45), true)
	h = sweeptest.Add(h, paused(2, 0.3))
	promoted("half of three is one", -1)
	h = sweeptest.Add(h, paused(3, 0.2))
	promoted("half of four is two", 1)
	next := running(4, 0.55)
	next.Measurements[0].Epoch, next.Key = 2, "suggestion-0001^2"
	next.Attrs = map[string]json.RawMessage{trials.AttrContinues: trials.Attr(1)}
	want("second of two at the second rung", next, true)
	again := next.Clone()
	again.Measurements[0].Epoch, again.Measurements[0].Metrics[sweeptest.Metric] = 1, 0.1
	want("not judged again where it was let go on", again, false)
	next.State = trials.Pruned
	h = sweeptest.Add(h, next)
	promoted("it stands for its point, and is not the best at the second rung", -1)
	h = sweeptest.Add(h, sweeptest.Trial(5, trials.Suggestion{}, 0.45, 0.5, 0.5, 0.5), paused(6, 0.1))
	promoted("three at the second rung, six at the first", -1)
	h = sweeptest.Add(h, paused(7, 0.1))
	promoted("half of seven is three", -1)
	h = sweeptest.Add(h, paused(8, 0.1))
	promoted("half of eight is four", 2)
	h = sweeptest.Add(h, sweeptest.Trial(9, trials.Suggestion{}, 0.05, 0.5, 0.5, 0.5))
	promoted("half of four at the second rung goes before", 4)
	fail := sweeptest.Trial(0, trials.Suggestion{}, 0.5, 0.6, 0.7, 0.8)
	fail.State, fail.Values = trials.Fail, nil
	h = sweeptest.Add(h, fail)
	promoted("a failed trial does not compete: the best of three", 4)
}

// TestTies: of equal values the earlier trial is ahead, so that the share that goes on is kept.
func TestTies(t *testing.T) {
	p := judge(t, "asha", 4, trials.Params{"reduction_factor": int64(2)})
	h := sweeptest.Empty(nil, trials.Minimize)
	passed := 0
	for n := range 20 {
		tr := running(n, 0.5)
		stop, err := p.Prune(h, tr)
		if err != nil {
			t.Fatal(err)
		}
		if tr.State, tr.Key = trials.Pruned, fmt.Sprint("k", n); !stop {
			passed++
			tr = sweeptest.Trial(n, trials.Suggestion{}, 0.5, 0.5, 0.5, 0.5)
		}
		h = sweeptest.Add(h, tr)
	}
	if n, ok, err := p.(sweep.Promoter).Promote(h); passed != 1 || !ok || n != 1 || err != nil {
		t.Errorf("%d of 20 equal trials passed, promoted %d (%v, %v)", passed, n, ok, err)
	}
}

// TestTiesGoOn: of 32 points that are all alike, as a detector's are as long as its mAP is 0, one in two goes on at each of the rungs
// 1, 2, 4 and 8 of 16 epochs, and not one after another all of them, because those that have gone on count as later trials.
func TestTiesGoOn(t *testing.T) {
	for _, workers := range []int{1, 4} {
		for name, options := range map[string]trials.Params{"asha": {}, "hyperband": {"brackets": int64(1)}} {
			options["min_epochs"], options["reduction_factor"] = int64(1), int64(2)
			r := sweeptest.Race{Pruner: judge(t, name, 16, options), Direction: trials.Maximize, Epochs: 16, Workers: workers, Points: 32,
				Value: func(int, int) float64 { return 0 }}
			r.Run(t)
			for epoch, want := range map[int]int{1: 32, 2: 16, 4: 8, 8: 4, 16: 2} {
				reached := 0
				for point := range r.Points {
					reached += r.Most[[2]int{point, epoch}]
				}
				// The first point goes on while it is alone, and so does who finds nobody else at a rung.
				if more := workers * 2; reached < want-1 || reached > want+more {
					t.Errorf("%s, %d workers: %d points of 32 reached epoch %d, want about %d", name, workers, reached, epoch, want)
				}
			}
		}
	}
}

// TestBrackets: of 81 epochs at factor 3 and four brackets, 27 : 12 : 6 : 4 suggestions (Li et al. 2018, algorithm 1 with s_max = 3),
// from the first few on, whatever the seed; and the assignment is a function of seed and index.
func TestBrackets(t *testing.T) {
	shares := []float64{27. / 49, 12. / 49, 6. / 49, 4. / 49}
	var first []int
	for seed := range int64(20) {
		p, err := prune.Hyperband(sweep.PrunerConfig{Seed: seed, Epochs: 81})
		if err != nil {
			t.Fatal(err)
		}
		n := make([]int, 4)
		for i := range 490 {
			b := p.(sweep.Bracketer).Bracket(i)
			n[b]++
			if i == 0 {
				first = append(first, b)
			}
			for b, share := range shares {
				if off := math.Abs(float64(n[b]) - share*float64(i+1)); off > 3 {
					t.Fatalf("seed %d: %d of the first %d suggestions are in bracket %d, not about %.3g", seed, n[b], i+1, b, share*float64(i+1))
				}
			}
		}
		again, _ := prune.Hyperband(sweep.PrunerConfig{Seed: seed, Epochs: 81})
		if a, b := p.(sweep.Bracketer).Bracket(17), again.(sweep.Bracketer).Bracket(17); a != b {
			t.Errorf("bracket of suggestion 17: %d, made again %d", a, b)
		}
	}
	if first = slices.Compact(slices.Sorted(slices.Values(first))); len(first) < 3 {
		t.Errorf("the first suggestion is in brackets %v only, whatever the seed", first)
	}
}

// TestHyperbandBrackets: trials are compared within their bracket alone, and bracket b begins at rung b.
func TestHyperbandBrackets(t *testing.T) {
	p := judge(t, "hyperband", 9, trials.Params{"min_epochs": int64(1)}) // rungs after 1 and 3 epochs, three brackets
	h := sweeptest.Empty(nil, trials.Maximize)
	in := func(tr trials.Trial, bracket int) trials.Trial {
		tr.Attrs = map[string]json.RawMessage{trials.AttrBracket: trials.Attr(bracket)}
		return tr
	}
	h = sweeptest.Add(h, in(sweeptest.Trial(0, trials.Suggestion{}, 0.5, 0.5, 0.5, 0.5), 0))
	for _, c := range []struct {
		bracket, epochs int
		want            bool
	}{{0, 1, true}, {0, 2, false}, {0, 3, true}, {1, 1, false}, {1, 3, false}, {2, 1, false}, {2, 3, false}} {
		tr := in(running(1, []float64{0.4, 0.4, 0.4}[:c.epochs]...), c.bracket)
		if got, err := p.Prune(h, tr); err != nil || got != c.want {
			t.Errorf("bracket %d after %d epochs: pruned %v (%v), want %v", c.bracket, c.epochs, got, err, c.want)
		}
	}
}
