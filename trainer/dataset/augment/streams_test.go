package augment_test

import (
	"math"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/dataset/stream"
)

var everything = augment.Settings{Mosaic: .5, MixUp: .5, CopyPaste: .5, HSV: 1, FlipLR: .5, FlipUD: .5, Scale: .3, Translate: .1, AutoAugment: augment.RandAugment}

// The same arguments give the same sample, whatever was made before.
func TestSampleRepeats(t *testing.T) {
	images := coded(20)
	a, b := maker(t, images, everything), maker(t, images, everything)
	for pos := range 60 {
		a(7, 1, pos, pos%20)
	}
	for pos := 59; pos >= 0; pos-- {
		x, bx := a(7, 1, pos, pos%20)
		y, by := b(7, 1, pos, pos%20)
		if !slices.Equal(x, y) || !slices.Equal(bx, by) {
			t.Fatalf("position %d differs", pos)
		}
	}
	x, _ := a(7, 1, 3, 3)
	for _, k := range [][3]int{{8, 1, 3}, {7, 2, 3}, {7, 1, 4}} {
		if y, _ := a(int64(k[0]), k[1], k[2], 3); slices.Equal(x, y) {
			t.Errorf("%v gives the sample of 7, 1, 3", k)
		}
	}
}

// Switching one operation off leaves what the others decide as it was.
func TestTogglesIndependent(t *testing.T) {
	long(t)
	images := coded(20)
	type sample = func(int64, int, int, int) ([]float32, []dataset.Box)
	toggled := func(change func(*augment.Settings)) sample {
		s := everything
		change(&s)
		return maker(t, images, s)
	}
	const n = 200
	// same counts the positions where pixels and boxes are equal, and those where boxes are.
	same := func(a, b sample) (all, boxes int) {
		for pos := range n {
			x, bx := a(1, 0, pos, pos%20)
			y, by := b(1, 0, pos, pos%20)
			if slices.Equal(bx, by) {
				boxes++
				if slices.Equal(x, y) {
					all++
				}
			}
		}
		return all, boxes
	}
	base := maker(t, images, everything)
	if _, boxes := same(base, toggled(func(s *augment.Settings) { s.HSV = 0 })); boxes != n {
		t.Errorf("hsv: boxes change in %d of %d samples", n-boxes, n)
	}
	if all, boxes := same(base, toggled(func(s *augment.Settings) { s.AutoAugment = augment.None })); boxes != n || all == n {
		t.Errorf("autoaugment: boxes change in %d of %d samples, pixels stay in %d", n-boxes, n, all)
	}
	// An operation that is off half of the time: those samples do not change at all.
	for name, change := range map[string]func(*augment.Settings){
		"flip left and right": func(s *augment.Settings) { s.FlipLR = 0 },
		"flip up and down":    func(s *augment.Settings) { s.FlipUD = 0 },
		"mixup":               func(s *augment.Settings) { s.MixUp = 0 },
	} {
		if all, _ := same(base, toggled(change)); all < 70 || all > 130 {
			t.Errorf("%s: %d of %d samples stay, want about half", name, all, n)
		}
	}
	// Copy-paste and mosaic are also drawn for the partner of a mixup: one half of the unmixed samples (3/4 of half) stays.
	for name, change := range map[string]func(*augment.Settings){
		"copy-paste": func(s *augment.Settings) { s.CopyPaste = 0 },
		"mosaic":     func(s *augment.Settings) { s.Mosaic = 1e-12 },
	} {
		if all, _ := same(base, toggled(change)); all < 45 || all > 105 {
			t.Errorf("%s: %d of %d samples stay, want about 3/8", name, all, n)
		}
	}
}

// With copy-paste off the mosaic below it is the same one: its boxes come first.
func TestCopyPasteKeepsMosaic(t *testing.T) {
	images := coded(20)
	with, without := maker(t, images, augment.Settings{Mosaic: 1, CopyPaste: 1}), maker(t, images, augment.Settings{Mosaic: 1})
	longer := 0
	for pos := range 100 {
		_, a := with(0, 0, pos, 0)
		_, b := without(0, 0, pos, 0)
		if len(a) < len(b) || !slices.Equal(a[:len(b)], b) {
			t.Fatalf("position %d: %v does not begin with %v", pos, a, b)
		}
		if len(a) > len(b) {
			longer++
		}
	}
	if longer < 80 {
		t.Errorf("only %d samples have pasted boxes", longer)
	}
}

func TestOrder(t *testing.T) {
	a, b := augment.Order(1, 2, 50), augment.Order(1, 2, 50)
	if !slices.Equal(a, b) || slices.Equal(a, augment.Order(1, 3, 50)) || slices.Equal(a, augment.Order(2, 2, 50)) {
		t.Error("order does not follow seed and epoch alone")
	}
	slices.Sort(a)
	for i, v := range a {
		if i != v {
			t.Fatal("no permutation")
		}
	}
}

// opHSV is the number of the colour change's stream; it is part of what makes old runs repeatable.
const opHSV = 6

// The colour change is value x saturation x hue, written here once more as a product of three plain matrices.
func TestColour(t *testing.T) {
	m := coded(1)
	for i := range m[0].Pix {
		m[0].Pix[i] = uint8(i * 37)
	}
	for _, gain := range []float64{1, .5} {
		sample := maker(t, m, augment.Settings{HSV: gain})
		for pos := range 20 {
			r := stream.New(5, 6, pos, opHSV)
			draw := func(x float64) float64 { return (2*r.Float64() - 1) * x * gain }
			s, v, th := 1+draw(.7), 1+draw(.4), draw(.015)*2*math.Pi
			got, _ := sample(5, 6, pos, 0)
			for i := 0; i < len(got); i += 3 {
				p := [3]float64{float64(m[0].Pix[i]) / 255, float64(m[0].Pix[i+1]) / 255, float64(m[0].Pix[i+2]) / 255}
				// Rodrigues' rotation about (1, 1, 1)/sqrt(3)
				mean := (p[0] + p[1] + p[2]) / 3
				var q [3]float64
				for c := range q {
					cross := (p[(c+2)%3] - p[(c+1)%3]) / math.Sqrt(3)
					q[c] = p[c]*math.Cos(th) + cross*math.Sin(th) + mean*(1-math.Cos(th))
				}
				grey := .299*q[0] + .587*q[1] + .114*q[2]
				for c := range q {
					want := min(1, max(0, v*(s*q[c]+(1-s)*grey)))
					if math.Abs(float64(got[i+c])-want) > 2e-6 {
						t.Fatalf("gain %v, position %d, value %d: %v, want %v", gain, pos, i+c, got[i+c], want)
					}
				}
			}
		}
	}
}
