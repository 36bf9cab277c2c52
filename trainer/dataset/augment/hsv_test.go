package augment_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
)

// TestExactColour holds colours against Python's colorsys (testdata/hsv.py). At the seams of hue, where a colour may lie
// in either sector, results are the same.
func TestExactColour(t *testing.T) {
	raw, err := os.ReadFile("testdata/hsv.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Hue, Saturation, Value float64
		Colours                [][6]float64
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range cases {
		for _, x := range c.Colours {
			got := augment.ExactColour(uint8(x[0]), uint8(x[1]), uint8(x[2]), augment.HSV{Hue: c.Hue - 1, Saturation: c.Saturation - 1, Value: c.Value - 1})
			for i, v := range got {
				if math.Abs(float64(v)-x[3+i]) > 2e-5 {
					t.Errorf("%v times hue %g, saturation %g, value %g: %v, want %v", x[:3], c.Hue, c.Saturation, c.Value, got, x[3:])
					break
				}
			}
			n++
		}
	}
	if n < 300 {
		t.Errorf("only %d colours", n)
	}
}

// The two ways of changing colours draw the same numbers and are close where changes are small.
func TestHSVModes(t *testing.T) {
	images := coded(6)
	for _, c := range []struct{ gain, least, most float64 }{{.02, 0, .01}, {1, .005, .4}} {
		linear, exact := maker(t, images, augment.Settings{HSV: c.gain}), maker(t, images, augment.Settings{HSV: c.gain, HSVMode: augment.Exact})
		sum, n := 0.0, 0
		for pos := range 6 {
			a, _ := linear(1, 0, pos, pos)
			b, _ := exact(1, 0, pos, pos)
			for i := range a {
				if b[i] < 0 || b[i] > 1 {
					t.Fatalf("value %v", b[i])
				}
				sum += math.Abs(float64(a[i] - b[i]))
				n++
			}
		}
		if mean := sum / float64(n); !(mean >= c.least && mean <= c.most) {
			t.Errorf("gain %g: the modes differ by %.4f, want %g to %g", c.gain, mean, c.least, c.most)
		}
	}
	off, _ := maker(t, images, augment.Settings{HSVMode: augment.Exact})(1, 0, 2, 2)
	plain, _ := maker(t, images, augment.Settings{})(1, 0, 2, 2)
	if !slices.Equal(off, plain) {
		t.Error("the mode matters without a gain")
	}
	if _, err := augment.New(images, size, augment.Settings{HSVMode: "hsl"}); err == nil {
		t.Error("hsv_mode hsl is taken")
	}
}
