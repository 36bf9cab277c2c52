package kernel_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/assign"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// lossCase is a batch whose loss is computed on both sides.
type lossCase struct {
	name    string
	heads   loss.Heads
	truths  []loss.Truth
	method  assign.Method
	classes loss.Classes
	weight  float64
}

// grid makes the points of a square picture at strides 8 and 16, and lets fill make the logits.
func grid(size, n, k, r int, fill func(box bool, count int) []float32) loss.Heads {
	h := loss.Heads{N: n, K: k, R: r}
	for _, s := range []int{8, 16} {
		for y := range size / s {
			for x := range size / s {
				h.Points = append(h.Points, (float32(x)+0.5)*float32(s), (float32(y)+0.5)*float32(s))
				h.Stride = append(h.Stride, float32(s))
			}
		}
	}
	h.A = len(h.Stride)
	h.Box, h.Class = fill(true, n*h.A*4*r), fill(false, n*h.A*k)
	return h
}

// aimed makes a head that is about right: logits of sides lean to a random one of the truths that hold the point.
func aimed(r *rand.Rand, size, n, k, bins int, truths []loss.Truth) loss.Heads {
	h := grid(size, n, k, bins, func(box bool, count int) []float32 {
		v := make([]float32, count)
		for i := range v {
			v[i] = 2*r.Float32() - 1
		}
		return v
	})
	for i := range n * h.A {
		a := i % h.A
		x, y := h.Points[2*a], h.Points[2*a+1]
		for _, t := range truths {
			if t.Image != i/h.A || x <= t.X0 || y <= t.Y0 || x >= t.X1 || y >= t.Y1 || r.IntN(2) == 0 {
				continue
			}
			for s, d := range [4]float32{x - t.X0, y - t.Y0, t.X1 - x, t.Y1 - y} {
				for b := range bins {
					far := d/h.Stride[a] - float32(b)
					h.Box[(i*4+s)*bins+b] -= far * far
				}
			}
			h.Class[i*k+t.Class] += 2
		}
	}
	return h
}

// objects are random truths, many of them over each other, some on the border or beyond it.
func objects(r *rand.Rand, size, n, k, most int) (truths []loss.Truth) {
	for image := range n {
		for range r.IntN(most + 1) {
			x, y := r.Float32()*float32(size), r.Float32()*float32(size)
			w, h := 4+r.Float32()*float32(size)/2, 4+r.Float32()*float32(size)/2
			truths = append(truths, loss.Truth{Image: image, Class: r.IntN(k), X0: max(x-w/2, 0), Y0: max(y-h/2, 0), X1: x + w/2, Y1: y + h/2})
		}
	}
	return truths
}

func lossCases(t *testing.T) (all []lossCase) {
	all = fixtureCases(t)
	r := kerneltest.Seed("losses")
	methods := []assign.Method{{}, {TopK: 3, Alpha: 1, Beta: 2}, {TopK: 10, Alpha: 0.5, Beta: 6, All: true}, {TopK: 1, Alpha: 0.5, Beta: 6, All: true},
		{TopK: 1000, Alpha: 0.5, Beta: 6}, {TopK: 7, Alpha: 0, Beta: 1.5}}
	classes := []loss.Classes{{}, {Smoothing: 0.1}, {Weight: 3}, {Gamma: 1.5}, {Smoothing: 0.2, Weight: 0.5, Gamma: 0.5}}
	for i, m := range methods {
		for j, c := range classes {
			if i > 0 && j > 0 && i != j {
				continue
			}
			k := 1 + r.IntN(7)
			truths := objects(r, 96, 3, k, 9)
			all = append(all, lossCase{"random", aimed(r, 96, 3, k, 8+8*(i%2), truths), truths, m, c, 1})
		}
	}
	// Equal logits everywhere, and objects twice in one place: ties of points and of objects.
	flat := func(_ bool, count int) []float32 { return make([]float32, count) }
	two := loss.Truth{Image: 0, Class: 1, X0: 8, Y0: 8, X1: 56, Y1: 56}
	for _, m := range methods {
		all = append(all, lossCase{"ties", grid(64, 2, 2, 8, flat), []loss.Truth{two, two, {Image: 1, Class: 0, X0: 0, Y0: 4, X1: 64, Y1: 60}}, m, loss.Classes{}, 0.25})
	}
	crowd := objects(r, 64, 1, 2, 0)
	for range 120 {
		x, y := 32*r.Float32(), 32*r.Float32()
		crowd = append(crowd, loss.Truth{Class: r.IntN(2), X0: x, Y0: y, X1: x + 32, Y1: y + 32})
	}
	all = append(all, lossCase{"crowd", aimed(r, 64, 1, 2, 8, crowd), crowd, assign.Method{}, loss.Classes{}, 1},
		lossCase{"crowd, all", aimed(r, 64, 1, 2, 8, crowd), crowd, assign.Method{TopK: 5, Alpha: 0.5, Beta: 6, All: true}, loss.Classes{}, 1})
	// On the border of points, and between all points.
	edge := []loss.Truth{{Image: 1, X0: 4, Y0: 4, X1: 12, Y1: 12}, {Image: 1, X0: 5, Y0: 5, X1: 7, Y1: 7}, {Image: 1, X0: 0, Y0: 0, X1: 64, Y1: 64}}
	all = append(all, lossCase{"borders", aimed(r, 64, 3, 1, 4, edge), edge, assign.Method{}, loss.Classes{}, 1})
	wild := func(box bool, count int) []float32 {
		v := make([]float32, count)
		for i := range v {
			v[i] = 200 * (2*r.Float32() - 1)
		}
		return v
	}
	// More objects, and more points and logits, than blocks take at a time.
	many, wide := objects(r, 64, 9, 2, 300), objects(r, 512, 7, 31, 4)
	all = append(all, lossCase{"many objects", aimed(r, 64, 9, 2, 4, many), many, assign.Method{}, loss.Classes{}, 1},
		lossCase{"many points", aimed(r, 512, 7, 31, 4, wide), wide, assign.Method{}, loss.Classes{}, 1})
	return append(all, lossCase{"extreme", grid(64, 2, 3, 8, wild), objects(r, 64, 2, 3, 4), assign.Method{}, loss.Classes{}, 1},
		lossCase{"extreme, focal", grid(64, 2, 3, 8, wild), objects(r, 64, 2, 3, 4), assign.Method{}, loss.Classes{Gamma: 0.3, Smoothing: 0.1}, 1})
}

// fixtureCases are the inputs of the loss's own comparison with PyTorch.
func fixtureCases(t *testing.T) (all []lossCase) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "loss", "testdata", "loss.json"))
	if err != nil {
		t.Fatal(err)
	}
	var files []struct {
		Name          string
		Size, N, K, R int
		AmpBox        float64 `json:"amp_box"`
		AmpClass      float64 `json:"amp_cls"`
		TopK          int
		Alpha, Beta   float64
		Smoothing     float64
		ClsPW         float64 `json:"cls_pw"`
		Gamma         float64
		Truths        [][]float64
	}
	if err := json.Unmarshal(data, &files); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		c := lossCase{name: f.Name, method: assign.Method{TopK: f.TopK, Alpha: f.Alpha, Beta: f.Beta}, classes: loss.Classes{Smoothing: f.Smoothing, Weight: f.ClsPW, Gamma: f.Gamma}, weight: 1}
		for _, r := range f.Truths {
			c.truths = append(c.truths, loss.Truth{Image: int(r[0]), Class: int(r[1]), X0: float32(r[2]), Y0: float32(r[3]), X1: float32(r[4]), Y1: float32(r[5])})
		}
		c.heads = grid(f.Size, f.N, f.K, f.R, func(box bool, count int) []float32 {
			s, amplitude := 2, f.AmpClass
			if box {
				s, amplitude = 1, f.AmpBox
			}
			v := make([]float32, count)
			for i := range v {
				v[i] = float32((float64((i*7919+s*104729)%2003)/1001 - 1) * amplitude)
			}
			return v
		})
		all = append(all, c)
	}
	return all
}
