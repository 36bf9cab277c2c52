package raster_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
)

func noise(r *rand.Rand, w, h int) raster.Pic {
	p := raster.New(w, h, 3)
	for i := range p.Pix {
		p.Pix[i] = uint8(r.IntN(256))
	}
	return p
}

// A view that neither turns nor tilts is made by rows and columns; with all numbers of its projection doubled, which
// changes nothing, it is made pixel by pixel. Both give the same bytes, also mirrored, off the picture, and of one pixel.
func TestStretch(t *testing.T) {
	var lens raster.Lens
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		src := noise(r, 1+r.IntN(40), 1+r.IntN(40))
		got := raster.New(1+r.IntN(50), 1+r.IntN(50), 3)
		want := raster.New(got.W, got.H, 3)
		back := raster.Projection{3*r.Float64() - 1, 0, 30*r.Float64() - 10, 0, 3*r.Float64() - 1, 30*r.Float64() - 10, 0, 0, 1}
		twice := back
		for i := range twice {
			twice[i] *= 2
		}
		lens.Warp(got, src, back)
		lens.Warp(want, src, twice)
		if !slices.Equal(got.Pix, want.Pix) {
			t.Errorf("seed %d: %dx%d of %dx%d through %v differ", seed, got.W, got.H, src.W, src.H, back)
		}
	}
}

func BenchmarkWarp(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	src, dst := noise(r, 640, 640), raster.New(320, 320, 3)
	for name, p := range map[string]raster.Projection{
		"stretched": {.9, 0, 170, 0, .9, 170, 0, 0, 1}, "smaller": {1.7, 0, 20, 0, 1.7, 30, 0, 0, 1}, "turned": {.9, .01, 170, -.01, .9, 170, 0, 0, 1},
	} {
		b.Run(name, func(b *testing.B) {
			var lens raster.Lens
			for range b.N {
				lens.Warp(dst, src, p)
			}
		})
	}
}
