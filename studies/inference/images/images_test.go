package images_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies/inference/images"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

// means is a case of testdata/gen.py.
type means struct {
	Name                      string
	Reference, Variant        [][]float64
	Mean, Seeds, Images, Both float64
	ImageSE                   float64 `json:"image_se"`
	JointSD                   float64 `json:"joint_sd"`
	JointLow                  float64 `json:"joint_low"`
	JointHigh                 float64 `json:"joint_high"`
	SeedLow                   float64 `json:"seed_low"`
	SeedHigh                  float64 `json:"seed_high"`
}

// For a score that is a mean over pictures the draws are those of SciPy's paired bootstrap and of a brute force in
// NumPy, and the parts are those of the analysis of variance, but for the chance of drawing: of 20,000 draws 5,000
// tell the parts, a standard deviation to 1 % (one standard error) and a variance to 2 %.
func TestMeans(t *testing.T) {
	data, err := os.ReadFile("testdata/means.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []means }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			d := make([][]float64, len(c.Variant))
			for s := range d {
				for i := range c.Variant[s] {
					d[s] = append(d[s], c.Variant[s][i]-c.Reference[s][i])
				}
			}
			e := images.Means(d, images.Options{Draws: 20_000, Seed: 3})
			near := func(what string, got, want, within float64) {
				t.Helper()
				if !(math.Abs(got-want) <= within) {
					t.Errorf("%s: %v, want %v within %.2g", what, got, want, within)
				}
			}
			near("mean", e.Mean, c.Mean, 1e-12)
			near("seed low", e.SeedLow, c.SeedLow, 1e-9)
			near("seed high", e.SeedHigh, c.SeedHigh, 1e-9)
			near("low of the draws", e.DrawnLow, c.JointLow, .06*c.JointSD)
			near("high of the draws", e.DrawnHigh, c.JointHigh, .06*c.JointSD)
			n := float64(len(c.Variant[0]))
			near("pictures' standard error", math.Sqrt(e.Variance.Images+e.Variance.Both), c.ImageSE*math.Sqrt(n/(n-1)), .03*c.ImageSE)
			total := c.Seeds + c.Images + c.Both
			near("seeds' part", e.Variance.Seeds, c.Seeds, .06*total)
			near("pictures' part", e.Variance.Images, c.Images, .06*total)
			near("both's part", e.Variance.Both, c.Both, .06*total)
			near("total", e.Variance.Total(), total, .06*total)
			if !(e.High-e.Low > e.SeedHigh-e.SeedLow || c.Name == "seeds") || !(e.Low < e.Mean && e.Mean < e.High) {
				t.Errorf("interval %v to %v about %v, seeds alone %v to %v", e.Low, e.High, e.Mean, e.SeedLow, e.SeedHigh)
			}
			if want := map[string]string{"seeds": images.MoreSeeds, "pictures": images.MoreImages, "both": images.MoreOfAny}[c.Name]; e.Advice != want {
				t.Errorf("advice %q, want %q", e.Advice, want)
			}
		})
	}
}

// world makes validations in which pictures are hard or easy for each arm, and seeds are good or bad.
type world struct {
	images              int
	arm, seed, own, one float64 // spreads of the logit of being right: a picture for an arm, a seed, an object, a training on a picture
	lift                float64 // of the second arm
}

// arms makes two arms with n seeds each. Pictures, seeds and chance follow from the random generator alone.
func (w world) arms(r *rand.Rand, n int) []images.Arm {
	var gt []evaluate.GroundTruth
	dt := make([][][]evaluate.Detection, 2)
	shift := make([][]float64, 2)
	for a := range dt {
		dt[a] = make([][]evaluate.Detection, n)
		for range n {
			shift[a] = append(shift[a], w.seed*r.NormFloat64())
		}
	}
	for i := range w.images {
		objects := 1 + r.IntN(4)
		ease := [2]float64{w.arm * r.NormFloat64(), w.arm * r.NormFloat64()}
		var chance [2][]float64
		for a := range chance {
			for range n {
				chance[a] = append(chance[a], w.one*r.NormFloat64())
			}
		}
		for j := range objects {
			g := evaluate.Truth(i, j%2, evaluate.Box{X: float64(50 * j), W: 40, H: 40})
			gt = append(gt, g)
			hard := w.own * r.NormFloat64()
			for a := range dt {
				for s := range n {
					z := .5 + w.lift*float64(a) + ease[a] + hard + shift[a][s] + chance[a][s] + r.NormFloat64()
					score := 1 / (1 + math.Exp(-z-.7*r.NormFloat64()))
					b := g.Box
					b.X += max(0, 8-4*z) // IoU falls with it
					dt[a][s] = append(dt[a][s], evaluate.Detection{Image: i, Class: g.Class, Box: b, Score: score})
				}
			}
		}
	}
	var arms []images.Arm
	for a, name := range []string{"baseline", "variant"} {
		arm := images.Arm{Name: name, Runs: map[int]*evaluate.Matches{}}
		for s := range n {
			arm.Runs[s] = evaluate.Match(gt, dt[a][s], w.images, []string{"a", "b"})
		}
		arms = append(arms, arm)
	}
	return arms
}

var all = evaluate.Target{Area: evaluate.AreaAll, Last: 9}

func analyse(t testing.TB, arms []images.Arm, o images.Options) images.Result {
	t.Helper()
	r, err := images.Analyse(context.Background(), arms, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Numbers are those of the matches, do not depend on the number of goroutines, and come with the draws' seed.
func TestAnalyse(t *testing.T) {
	w := world{images: 60, arm: .3, seed: .3, own: 1, one: .3, lift: .5}
	arms := w.arms(rand.New(rand.NewPCG(1, 1)), 5)
	delete(arms[1].Runs, 3) // which leaves four pairs
	o := images.Options{Target: all, Draws: 300, Seed: 7, Workers: 1}
	r := analyse(t, arms, o)
	var sum [2]float64
	diff := 0.
	for s := range 5 {
		a := arms[0].Runs[s].Score(evaluate.Subset{}).AP
		sum[0] += a / 5
		if s != 3 {
			b := arms[1].Runs[s].Score(evaluate.Subset{}).AP
			sum[1] += b / 4
			diff += (b - a) / 4
		}
	}
	for i, want := range []float64{sum[0], sum[1], diff} {
		e := append(slices.Clone(r.Arms), r.Effects...)[i]
		if math.Abs(e.Mean-want) > 1e-12 || e.Reason != "" || e.Draws != 300 || e.Images != 60 || !(e.Low < want && want < e.High && e.DrawnLow < e.DrawnHigh && e.SE > 0) {
			t.Errorf("estimate %d: %+v, want a mean of %v", i, e, want)
		}
	}
	if e := r.Effects[0]; e.Seeds != 4 || e.Arm != "variant" || !(e.Mean > .02) {
		t.Errorf("effect %+v", e)
	}
	for _, workers := range []int{2, 7} {
		o.Workers = workers
		if again := analyse(t, arms, o); !reflect.DeepEqual(again, r) {
			t.Errorf("%d goroutines: %+v, want %+v", workers, again, r)
		}
	}
	o.Seed++
	if other := analyse(t, arms, o); other.Effects[0].Low == r.Effects[0].Low {
		t.Error("another seed draws the same")
	}
	half := make([]bool, 30)
	for i := range half {
		half[i] = true
	}
	o.Images = half
	if e := analyse(t, arms, o).Arms[0]; e.Images != 30 || math.Abs(e.Mean-meanOf(arms[0], evaluate.Subset{Images: half})) > 1e-12 {
		t.Errorf("half of the pictures: %+v", e)
	}
	if n := images.Steps(arms, all); n < 9*60 {
		t.Errorf("%d steps a draw", n)
	}
}

func meanOf(a images.Arm, s evaluate.Subset) float64 {
	sum := 0.
	for _, m := range a.Runs {
		sum += m.Score(s).AP
	}
	return sum / float64(len(a.Runs))
}

// What a draw scores is what COCO scores on the pictures that were drawn: the spread of the draws agrees with a brute
// force by Resample with draws of its own (3,000 of them: 1.3 % is one standard error of a standard deviation).
func TestBruteForce(t *testing.T) {
	w := world{images: 40, arm: .5, seed: .2, own: 1, one: .3, lift: .3}
	arms := w.arms(rand.New(rand.NewPCG(2, 1)), 4)
	e := analyse(t, arms, images.Options{Target: evaluate.Target{Area: evaluate.AreaAll, First: 0, Last: 0, Classes: []int{1}}, Draws: 3000, Seed: 1}).Effects[0]
	r := rand.New(rand.NewPCG(8, 8))
	var drawn []float64
	for range 3000 {
		counts := make([]int, w.images)
		for range counts {
			counts[r.IntN(w.images)]++
		}
		sum := 0.
		for range 4 {
			s := r.IntN(4)
			sub := evaluate.Subset{Classes: []int{1}}
			sum += arms[1].Runs[s].Resample(counts, sub).AP50 - arms[0].Runs[s].Resample(counts, sub).AP50
		}
		drawn = append(drawn, sum/4)
	}
	slices.Sort(drawn)
	low, high := drawn[75], drawn[2925]
	if width := high - low; math.Abs(e.DrawnLow-low) > .06*width || math.Abs(e.DrawnHigh-high) > .06*width {
		t.Errorf("draws from %v to %v, by brute force %v to %v", e.DrawnLow, e.DrawnHigh, low, high)
	}
}

// Where nothing can be told there is a sentence, and no number.
func TestDegenerate(t *testing.T) {
	w := world{images: 30, arm: .3, seed: .3, own: 1, one: .3}
	r := rand.New(rand.NewPCG(3, 1))
	good := w.arms(r, 3)
	same := map[int]*evaluate.Matches{0: good[0].Runs[0], 1: good[0].Runs[0]}
	small := w
	small.images = 5
	apart := []images.Arm{{Name: "a", Runs: map[int]*evaluate.Matches{0: good[0].Runs[0], 1: good[0].Runs[1]}}, {Name: "b", Runs: map[int]*evaluate.Matches{1: good[1].Runs[1], 2: good[1].Runs[2]}}}
	for name, c := range map[string]struct {
		arms []images.Arm
		t    evaluate.Target
		want string
	}{
		"nothing":            {[]images.Arm{{Name: "a"}, {Name: "b"}}, all, "no trial has kept its matches"},
		"a missing arm":      {[]images.Arm{good[0], {Name: "b"}}, all, "0 seeds with matches"},
		"one seed":           {[]images.Arm{good[0], {Name: "b", Runs: map[int]*evaluate.Matches{2: good[1].Runs[2]}}}, all, "one seed with matches"},
		"one seed in common": {apart, all, "the two arms share fewer than two seeds"},
		"other pictures":     {[]images.Arm{good[0], w.arms(r, 3)[1]}, all, "not scored on the same pictures"},
		"few pictures":       {small.arms(r, 3), all, "only 5 such pictures"},
		"no small object":    {good, evaluate.Target{Area: evaluate.AreaSmall, Last: 9}, "no object that this score counts"},
		"no such class":      {good, evaluate.Target{Last: 9, Classes: []int{9}}, "no object that this score counts"},
		"the same runs":      {[]images.Arm{{Name: "a", Runs: same}, {Name: "b", Runs: same}}, all, "nothing scatters"},
	} {
		e := analyse(t, c.arms, images.Options{Target: c.t, Draws: 100}).Effects[0]
		if !strings.Contains(e.Reason, c.want) {
			t.Errorf("%s: reason %q, want %q", name, e.Reason, c.want)
		}
		for i, v := range []float64{e.SE, e.DF, e.Low, e.High, e.SeedLow, e.SeedHigh, e.Variance.Seeds, e.Variance.Images, e.Variance.Both} {
			if !math.IsNaN(v) {
				t.Errorf("%s: number %d is %v", name, i, v)
			}
		}
		if e.Advice != "" {
			t.Errorf("%s: advice %q", name, e.Advice)
		}
	}
	// a class that most draws miss
	var gt []evaluate.GroundTruth
	gt = append(gt, evaluate.Truth(0, 0, evaluate.Box{W: 40, H: 40}))
	rare := images.Arm{Name: "rare", Runs: map[int]*evaluate.Matches{}}
	for s := range 3 {
		rare.Runs[s] = evaluate.Match(gt, []evaluate.Detection{{Box: evaluate.Box{X: float64(s), W: 40, H: 40}, Score: 1}}, 30, []string{"a"})
	}
	if e := analyse(t, []images.Arm{rare}, images.Options{Target: all, Draws: 100}).Arms[0]; !strings.Contains(e.Reason, "of 100 draws no picture had an object") || !math.IsNaN(e.Low) {
		t.Errorf("a rare class: %+v", e)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	arms := world{images: 20, seed: .3, own: 1}.arms(rand.New(rand.NewPCG(3, 1)), 2)
	if _, err := images.Analyse(ctx, arms, images.Options{Target: all}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
