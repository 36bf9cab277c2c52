//go:build peers

package peers_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/sweep/nsga"
	"github.com/mapsweep/mapsweep/sweep/tpe"
	"github.com/mapsweep/mapsweep/trials"
)

const (
	frontTrials = 200
	frontSeeds  = 12
)

// twofold is a problem with two losses. Points are judged by the hypervolume up to reference, as a share of that of all
// points: 1 is the true front. testdata/front.py has the same ones.
type twofold struct {
	name      string
	space     trials.Space
	losses    func(trials.Params) []float64
	reference []float64
	whole     float64
}

// twofolds are ZDT1 and ZDT2 (Zitzler, Deb and Thiele 2000) with six variables, and one that is shaped like a detector's error against
// its time. The hypervolume of ZDT1's front up to (1.1, 5) is the integral of 4 + sqrt(x) from 0 to 1 and 0.1 times 5, of ZDT2's that
// of 4 + x^2; of the last, whose front has 48 candidates, it is added up.
func twofolds() []twofold {
	zdt := func(shape func(float64) float64) func(trials.Params) []float64 {
		return func(p trials.Params) []float64 {
			x, g := vector(p), 1.0
			for _, v := range x[1:] {
				g += 9 * v / 5
			}
			return []float64{x[0], g * shape(x[0]/g)}
		}
	}
	best := trials.Params{"lr": 1e-2, "wd": 1e-4, "optimizer": "sgd", "momentum": 0.93}
	var points [][]float64
	for width := range 16 {
		for _, size := range []string{"small", "medium", "large"} {
			points = append(points, tradeoff(best.With(trials.Params{"width": int64(width + 1), "size": size})))
		}
	}
	slow := []float64{4, 64}
	return []twofold{
		{"zdt1", cube(6, 0, 1), zdt(func(r float64) float64 { return 1 - math.Sqrt(r) }), []float64{1.1, 5}, 4 + 2./3 + 0.5},
		{"zdt2", cube(6, 0, 1), zdt(func(r float64) float64 { return 1 - r*r }), []float64{1.1, 5}, 4 + 1./3 + 0.5},
		{"tradeoff", trials.Space{
			{Name: "lr", Kind: trials.Float, Low: 1e-5, High: 1, Log: true},
			{Name: "wd", Kind: trials.Float, Low: 1e-7, High: 1e-1, Log: true},
			{Name: "optimizer", Kind: trials.Categorical, Choices: []any{"sgd", "adam", "adamw", "lion"}},
			{Name: "width", Kind: trials.Int, Low: 1, High: 16},
			{Name: "momentum", Kind: trials.Float, Low: 0.5, High: 0.999},
			{Name: "size", Kind: trials.Categorical, Choices: []any{"small", "medium", "large"}},
		}, tradeoff, slow, covered(points, slow)},
	}
}

func tradeoff(p trials.Params) []float64 {
	lr, wd, momentum, width := p["lr"].(float64), p["wd"].(float64), p["momentum"].(float64), float64(p["width"].(int64))
	best := map[any]float64{"sgd": -2, "adam": -3.3, "adamw": -3, "lion": -4}[p["optimizer"]]
	loss := 0.2*math.Pow(math.Log10(lr)-best, 2) + 0.05*math.Pow(math.Log10(wd)+4, 2) + 2*math.Pow(momentum-0.93, 2)
	loss += map[any]float64{"sgd": 0, "adam": 0.2, "adamw": 0.1, "lion": 0.4}[p["optimizer"]]
	loss += 1.2/math.Sqrt(width) + map[any]float64{"small": 0.6, "medium": 0.2, "large": 0}[p["size"]]
	return []float64{loss, width * map[any]float64{"small": 1, "medium": 2, "large": 4}[p["size"]]}
}

// covered is the hypervolume of points whose losses are at most the reference.
func covered(points [][]float64, reference []float64) float64 {
	v, err := inference.Hypervolume(points, reference, []trials.Direction{trials.Minimize, trials.Minimize})
	if err != nil {
		panic(err)
	}
	return v
}

// shares are the hypervolumes of a program's seeds; each has both losses of each trial in a row.
func (p twofold) shares(all runs) (out []float64) {
	for _, flat := range all {
		var points [][]float64
		for i := 0; i+1 < len(flat); i += 2 {
			points = append(points, flat[i:i+2])
		}
		out = append(out, covered(points, p.reference)/p.whole)
	}
	return out
}

// play asks a sampler of ours for the points of one search, one trial at a time.
func (p twofold) play(t *testing.T, make sweep.NewSampler, seed int64) (flat []float64) {
	goals := []trials.Goal{{Metric: "first", Direction: trials.Minimize}, {Metric: "second", Direction: trials.Minimize}}
	s, err := make(sweep.SamplerConfig{Seed: seed, Space: p.space, Trials: frontTrials, Goals: goals})
	check(t, err)
	h := sweep.History{Space: p.space, Direction: trials.Minimize, Metric: "first", Goals: goals}
	for i := range frontTrials {
		sg, err := s.Suggest(context.Background(), h, sweep.Rand(seed, i, 0))
		check(t, err)
		losses := p.losses(sg.Params)
		flat = append(flat, losses...)
		h.Finished = append(h.Finished, &trials.Trial{Number: i, State: trials.Complete, Space: sg.Space, Params: sg.Params, Attrs: sg.Attrs, Values: losses})
	}
	return flat
}

// TestFrontQuality prints how much of the front of two objectives 200 trials cover, with our TPE and NSGA-II, Optuna's, and at random.
func TestFrontQuality(t *testing.T) {
	python := os.Getenv("MAPSWEEP_PEERS_PYTHON")
	if python == "" {
		t.Skip("MAPSWEEP_PEERS_PYTHON names no Python with the peers: eval \"$(.ci/peers.sh)\"")
	}
	columns := []struct {
		name string
		ours sweep.NewSampler // nil: Optuna's of that name
	}{{"mapsweep tpe", tpe.New}, {"optuna tpe", nil}, {"mapsweep nsga2", nsga.New}, {"optuna nsga2", nil}, {"random", goptuna.Random}}
	kept, jobs := openKept(t, python, "front"), map[string][]string{}
	for _, p := range twofolds() {
		for _, sampler := range []string{"tpe", "nsga2"} {
			jobs[p.name+"/optuna "+sampler] = []string{p.name, sampler, strconv.Itoa(firstSeed), strconv.Itoa(frontSeeds)}
		}
	}
	kept.fill(t, jobs, frontSeeds)
	fmt.Printf("\ntwo objectives, %d trials, %d seeds: share of the hypervolume of the true front\n\n", frontTrials, frontSeeds)
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprint(w, "problem")
	for _, c := range columns {
		fmt.Fprint(w, "\t", c.name)
	}
	fmt.Fprintln(w, "\tmapsweep less Optuna: tpe, nsga2")
	for _, p := range twofolds() {
		shares := map[string][]float64{}
		fmt.Fprint(w, p.name)
		for _, c := range columns {
			r := kept.Runs[p.name+"/"+c.name]
			if c.ours != nil {
				r = each(frontSeeds, func(seed int64) []float64 { return p.play(t, c.ours, seed) })
			}
			shares[c.name] = p.shares(r)
			s := resampled(func(draw func([]float64) float64) float64 { return draw(shares[c.name]) })
			fmt.Fprintf(w, "\t%.4f [%.4f, %.4f]", median(shares[c.name]), quantile(s, 0.025), quantile(s, 0.975))
		}
		var differences []string
		for _, sampler := range []string{"tpe", "nsga2"} {
			low, high := compare(shares["mapsweep "+sampler], shares["optuna "+sampler])
			differences = append(differences, fmt.Sprintf("%+.4f to %+.4f", low, high))
		}
		fmt.Fprintf(w, "\t%s\n", strings.Join(differences, ", "))
	}
	check(t, w.Flush())
}
