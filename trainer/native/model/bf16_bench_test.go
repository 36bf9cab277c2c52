package model_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers/layerstest"
	"github.com/mapsweep/mapsweep/trainer/native/model"
)

// BenchmarkBF16 runs training steps on 16 images with a cheap loss in float32 and in bfloat16, in turn, and reports images
// for each second of one thread's processor time, and the median of their ratios.
//
//	go test -run '^$' -bench BF16/gelan-t -benchtime 20x ./trainer/native/model
func BenchmarkBF16(b *testing.B) {
	for _, name := range []string{"gelan-n", "gelan-t", "yolov9-t", "gelan-s"} {
		for _, size := range []int{128, 320} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				var step [2]func() float64
				for i, bf16 := range []bool{false, true} {
					cfg := model.Config{Model: name, Classes: 3, Width: size, Height: size, Batch: 16, Seed: 1, BF16: bf16, Aux: name == "yolov9-t",
						Loss: layerstest.Smooth(1), AuxLoss: layerstest.Smooth(1)}
					n, err := model.New(cfg)
					if err != nil {
						b.Fatal(err)
					}
					defer n.Close()
					if err := n.SetImages(images(cfg, cfg.Batch)); err != nil {
						b.Fatal(err)
					}
					step[i] = func() float64 {
						from := kernels.ThreadSeconds()
						if _, err := n.Step(); err != nil {
							b.Fatal(err)
						}
						return kernels.ThreadSeconds() - from
					}
				}
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				step[0]()
				step[1]()
				var single, half, ratio []float64
				for b.Loop() {
					s, h := step[0](), step[1]()
					single, half, ratio = append(single, 16/s), append(half, 16/h), append(ratio, s/h)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(median(single), "fp32-images/s")
				b.ReportMetric(median(half), "bf16-images/s")
				b.ReportMetric(median(ratio), "ratio")
			})
		}
	}
}
