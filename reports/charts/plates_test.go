package charts_test

import (
	"fmt"
	"image"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports/charts"
)

func hidden(at []image.Rectangle) (pixels int) {
	for i, a := range at {
		for _, b := range at[:i] {
			r := a.Intersect(b)
			pixels += r.Dx() * r.Dy()
		}
	}
	return pixels
}

// Labels of several detections of one object do not hide each other, and none leaves the picture.
func TestPlates(t *testing.T) {
	all := image.Rect(0, 0, 640, 480)
	for name, c := range map[string]struct {
		objects []charts.Marked
		first   image.Point // where the first label begins; below 0: wherever
	}{
		"one":                       {[]charts.Marked{{X0: 100, Y0: 100, X1: 200, Y1: 200, Label: "cat 0.91"}}, image.Pt(100, -1)},
		"seven of one object":       {repeated(7, 200, 150, 330, 280), image.Pt(200, -1)},
		"one at the top":            {[]charts.Marked{{X0: 100, Y0: 2, X1: 200, Y1: 90, Label: "cat 0.91"}}, image.Pt(100, 90)},
		"one at the right":          {[]charts.Marked{{X0: 600, Y0: 100, X1: 640, Y1: 140, Label: "cat 0.91"}}, image.Pt(-1, -1)},
		"one as large as the image": {[]charts.Marked{{X1: 640, Y1: 480, Label: "cat 0.91"}}, image.Pt(0, 0)},
		"three in a corner":         {repeated(3, 560, 400, 640, 480), image.Pt(-1, -1)},
		"beyond the picture":        {[]charts.Marked{{X0: -50, Y0: -60, X1: 700, Y1: 900, Label: "cat 0.91"}}, image.Pt(0, -1)},
	} {
		at, words, err := charts.Plates(all, c.objects)
		if err != nil || len(at) != len(c.objects) {
			t.Fatalf("%s: %d labels, %v", name, len(at), err)
		}
		for i, r := range at {
			if !r.In(all) || r.Empty() || words[i] != c.objects[i].Label {
				t.Errorf("%s: label %q at %v", name, words[i], r)
			}
		}
		if n := hidden(at); n > 0 {
			t.Errorf("%s: %d pixels of labels are hidden: %v", name, n, at)
		}
		if p := at[0].Min; c.first.X >= 0 && p.X != c.first.X || c.first.Y >= 0 && p.Y != c.first.Y {
			t.Errorf("%s: the first label is at %v, want %v", name, p, c.first)
		}
	}
}

// repeated is a detection n times, each a little elsewhere.
func repeated(n int, x0, y0, x1, y1 float64) (all []charts.Marked) {
	for i := range n {
		d := float64(i)
		all = append(all, charts.Marked{X0: x0 + d, Y0: y0 - d, X1: x1 - d, Y1: y1, Class: i, Label: fmt.Sprintf("class %d 0.%d", i, 90-i)})
	}
	return all
}

// Where there is not room for all, the least is hidden: a tenth of what labels above their boxes would hide.
func TestPlatesCrowded(t *testing.T) {
	all, r := image.Rect(0, 0, 640, 480), rand.New(rand.NewPCG(1, 2))
	var objects []charts.Marked
	var above []image.Rectangle
	for i := range 60 {
		x, y := 560*r.Float64(), 400*r.Float64()
		objects = append(objects, charts.Marked{X0: x, Y0: y, X1: x + 80, Y1: y + 80, Label: fmt.Sprintf("cell 0.%02d", 99-i)})
	}
	at, _, err := charts.Plates(all, objects)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range objects {
		above = append(above, at[i].Sub(at[i].Min).Add(image.Pt(int(o.X0), max(0, int(o.Y0)-at[i].Dy()))))
	}
	if got, plain := hidden(at), hidden(above); plain < 1000 || got > plain/10 {
		t.Errorf("%d pixels are hidden, above the boxes %d would be", got, plain)
	}
}

// A label that is wider than the picture loses letters of its name, and never its confidence.
func TestPlatesNarrow(t *testing.T) {
	for _, c := range []struct {
		side  int
		label string
		want  func(string) bool
	}{
		{120, "traffic light of a crossing 0.55", func(s string) bool { return strings.HasPrefix(s, "traffic") && strings.HasSuffix(s, "… 0.55") }},
		{40, "traffic light 0.55", func(s string) bool { return strings.HasSuffix(s, "0.55") }},
		{60, "crosswalkwithoutspace", func(s string) bool { return strings.HasPrefix(s, "cro") && strings.HasSuffix(s, "…") }},
		{300, "cat 0.55", func(s string) bool { return s == "cat 0.55" }},
	} {
		all := image.Rect(0, 0, c.side, c.side)
		at, words, err := charts.Plates(all, []charts.Marked{{X0: 5, Y0: 20, X1: 30, Y1: 35, Label: c.label}})
		if err != nil || !c.want(words[0]) || !at[0].In(all) {
			t.Errorf("%q in %d pixels: %q at %v (%v)", c.label, c.side, words, at, err)
		}
	}
}
