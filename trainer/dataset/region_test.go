package dataset_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
	"github.com/mapsweep/mapsweep/trainer/dataset/shipped"
)

// Backgrounds of training scenes come from the left 8 tile columns of the big picture alone, those of val and test from
// the right 3: a run of background pixels of each scene is looked up in the picture. The dense scenes are not blurred.
func TestDigitsRegions(t *testing.T) {
	if testing.Short() {
		t.Skip("short: searches a large picture")
	}
	const border = 8 * 192
	m, err := shipped.Picture(shipped.Big)
	if err != nil {
		t.Fatal(err)
	}
	big := raster.FromImage(m)
	d := load(t, "builtin:digits-dense", 128)
	for split, images := range map[string][]dataset.Image{"train": d.Train[:12], "val": d.Val[:12], "test": d.Test[:12]} {
		for _, m := range images {
			x, y, run := freeRun(m)
			at, found := -1, 0
			for row := range big.H {
				if i := bytes.Index(big.Row(row), run); i >= 0 && i%3 == 0 {
					at, found = i/3-x, found+1
				}
			}
			if found != 1 {
				t.Errorf("%s: background at %d, %d is found %d times", m.Name, x, y, found)
				continue
			}
			if left := at+128 <= border; left != (split == "train") || !left && at < border {
				t.Errorf("%s: background begins at column %d", m.Name, at)
			}
		}
	}
}

// freeRun finds 24 pixels of a row that no box covers.
func freeRun(m dataset.Image) (x, y int, run []uint8) {
	const n = 24
	for y := range m.H {
		for x := 0; x+n <= m.W; x++ {
			free := true
			for _, b := range m.Boxes {
				if float32(y) >= b.Y0 && float32(y) < b.Y1 && float32(x+n) > b.X0 && float32(x) < b.X1 {
					free = false
				}
			}
			if free {
				return x, y, m.Pix[(y*m.W+x)*3 : (y*m.W+x+n)*3]
			}
		}
	}
	return 0, 0, nil
}

// The boxes of the digits are pinned: they follow from the streams and the handwriting, not from a JPEG decoder, and
// every recorded result depends on them. Change this only together with the data's name.
func TestDigitsBoxesPinned(t *testing.T) {
	if testing.Short() {
		t.Skip("short: loads many pictures")
	}
	h := sha256.New()
	d := theDigits(t)
	for _, split := range [][]dataset.Image{d.Train, d.Val, d.Test} {
		for _, m := range split {
			fmt.Fprintln(h, m.Name, m.Boxes)
		}
	}
	if got, want := fmt.Sprintf("%x", h.Sum(nil))[:16], "c96b643a92041350"; got != want {
		t.Errorf("boxes %s, want %s", got, want)
	}
}

// Train and the other splits share no handwriting: every fourth digit of the source is held out.
func TestHandwritingHeldOut(t *testing.T) {
	train, rest, all := dataset.DigitPools(5)
	seen := map[int]bool{}
	for _, pool := range [][][]int{train, rest} {
		for _, ids := range pool {
			for _, i := range ids {
				if seen[i] {
					t.Errorf("digit %d is in both pools, or twice in one", i)
				}
				seen[i] = true
			}
		}
	}
	if len(train) != 5 || len(rest) != 5 || len(seen) != all {
		t.Errorf("%d and %d classes, %d of %d digits", len(train), len(rest), len(seen), all)
	}
	for _, ids := range train {
		for _, i := range ids {
			if i%4 == 3 {
				t.Errorf("digit %d is in the training pool", i)
			}
		}
	}
}
