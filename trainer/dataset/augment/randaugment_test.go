package augment_test

import (
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
)

// One operation of magnitude 9 gives one of 13 pictures: the results of nine operations, four of them with a sign,
// each as likely as its operation. The operations themselves are checked against Pillow in package raster.
func TestRandAugmentOperations(t *testing.T) {
	long(t)
	m := dataset.Image{W: size, H: size, Pix: make([]uint8, size*size*3)}
	for i := range m.Pix {
		m.Pix[i] = uint8(20 + (i*i/7+i%3*40)%190)
	}
	pictures := map[string]string{}
	kinds := map[string]float64{}
	add := func(name string, share float64, f func(raster.Pic)) {
		p := raster.Pic{W: size, H: size, C: 3, Pix: slices.Clone(m.Pix)}
		f(p)
		pictures[string(p.Pix)] = name
		kinds[name] = share
	}
	add("identity", 1./9, func(raster.Pic) {})
	for sign, g := range map[string]float64{"+": 1 + .9*9/30, "-": 1 - .9*9/30} {
		add("brightness"+sign, 1./18, func(p raster.Pic) { p.Brightness(g) })
		add("contrast"+sign, 1./18, func(p raster.Pic) { p.Contrast(g) })
		add("colour"+sign, 1./18, func(p raster.Pic) { p.Colour(g) })
		add("sharpness"+sign, 1./18, func(p raster.Pic) { p.Sharpness(g, make([]uint8, len(p.Pix))) })
	}
	add("posterize", 1./9, func(p raster.Pic) { p.Posterize(7) })
	add("solarize", 1./9, func(p raster.Pic) { p.Solarize(179) })
	add("autocontrast", 1./9, func(p raster.Pic) { p.AutoContrast() })
	add("equalize", 1./9, func(p raster.Pic) { p.Equalize() })
	if len(pictures) != 13 {
		t.Fatalf("the test picture tells only %d of 13 results apart", len(pictures))
	}
	sample := maker(t, []dataset.Image{m}, augment.Settings{AutoAugment: augment.RandAugment, RandN: 1})
	const n = 3600
	seen := map[string]int{}
	for pos := range n {
		out, _ := sample(0, 0, pos, 0)
		name, ok := pictures[string(bytesOf(out))]
		if !ok {
			t.Fatalf("position %d is the result of no operation", pos)
		}
		seen[name]++
	}
	for name, share := range kinds {
		if got := float64(seen[name]) / n; got < share*.75 || got > share*1.25 {
			t.Errorf("%s: %.3f of the samples, want %.3f", name, got, share)
		}
	}
}

// Two operations of magnitude 9 are the default, and the second one adds to the first.
func TestRandAugmentTwice(t *testing.T) {
	long(t)
	m := coded(1)[0]
	one := maker(t, []dataset.Image{m}, augment.Settings{AutoAugment: augment.RandAugment, RandN: 1})
	two := maker(t, []dataset.Image{m}, augment.Settings{AutoAugment: augment.RandAugment})
	explicit := maker(t, []dataset.Image{m}, augment.Settings{AutoAugment: augment.RandAugment, RandN: 2, RandM: 9})
	differ := 0
	for pos := range 100 {
		a, _ := one(0, 0, pos, 0)
		b, _ := two(0, 0, pos, 0)
		c, _ := explicit(0, 0, pos, 0)
		if !slices.Equal(b, c) {
			t.Fatalf("position %d: the default is not 2 operations of magnitude 9", pos)
		}
		if !slices.Equal(a, b) {
			differ++
		}
	}
	if differ < 50 || differ == 100 { // identity does nothing, nor does solarize to this dark picture
		t.Errorf("a second operation changes %d of 100 samples", differ)
	}
}
