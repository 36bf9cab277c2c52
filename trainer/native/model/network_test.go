package model_test

import (
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
)

// quadratic pulls every logit towards a fixed wave, with weight w: smooth, and different in every place.
func quadratic(w float64) func(loss.Heads, []float32, []float32) (float64, error) {
	return func(h loss.Heads, dBox, dClass []float32) (float64, error) {
		total := 0.0
		pull := func(v, d []float32) {
			scale := w / float64(len(v))
			for i := range v {
				e := float64(v[i]) - math.Sin(float64(i)*0.7)
				total += scale * e * e
				d[i] = float32(2 * scale * e)
			}
		}
		pull(h.Box, dBox)
		pull(h.Class, dClass)
		return total, nil
	}
}

func config() model.Config {
	return model.Config{Classes: 5, Width: 128, Height: 128, Batch: 2, Seed: 1, Loss: quadratic(1)}
}

func build(t *testing.T, cfg model.Config) *model.Network {
	t.Helper()
	n, err := model.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// images are smooth pictures that differ from pixel to pixel, in 0..1.
func images(cfg model.Config, n int) []float32 {
	pix := make([]float32, n*cfg.Height*cfg.Width*3)
	for i := range pix {
		pix[i] = float32(0.5 + 0.5*math.Sin(float64(i)*0.37+float64(i*i%977)))
	}
	return pix
}

func TestCounts(t *testing.T) {
	// Parameters and GFLOP are those that PyTorch counts for the same network (docs name them); the last column leaves
	// out gamma and beta: 1360 channels with normalisation, and 128 more in the auxiliary head.
	tests := []struct {
		name          string
		aux           bool
		classes       int
		params, convs int
		evalG, trainG float64
	}{
		{"gelan-n", false, 5, 424922, 422202, 0.1140, 0.1140},
		{"auxiliary head", true, 5, 519780, 516804, 0.1140, 0.1407},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config()
			cfg.Aux, cfg.AuxLoss = tt.aux, quadratic(0.25)
			n := build(t, cfg)
			convs := 0
			for _, p := range n.Params() {
				if p.Group == graph.Decay || len(p.Name) > 5 && p.Name[len(p.Name)-5:] == ".bias" {
					convs += p.Elements()
				}
			}
			if got := n.ParamCount(); got != tt.params || convs != tt.convs {
				t.Errorf("%d parameters, %d of convolutions; want %d and %d", got, convs, tt.params, tt.convs)
			}
			eval, train := n.ForwardFLOP()
			if e, f := float64(eval)/1e9, float64(train)/1e9; math.Abs(e-tt.evalG) > 5e-5 || math.Abs(f-tt.trainG) > 5e-4 {
				t.Errorf("%.4f and %.4f GFLOP, want %.4f and %.4f", e, f, tt.evalG, tt.trainG)
			}
		})
	}
}

func TestStep(t *testing.T) {
	cfg := config()
	n := build(t, cfg)
	if err := n.SetImages(images(cfg, 2)); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		l, err := n.Step()
		if err != nil {
			t.Fatal(err)
		}
		f, b, all := n.Graph().Counts()
		t.Log(i, l, f, b, all)
		w, g := n.Weights(), n.Grads()
		for i := range w {
			w[i] -= 0.05 * g[i]
		}
	}
}
