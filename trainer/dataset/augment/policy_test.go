package augment_test

import (
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
)

// AutoAugment leaves boxes alone, and with geometry moves them as often as table 9 of the paper says: seven of 25
// sub-policies turn or shear, with the probabilities .6 .8 .2 .8 .4 .8 .6.
func TestAutoAugment(t *testing.T) {
	long(t)
	images := coded(8)
	for i := range images { // one box in the middle, which no operation moves out
		images[i].Boxes = []dataset.Box{{X0: 22, Y0: 24, X1: 42, Y1: 40}}
	}
	plain := maker(t, images, augment.Settings{})
	flat := maker(t, images, augment.Settings{AutoAugment: augment.AutoAugment})
	geometric := maker(t, images, augment.Settings{AutoAugment: augment.AutoAugment, Geometry: true})
	const n = 2500
	changed, moved := 0, 0
	for pos := range n {
		a, ab := plain(0, 0, pos, pos%8)
		b, bb := flat(0, 0, pos, pos%8)
		if !slices.Equal(ab, bb) {
			t.Fatalf("position %d: boxes %v became %v", pos, ab, bb)
		}
		if !slices.Equal(a, b) {
			changed++
		}
		if _, cb := geometric(0, 0, pos, pos%8); !slices.Equal(ab, cb) {
			moved++
		}
	}
	if share := float64(moved) / n; share < .14 || share > .20 {
		t.Errorf("boxes move in %.3f of the samples, want %.3f", share, 4.2/25)
	}
	if changed < n*3/4 {
		t.Errorf("only %d of %d pictures change", changed, n)
	}
}

// Two sub-policies end in the picture inverted (with .6) and equalized, and no other does: 2 of 18 x .6 of the samples.
func TestAutoAugmentSubPolicy(t *testing.T) {
	long(t)
	m := dataset.Image{W: size, H: size, Pix: make([]uint8, size*size*3)}
	for i := range m.Pix {
		m.Pix[i] = uint8(20 + (i*i/7+i%3*40)%190)
	}
	p := raster.Pic{W: size, H: size, C: 3, Pix: slices.Clone(m.Pix)}
	p.Invert()
	p.Equalize()
	sample := maker(t, []dataset.Image{m}, augment.Settings{AutoAugment: augment.AutoAugment})
	const n = 3000
	seen := 0
	for pos := range n {
		if out, _ := sample(0, 0, pos, 0); slices.Equal(bytesOf(out), p.Pix) {
			seen++
		}
	}
	if share := float64(seen) / n; share < .05 || share > .085 {
		t.Errorf("%.4f of the samples are inverted and equalized, want %.4f", share, 2./18*.6)
	}
}

// RandAugment with geometry draws of fourteen operations, five of which move boxes.
func TestRandAugmentGeometry(t *testing.T) {
	long(t)
	images := coded(1)
	images[0].Boxes = []dataset.Box{{X0: 22, Y0: 24, X1: 42, Y1: 40}}
	sample := maker(t, images, augment.Settings{AutoAugment: augment.RandAugment, RandN: 1, Geometry: true})
	const n = 3000
	moved := 0
	for pos := range n {
		if _, b := sample(0, 0, pos, 0); len(b) != 1 || b[0] != images[0].Boxes[0] {
			moved++
		}
	}
	if share := float64(moved) / n; share < .32 || share > .40 {
		t.Errorf("boxes move in %.3f of the samples, want %.3f", share, 5./14)
	}
}
