package model_test

import (
	"runtime"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/model/modeltest"
)

// BenchmarkInference takes turns between the network of training and that of inference, with images of 320 x 320
// pixels, eight at a time, and reports processor time of one image and the median of the ratios.
//
//	go test -run - -bench Inference -benchtime 5x ./trainer/native/model
func BenchmarkInference(b *testing.B) {
	for _, name := range []string{"gelan-n", "gelan-t", "gelan-s"} {
		b.Run(name, func(b *testing.B) {
			cfg := model.Config{Model: name, Classes: 80, Width: 320, Height: 320, Batch: 8}
			n, err := model.New(cfg)
			if err != nil {
				b.Fatal(err)
			}
			defer n.Close()
			i, err := model.NewInference(n.Model(), cfg.Width, cfg.Height, 0, modeltest.Scramble(b, n, 1))
			if err != nil {
				b.Fatal(err)
			}
			defer i.Close()
			pix := images(cfg, cfg.Batch)
			before := func() error {
				if err := n.SetImages(pix); err != nil {
					return err
				}
				return n.Eval()
			}
			after := func() error {
				one := i.Batch() * len(pix) / cfg.Batch
				for from := 0; from < len(pix); from += one {
					if err := i.SetImages(pix[from:min(from+one, len(pix))]); err != nil {
						return err
					}
					if _, err := i.Run(); err != nil {
						return err
					}
				}
				return nil
			}
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var was, is, ratios []float64
			for b.Loop() {
				s := timed(b, before)
				f := timed(b, after)
				was, is, ratios = append(was, s), append(is, f), append(ratios, s/f)
			}
			activations, weights := i.Bytes()
			b.ReportMetric(median(was)/float64(cfg.Batch)*1e3, "training-ms/image")
			b.ReportMetric(median(is)/float64(cfg.Batch)*1e3, "inference-ms/image")
			b.ReportMetric(median(ratios), "ratio")
			b.ReportMetric(float64(n.Bytes())/(1<<20), "training-MiB")
			b.ReportMetric(float64(activations+weights)/(1<<20), "inference-MiB")
			b.ReportMetric(0, "ns/op")
			b.Logf("batch %d", i.Batch())
		})
	}
}

func timed(b *testing.B, f func() error) float64 {
	start := kernels.ThreadSeconds()
	if err := f(); err != nil {
		b.Fatal(err)
	}
	return kernels.ThreadSeconds() - start
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
