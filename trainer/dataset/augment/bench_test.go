package augment_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
)

func trainImages(t testing.TB) []dataset.Image {
	t.Helper()
	d, err := dataset.Load(t.Context(), "builtin:digits", dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d.Train
}

// In the steady state a sample allocates its boxes and nothing else.
func TestAllocations(t *testing.T) {
	images := coded(20)
	a, err := augment.New(images, size, everything)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float32, size*size*3)
	pos := 0
	sample := func() { a.Sample(0, 0, pos, pos%20, out); pos++ }
	for range 500 {
		sample()
	}
	if n := testing.AllocsPerRun(500, sample); n > 1 {
		t.Errorf("%v allocations a sample", n)
	}
}

func BenchmarkSample(b *testing.B) {
	images := trainImages(b)
	quick := augment.Settings{Mosaic: 1, MixUp: .15, CopyPaste: .3, HSV: 1}
	randomly := quick
	randomly.AutoAugment = augment.RandAugment
	for _, c := range []struct {
		name string
		s    augment.Settings
	}{
		{"plain", augment.Settings{}},
		{"quickstart", quick},
		{"quickstart+randaugment", randomly},
		{"everything", augment.Settings{Mosaic: 1, MixUp: 1, CopyPaste: 1, HSV: 1, FlipLR: 1, FlipUD: 1, Scale: .3, Translate: .1, AutoAugment: augment.RandAugment}},
		{"everything but zoom", augment.Settings{Mosaic: 1, MixUp: 1, CopyPaste: 1, HSV: 1, FlipLR: 1, FlipUD: 1, AutoAugment: augment.RandAugment}},
	} {
		b.Run(c.name, func(b *testing.B) {
			a, err := augment.New(images, 128, c.s)
			if err != nil {
				b.Fatal(err)
			}
			out := make([]float32, 128*128*3)
			b.ReportAllocs()
			for i := range b.N {
				a.Sample(0, 0, i, i%len(images), out)
			}
		})
	}
}
