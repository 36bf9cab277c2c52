package kernel_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// BenchmarkAugmentationGPU makes batches of 64 pictures of 640 pixels, the recipes copied to the GPU each time. Compare ms/batch
// with what a training step takes.
func BenchmarkAugmentationGPU(b *testing.B) {
	if !emulator.Real() {
		b.Skip("the emulator's speed says nothing: MAPSWEEP_TEST_GPU=1 takes the machine's GPU")
	}
	const size, batch = 640, 64
	images := pictures(kerneltest.Seed("bench"), 32, size)
	quick := augment.Settings{Mosaic: 1, MixUp: .15, CopyPaste: .3, HSV: 1, FlipLR: .5}
	viewed, policy := quick, quick
	viewed.MosaicLayout, viewed.Scale, viewed.Translate = augment.Whole, .9, .1
	policy.AutoAugment = augment.RandAugment
	for _, c := range []struct {
		name     string
		settings augment.Settings
	}{{"plain", augment.Settings{}}, {"quickstart", quick}, {"whole", viewed}, {"randaugment", policy}} {
		b.Run(c.name, func(b *testing.B) {
			a := newAugmenting(b, images, c.settings, batch)
			out := a.image(kernel.BFloat16, size)
			for i := range batch {
				r, _ := a.cpu.Recipe(0, 0, i, i%len(images), size)
				if err := a.recipes.Set(i, r); err != nil {
					b.Fatal(err)
				}
			}
			launches := a.gpu.Launches(kernel.BFloat16, out)
			b.ResetTimer()
			for range b.N {
				if err := a.Stream.CopyIn(a.gpu.Recipes, a.recipes.Bytes()); err != nil {
					b.Fatal(err)
				}
				a.Run(launches...)
			}
			b.ReportMetric(1e3*b.Elapsed().Seconds()/float64(b.N), "ms/batch")
		})
	}
}
