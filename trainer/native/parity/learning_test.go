//go:build integration

package parity_test

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

var (
	learnSeeds   = flag.Int("learn-seeds", 3, "seeds of TestLearning")
	learnFirst   = flag.Int64("learn-first", 0, "the first of these seeds")
	learnEpochs  = flag.Int("learn-epochs", 0, "epochs of TestLearning; 0: each case's own")
	learnSize    = flag.Int("learn-size", 0, "image size of TestLearning; 0: each case's own")
	learnModel   = flag.String("learn-model", "", "model of TestLearning; empty: each case's own")
	learnBCCD    = flag.String("learn-bccd", os.Getenv("MAPSWEEP_BCCD"), "folder of the BCCD images, a data set of Pascal VOC")
	learnRule    = flag.String("learn-rule", "", "PyTorch's rule of assignment in TestLearning, claimers or all (loss.py); empty: ours. Another one is a planted fault")
	learnThreads = flag.Int("learn-threads", 1, "threads of PyTorch in TestLearning")
	learnRates   = flag.Float64("learn-rates", 1, "PyTorch's learning rates are so many times ours in TestLearning; anything but 1 is a planted fault")
)

// TestLearning trains networks here and in PyTorch, from the same weights, on the same batches, with the same settings,
// and scores both with our evaluator. Training is chaotic: by rounding alone two runs part after some dozens of steps,
// so that of single runs only the first steps can be compared. What is compared is average precision after training:
// the 95 % t interval of its mean difference over seeds must hold 0.
func TestLearning(t *testing.T) {
	for _, l := range []lesson{
		{name: "digits", model: "gelan-n", data: "builtin:digits", size: 128, epochs: 20, params: trials.Params{"mixup": 0.15, "copy_paste": 0.3}, close: 1e-4, least: 0.3},
		{name: "bccd", model: "gelan-n", data: *learnBCCD, size: 160, epochs: 20, close: 1e-4, least: 0.1},
		{name: "auxiliary", model: "yolov9-t", data: *learnBCCD, size: 128, epochs: 4, params: trials.Params{"lr0": 0.01}, close: 1e-3},
	} {
		t.Run(l.name, func(t *testing.T) {
			l.change()
			l.run(t)
		})
	}
}

// lesson is what both sides learn.
type lesson struct {
	name, model, data string
	size, epochs      int
	params            trials.Params
	close             float64 // what losses may differ by in the first step, relative; the norm of the gradients by 20 times that
	least             float64 // mean mAP50 of a side below which too little was learned for a comparison
}

// change takes the flags in.
func (l *lesson) change() {
	if *learnEpochs > 0 {
		l.epochs, l.least = *learnEpochs, 0
	}
	if *learnSize > 0 {
		l.size = *learnSize
	}
	if *learnModel != "" && *learnModel != l.model {
		l.model, l.close = *learnModel, 1e-3 // deep models magnify rounding
	}
}

func (l *lesson) run(t *testing.T) {
	python(t, "learn.py") // skips the test where there is none
	if !strings.HasPrefix(l.data, "builtin:") {
		if _, err := os.Stat(l.data); err != nil {
			t.Skipf("needs the BCCD images, see -learn-bccd: %v", err)
		}
	}
	c := newClassroom(t, l)
	ours, theirs := map[string][]float64{}, map[string][]float64{}
	for i := range *learnSeeds {
		seed := *learnFirst + int64(i)
		trace := c.trace(t, seed)
		var our, their map[string]float64
		var steps [][]float64
		var failed [2]error
		var both sync.WaitGroup
		both.Go(func() { our, failed[0] = c.ours(t, seed) })
		both.Go(func() { their, steps, failed[1] = c.theirs(t, seed, trace.Effective) })
		both.Wait()
		for _, err := range failed {
			if err != nil {
				t.Fatal(err)
			}
		}
		l.first(t, seed, trace, steps)
		line := ""
		for _, name := range slices.Sorted(maps.Keys(our)) {
			line += fmt.Sprintf("  %s %.4f %.4f", name, our[name], their[name])
			ours[name], theirs[name] = append(ours[name], our[name]), append(theirs[name], their[name])
		}
		t.Logf("seed %d, ours and PyTorch's after %d epochs:%s", seed, c.epochs, line)
	}
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		low, high := report(t, name, ours[name], theirs[name])
		switch {
		case name != "mAP50" && name != "mAP50-95":
		case !(low <= 0 && high >= 0):
			t.Errorf("%s differs by more than noise: the 95 %% interval of the difference is [%+.4f, %+.4f]", name, low, high)
		case name == "mAP50" && !(min(stat.Mean(ours[name], nil), stat.Mean(theirs[name], nil)) >= l.least):
			t.Errorf("mAP50 is below %g on a side: too little was learned for a comparison", l.least)
		}
	}
}

// first compares losses and norms of the first steps. The very first must agree; later ones magnify rounding.
func (l *lesson) first(t *testing.T, seed int64, trace trainer.Trace, theirs [][]float64) {
	t.Helper()
	for i, s := range trace.Steps {
		v := s.Values[trainer.ChannelLoss]
		o, p := []float64{v[1], v[2], v[3], s.Values[trainer.ChannelGradient][0]}, theirs[i]
		off := func(k int) float64 { return math.Abs(o[k]-p[k]) / max(math.Abs(p[k]), 1e-9) }
		losses, norm := max(off(0), off(1), off(2)), off(3)
		t.Logf("seed %d, step %d, ours and PyTorch's:  box %.6f %.6f  cls %.6f %.6f  dfl %.6f %.6f  norm %.5f %.5f  differences %.1e %.1e",
			seed, i+1, o[0], p[0], o[1], p[1], o[2], p[2], o[3], p[3], losses, norm)
		if i == 0 && !(losses <= l.close && norm <= 20*l.close) {
			t.Errorf("seed %d: in the first step losses differ by %.1e and norms by %.1e, %.1e and %.1e are allowed: weights, batches or formulas are not the same", seed, losses, norm, l.close, 20*l.close)
		}
	}
}

// report prints a metric of both sides with its spread over seeds, and the mean difference with its 95 % t interval.
func report(t *testing.T, name string, ours, theirs []float64) (low, high float64) {
	t.Helper()
	d := make([]float64, len(ours))
	for i := range d {
		d[i] = ours[i] - theirs[i]
	}
	mean, low, high := interval(d)
	if len(d) < 2 {
		t.Logf("%-9s ours %.4f, PyTorch %.4f, difference %+.4f; one seed says nothing of noise", name, ours[0], theirs[0], mean)
		return low, high
	}
	t.Logf("%-9s ours %.4f ± %.4f, PyTorch %.4f ± %.4f over %d seeds; difference %+.4f [%+.4f, %+.4f]",
		name, stat.Mean(ours, nil), stat.StdDev(ours, nil), stat.Mean(theirs, nil), stat.StdDev(theirs, nil), len(d), mean, low, high)
	return low, high
}

// interval is the mean of differences with its 95 % t interval, which is everything for a single one.
func interval(d []float64) (mean, low, high float64) {
	if len(d) < 2 {
		return stat.Mean(d, nil), math.Inf(-1), math.Inf(1)
	}
	mean, sd := stat.MeanStdDev(d, nil)
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(len(d) - 1)}.Quantile(0.975) * sd / math.Sqrt(float64(len(d)))
	return mean, mean - half, mean + half
}
