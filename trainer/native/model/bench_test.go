package model_test

import (
	"runtime"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers/layerstest"
	"github.com/mapsweep/mapsweep/trainer/native/model"
)

// BenchmarkStep runs training steps of gelan-n on 16 images of 128 x 128 pixels with a cheap loss, on one thread. It
// reports images and GFLOP (three forward passes an image) for each second of that thread's processor time.
//
//	go test -run '^$' -bench Step ./trainer/native/model
func BenchmarkStep(b *testing.B) {
	cfg := model.Config{Classes: 5, Width: 128, Height: 128, Batch: 16, Seed: 1, Loss: layerstest.Smooth(1)}
	n := timedNetwork(b, cfg)
	start := kernels.ThreadSeconds()
	for b.Loop() {
		if _, err := n.Step(); err != nil {
			b.Fatal(err)
		}
	}
	spent := kernels.ThreadSeconds() - start
	done := float64(b.N * cfg.Batch)
	_, forward := n.ForwardFLOP()
	b.ReportMetric(done/spent, "images/s")
	b.ReportMetric(3*float64(forward)*done/spent/1e9, "GFLOP/s")
	b.ReportMetric(float64(n.Bytes())/(1<<20), "MiB")
}

// timedNetwork is a network with images, for a thread that the benchmark keeps to its end.
func timedNetwork(b *testing.B, cfg model.Config) *model.Network {
	b.Helper()
	n := build(b, cfg)
	if err := n.SetImages(images(cfg, cfg.Batch)); err != nil {
		b.Fatal(err)
	}
	runtime.LockOSThread()
	b.Cleanup(runtime.UnlockOSThread)
	return n
}

// BenchmarkNew builds and differentiates the network.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		n, err := model.New(model.Config{Classes: 5, Width: 128, Height: 128, Batch: 16})
		if err != nil {
			b.Fatal(err)
		}
		if err := n.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
