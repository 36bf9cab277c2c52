package kernel_test

import (
	"math"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// found is what the host finds in image n, as trainer/native does it, and how many candidates there were.
func found(h loss.Heads, n int, size float64, o evaluate.NMSOptions) ([]evaluate.Candidate, int) {
	within := func(v float64) float32 { return float32(min(max(v, 0), size)) }
	var some []evaluate.Candidate
	for a := range h.A {
		b := loss.Decode(h, n, a, make([]float64, h.R))
		for k, z := range h.Class[(n*h.A+a)*h.K : (n*h.A+a+1)*h.K] {
			if p := float32(1 / (1 + math.Exp(-float64(z)))); p > o.Score {
				some = append(some, evaluate.Candidate{Class: k, Score: p, X0: within(b.X0), Y0: within(b.Y0), X1: within(b.X1), Y1: within(b.Y1)})
			}
		}
	}
	count := len(some)
	return evaluate.NMS(some, o), count
}

// scenes is a head with clusters of boxes: three objects of each class in every image, found by several points, and noise.
func scenes(size, n, k int, noise float32) loss.Heads {
	r := kerneltest.Seed("scenes")
	h := aimed(r, size, n, k, 8, objects(r, size, n, k, 3*k))
	for i := range h.Class {
		h.Class[i] = 3*h.Class[i] + noise
	}
	return h
}

// TestNMS compares what is found with the CPU's, in every order of threads, and without room for all candidates.
func TestNMS(t *testing.T) {
	const size = 96
	o := evaluate.DefaultNMS
	equal := scenes(size, 2, 3, 0)
	for i := range equal.Class {
		equal.Class[i] = float32(i%5) - 2
	}
	wrong := scenes(size, 2, 3, -3)
	wrong.Class[5], wrong.Box[40] = float32(math.NaN()), float32(math.NaN())
	silent := scenes(size, 2, 3, 0)
	for i := range silent.Class[:silent.A*3] {
		silent.Class[i] = -9
	}
	for name, c := range map[string]struct {
		h        loss.Heads
		o        evaluate.NMSOptions
		capacity int
		suppress bool // some must be
	}{
		"few candidates":       {scenes(size, 3, 4, -6), o, 1000, true},
		"more than enter":      {scenes(size, 2, 7, 1), o, 2000, true},
		"exactly as many":      {scenes(size, 2, 7, 1), evaluate.NMSOptions{Score: o.Score, IoU: 0.3, Top: 512, Keep: 400}, 1260, true},
		"ties":                 {equal, evaluate.NMSOptions{Score: 0.3, IoU: 0.6, Top: 130, Keep: 77}, 600, true},
		"one class, one kept":  {scenes(size, 2, 1, 0), evaluate.NMSOptions{Score: 0.1, IoU: 0.5, Top: 33, Keep: 1}, 200, false},
		"all that are left":    {scenes(size, 2, 2, 0), evaluate.NMSOptions{Score: 0, IoU: 0.5, Top: 64}, 400, true},
		"none in one image":    {silent, o, 600, true},
		"not a number":         {wrong, o, 600, true},
		"one enters":           {scenes(size, 2, 2, 0), evaluate.NMSOptions{Score: 0.01, IoU: 0.5, Top: 1, Keep: 10}, 400, false},
		"no room for them":     {scenes(size, 2, 7, 1), o, 300, false},
		"no room in one image": {silent, o, 50, true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, order := range []string{"forward", "reverse", "shuffle"} {
				t.Setenv("EMULATOR_ORDER", order)
				b := kerneltest.New(t)
				s := kernel.NMS{Heads: putLoss(t, b, lossCase{heads: c.h}, 1).l.Heads, Size: size, Options: c.o, Capacity: c.capacity}
				s.Scratch = kerneltest.Put(b, slices.Repeat([]byte{0xa5}, int(s.ScratchBytes())))
				s.Found = kerneltest.Put(b, slices.Repeat([]byte{0xa5}, int(s.FoundBytes())))
				for range 2 { // nothing must be left over from the first
					b.Run(s.Launches()...)
				}
				bytes := kerneltest.Get[byte](b, s.Found, int(s.FoundBytes()))
				seen := map[bool]bool{}
				for n := range c.h.N {
					want, count := found(c.h, n, size, c.o)
					got, ok := s.Read(bytes, n, nil)
					seen[ok] = true
					if ok != (count <= c.capacity) {
						t.Fatalf("image %d: done %v with %d candidates", n, ok, count)
					}
					if ok && !slices.EqualFunc(got, want, sameCandidate) {
						t.Errorf("image %d, %d candidates, order %s: %d found, want %d: %v, want %v", n, count, order, len(got), len(want), got, want)
					}
					if ok && c.suppress && count > 0 && len(want) == min(count, c.o.Top) {
						t.Errorf("image %d: nothing was suppressed", n)
					}
				}
				if name == "no room in one image" && len(seen) != 2 {
					t.Error("the images are alike")
				}
			}
		})
	}
}

// sameCandidate holds on a GPU, whose exp differs in the last bit, within rounding. NaN is itself.
func sameCandidate(a, b evaluate.Candidate) bool {
	same := func(x, y float32) bool {
		return x == y || x != x && y != y || emulator.Real() && math.Abs(float64(x-y)) <= 1e-6*math.Abs(float64(y))
	}
	return a.Class == b.Class && same(a.Score, b.Score) && same(a.X0, b.X0) && same(a.Y0, b.Y0) && same(a.X1, b.X1) && same(a.Y1, b.Y1)
}

func TestNMSThatDoesNotFit(t *testing.T) {
	for _, top := range []int{0, kernel.MostEntering + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d candidates enter, and no panic", top)
				}
			}()
			kernel.NMS{Heads: kernel.Heads{N: 1, A: 1, K: 1, R: 8}, Options: evaluate.NMSOptions{Top: top}}.Launches()
		}()
	}
}
