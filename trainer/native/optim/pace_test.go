package optim_test

import (
	"reflect"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

func TestPace(t *testing.T) {
	for _, c := range []struct {
		name           string
		warmup         float64
		batch, nominal int
		moves          []int // batches after which weights have moved, of the first 9
	}{
		{"each batch", 0, 8, 0, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{"a nominal batch that one batch reaches", 0, 16, 16, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{"three batches", 0, 8, 24, []int{3, 6, 9}},
		// round(1 + 3 step/4) at the steps of warm-up: 1, 2, 2, 3; then 4
		{"during warm-up", 4, 8, 32, []int{1, 3, 7}},
	} {
		p := optim.NewPace(optim.Schedule{LR0: 0.1, LRF: 1, Warmup: c.warmup, Steps: 20}, c.batch, c.nominal)
		var moves []int
		var last optim.Update
		for n := range 9 {
			u := p.Next()
			if u.Step != n || u.Updates != len(moves) || u.Rates != p.Schedule.At(n) {
				t.Errorf("%s: batch %d is %+v after %d updates", c.name, n, u, len(moves))
			}
			p.Done(u)
			if last = u; u.Move {
				moves = append(moves, n+1)
			}
		}
		if !reflect.DeepEqual(moves, c.moves) {
			t.Errorf("%s: weights moved after batches %v, want %v", c.name, moves, c.moves)
		}
		if p.Back(last); p.Next() != last {
			t.Errorf("%s: back before the last batch the next is %+v, want %+v", c.name, p.Next(), last)
		}
	}
}

// A description moves weights as the optimiser that it describes.
func TestSpec(t *testing.T) {
	segments := []optim.Segment{{Len: 8, Decay: true}, {Off: 8, Len: 8, Bias: true}}
	rates := optim.Rates{Weights: 0.1, Bias: 0.2, Momentum: 0.8}
	arena := func(scale float32) []float32 {
		v := make([]float32, 16)
		for i := range v {
			v[i] = scale * float32(i%5-2)
		}
		return v
	}
	for name, c := range map[string]struct {
		spec          optim.Spec
		squares, peak bool
		beta2         float64
		step          func(w, g []float32, m optim.Moments, n int) float64
	}{
		"SGD": {optim.Spec{Kind: optim.BySGD, AMSGrad: true}, false, false, 0, func(w, g []float32, m optim.Moments, _ int) float64 {
			return (&optim.SGD{Segments: segments, WeightDecay: 0.1, ClipNorm: 2}).Step(w, g, m.Mean, rates)
		}},
		"Adam": {optim.Spec{Kind: optim.ByAdam, AMSGrad: true}, true, false, 0.999, func(w, g []float32, m optim.Moments, n int) float64 {
			return (&optim.AdamW{Segments: segments, Beta1: 0.9, WeightDecay: 0.1, ClipNorm: 2, L2: true}).Step(w, g, m, n, rates)
		}},
		"AdamW": {optim.Spec{Kind: optim.ByAdamW, AMSGrad: true}, true, true, 0.999, func(w, g []float32, m optim.Moments, n int) float64 {
			return (&optim.AdamW{Segments: segments, Beta1: 0.9, WeightDecay: 0.1, ClipNorm: 2}).Step(w, g, m, n, rates)
		}},
		"LION": {optim.Spec{Kind: optim.ByLION}, false, false, 0.99, func(w, g []float32, m optim.Moments, _ int) float64 {
			return (&optim.LION{Segments: segments, Beta1: 0.9, WeightDecay: 0.1, ClipNorm: 2}).Step(w, g, m.Mean, rates)
		}},
	} {
		s := c.spec
		s.Segments, s.Beta1, s.WeightDecay, s.ClipNorm = segments, 0.9, 0.1, 2
		if s.Squares() != c.squares || s.Peaks() != c.peak || s.Beta2() != c.beta2 {
			t.Errorf("%s: squares %v, peaks %v, beta2 %v", name, s.Squares(), s.Peaks(), s.Beta2())
		}
		moments := func() (m optim.Moments) {
			m.Mean = arena(0)
			if c.squares {
				m.Square = arena(0)
			}
			if c.peak {
				m.Peak = arena(0)
			}
			return m
		}
		w, v, m, k := arena(1), arena(1), moments(), moments()
		for n := 1; n < 4; n++ {
			a, b := s.Step(w, arena(3), m, n, rates), c.step(v, arena(3), k, n)
			if a != b || !reflect.DeepEqual(w, v) || !reflect.DeepEqual(m, k) {
				t.Errorf("%s: update %d, norm %v: %v, want %v: %v", name, n, a, w, b, v)
			}
		}
		if reflect.DeepEqual(w, arena(1)) {
			t.Errorf("%s: nothing moved", name)
		}
	}
}
