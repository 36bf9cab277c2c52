package gp_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/mapsweep/mapsweep/sweep/gp"
)

// reference was computed by scikit-learn and mpmath, see testdata/gen.py.
type reference struct {
	Rows          [][]float64 `json:"rows"`
	Values        []float64   `json:"values"`
	At            [][]float64 `json:"at"`
	Lengths       []float64   `json:"lengths"`
	Scale         float64     `json:"scale"`
	Noise         float64     `json:"noise"`
	Mean          []float64   `json:"mean"`
	Deviation     []float64   `json:"deviation"`
	LogLikelihood float64     `json:"log_likelihood"`
	Z             []float64   `json:"z"`
	LogH          []float64   `json:"log_h"`
}

func load(t *testing.T) (r reference) {
	t.Helper()
	raw, err := os.ReadFile("testdata/reference.json")
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r reference) process() gp.Process {
	return gp.NewProcess(r.Rows, r.Values, make([]bool, 3), r.Lengths, r.Scale, r.Noise)
}

func TestPosterior(t *testing.T) {
	r := load(t)
	p := r.process()
	for i, row := range r.At {
		mean, dev := p.At(row)
		if math.Abs(mean-r.Mean[i]) > 1e-9 || math.Abs(dev-r.Deviation[i]) > 1e-9 {
			t.Errorf("at %v: %.10f and %.10f, scikit-learn has %.10f and %.10f", row, mean, dev, r.Mean[i], r.Deviation[i])
		}
	}
}

func TestLoss(t *testing.T) {
	r := load(t)
	p := r.process()
	at := p.Theta()
	loss, gradient, priors := p.Loss(at)
	if got := -(loss - priors) - float64(len(r.Rows))/2*math.Log(2*math.Pi); math.Abs(got-r.LogLikelihood) > 1e-8 {
		t.Errorf("log likelihood %.9f, scikit-learn has %.9f", got, r.LogLikelihood)
	}
	for j := range at {
		const e = 1e-5
		up, down := append([]float64{}, at...), append([]float64{}, at...)
		up[j] += e
		down[j] -= e
		a, _, _ := p.Loss(up)
		b, _, _ := p.Loss(down)
		if numeric := (a - b) / (2 * e); math.Abs(numeric-gradient[j]) > 1e-5*(1+math.Abs(numeric)) {
			t.Errorf("gradient %d is %.7f, by differences %.7f", j, gradient[j], numeric)
		}
	}
}

// TestFit: the descent ends where the gradient is about 0, lower than where the data came from.
func TestFit(t *testing.T) {
	p := load(t).process()
	before, _, _ := p.Loss(p.Theta())
	after, gradient, _ := p.Loss(p.Fit())
	if after > before {
		t.Errorf("fitted to %.4f, from %.4f", after, before)
	}
	for j, g := range gradient {
		if math.Abs(g) > 0.02 {
			t.Errorf("gradient %d is %.4f after the fit", j, g)
		}
	}
}

func TestLogH(t *testing.T) {
	r := load(t)
	for i, z := range r.Z {
		if got := gp.LogH(z); math.Abs(got-r.LogH[i]) > 1e-7*math.Max(1, math.Abs(r.LogH[i])) {
			t.Errorf("z = %v: %.10f, mpmath has %.10f", z, got, r.LogH[i])
		}
	}
}

// TestChoices: an observation of one choice says less of another one than of its own, and as little of all others alike.
func TestChoices(t *testing.T) {
	p := gp.NewProcess([][]float64{{0.1}}, []float64{2}, []bool{true}, []float64{1}, 1, 0.01)
	own, _ := p.At([]float64{0.1})
	near, _ := p.At([]float64{0.3})
	far, _ := p.At([]float64{0.9})
	missing, _ := p.At([]float64{-1})
	if own < 1.9 || near > 1.2 || near != far || near != missing {
		t.Errorf("expected %v, %v, %v, %v at its own, the next, the last and no choice", own, near, far, missing)
	}
}
