package charts_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports/charts"
	"github.com/mapsweep/mapsweep/reports/internal/golden"
)

// level is a curve that falls from 1, the faster the larger k is.
func level(name string, k int) charts.Level {
	l := charts.Level{Name: name}
	for i := range 101 {
		l.Values = append(l.Values, math.Pow(1-float64(i)/100, float64(k)/3))
	}
	return l
}

func levels(n int) charts.Levels {
	d := charts.Levels{X: "recall", Y: "precision", Mean: level("all classes, AP50 0.512", 3), At: -1}
	for k := range n {
		d.Lines = append(d.Lines, level(fmt.Sprintf("class %d with a long name, 0.%d", k, 100+k), k+1))
	}
	return d
}

func confusion(n int) charts.Confusion {
	m := charts.Confusion{Counts: make([][]int, n+1)}
	for p := range m.Counts {
		m.Counts[p] = make([]int, n+1)
		for a := range m.Counts[p] {
			if d := p - a; d == 0 {
				m.Counts[p][a] = 90 + a
			} else if (p*7+a*3)%5 == 0 {
				m.Counts[p][a] = 1 + (p+a)%40
			}
		}
	}
	m.Counts[n][n] = 0
	for k := range n {
		m.Names = append(m.Names, fmt.Sprintf("class %d", k))
	}
	return m
}

func TestDetectionCharts(t *testing.T) {
	at := levels(3)
	at.X, at.Y, at.At = "confidence", "F1", 0.31
	for name, write := range map[string]func(*bytes.Buffer, string) error{
		"curves-few":   func(b *bytes.Buffer, f string) error { return charts.WriteLevels(b, at, f) },
		"curves-ten":   func(b *bytes.Buffer, f string) error { return charts.WriteLevels(b, levels(10), f) },
		"curves-many":  func(b *bytes.Buffer, f string) error { return charts.WriteLevels(b, levels(40), f) },
		"confusion-3":  func(b *bytes.Buffer, f string) error { return charts.WriteConfusion(b, confusion(3), f) },
		"confusion-20": func(b *bytes.Buffer, f string) error { return charts.WriteConfusion(b, confusion(20), f) },
		"confusion-80": func(b *bytes.Buffer, f string) error { return charts.WriteConfusion(b, confusion(80), f) },
	} {
		t.Run(name, func(t *testing.T) {
			var svg, dots bytes.Buffer
			if err := errors.Join(write(&svg, "svg"), write(&dots, "png")); err != nil {
				t.Fatal(err)
			}
			m, err := png.Decode(&dots)
			if err != nil || m.Bounds().Dx() < 1000 {
				t.Fatalf("PNG: %v", err)
			}
			if left, right := blank(m); right > m.Bounds().Dx()/20 {
				t.Errorf("PNG of %d dots across: %d are blank at the left, %d at the right", m.Bounds().Dx(), left, right)
			}
			if len(svg.Bytes()) < 60_000 {
				golden.Check(t, name+".svg", svg.Bytes())
			}
		})
	}
}

// blank is how many columns at the left and at the right of a picture are of one colour.
func blank(m image.Image) (left, right int) {
	b := m.Bounds()
	ground := m.At(b.Min.X, b.Min.Y)
	empty := func(x int) bool {
		for y := b.Min.Y; y < b.Max.Y; y++ {
			if m.At(x, y) != ground {
				return false
			}
		}
		return true
	}
	for ; left < b.Dx() && empty(b.Min.X+left); left++ {
	}
	for ; right < b.Dx() && empty(b.Max.X-1-right); right++ {
	}
	return left, right
}

// Counts that do not fit their cells are rounded to three digits and a unit; what rounds to a thousand of one is one of the next.
func TestLargeCounts(t *testing.T) {
	m := confusion(20)
	for i, v := range []int{999, 98_765_432, 999_499_999, 1_000_000, 1_234_567, 999_499, 999_500, 999_999, 123_456} {
		m.Counts[i][i] = v
	}
	var b bytes.Buffer
	if err := charts.WriteConfusion(&b, m, "svg"); err != nil {
		t.Fatal(err)
	}
	texts := map[string]int{}
	for _, s := range regexp.MustCompile(`>([0-9.e+]+[kM]?)</text>`).FindAllStringSubmatch(b.String(), -1) {
		texts[s[1]]++
	}
	for text, n := range map[string]int{"999": 1, "98.8M": 1, "999M": 1, "1M": 3, "1.23M": 1, "999k": 1, "123k": 1, "1e+03k": 0, "1.23e+03k": 0} {
		if texts[text] != n {
			t.Errorf("%q stands there %d times, want %d: %v", text, texts[text], n, texts)
		}
	}
}

func TestDetectionChartFaults(t *testing.T) {
	var b bytes.Buffer
	if err := charts.WriteLevels(&b, charts.Levels{At: -1}, "svg"); !errors.Is(err, charts.ErrNothing) {
		t.Errorf("no curve: %v", err)
	}
	if err := charts.WriteLevels(&b, levels(1), "gif"); err == nil || !strings.Contains(err.Error(), "gif") {
		t.Errorf("unknown format: %v", err)
	}
	m := confusion(3)
	m.Names = m.Names[:2]
	if err := charts.WriteConfusion(&b, m, "svg"); err == nil {
		t.Error("a matrix with too few names was drawn")
	}
}

// Boxes and labels stay inside the picture, are where they should be, and touch nothing else.
func TestDrawBoxes(t *testing.T) {
	ground := color.RGBA{120, 130, 140, 255}
	m := image.NewRGBA(image.Rect(0, 0, 320, 240))
	draw.Draw(m, m.Rect, image.NewUniform(ground), image.Point{}, draw.Src)
	err := charts.DrawBoxes(m, []charts.Marked{
		{X0: 40, Y0: 60, X1: 140, Y1: 200, Class: 0, Label: "tree 0.91"},
		{X0: 250, Y0: 2, X1: 330, Y1: 90, Class: 3, Label: "a label at the corner 0.5"},
		{X0: 200, Y0: 150, X1: 200.2, Y1: 150.3, Class: 1}, {X0: 230, Y0: 180, X1: 231, Y1: 181, Class: -2, Label: "dot"},
	})
	if err != nil {
		t.Fatal(err)
	}
	vermilion := color.RGBA{0xd5, 0x5e, 0, 255}
	for _, p := range []image.Point{{40, 60}, {139, 199}, {40, 150}, {90, 199}, {45, 58}} {
		if got := m.RGBAAt(p.X, p.Y); got != vermilion && p.Y != 58 {
			t.Errorf("edge at %v is %v", p, got)
		}
	}
	for _, p := range []image.Point{{90, 130}, {20, 20}, {145, 100}, {10, 239}, {200, 150}} {
		if got := m.RGBAAt(p.X, p.Y); got != ground {
			t.Errorf("ground at %v is %v", p, got)
		}
	}
	white := 0 // letters of the first label
	for y := 45; y < 60; y++ {
		for x := 40; x < 110; x++ {
			if c := m.RGBAAt(x, y); c.R > 240 && c.G > 240 {
				white++
			}
		}
	}
	if white < 40 {
		t.Errorf("%d bright pixels in the label", white)
	}
	if dir := os.Getenv("MAPSWEEP_PICTURES"); dir != "" { // for people
		f, err := os.Create(dir + "/boxes.png")
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDrawBoxesTiny(t *testing.T) {
	for _, side := range []int{1, 5, 4000} {
		m := image.NewRGBA(image.Rect(0, 0, side, 1+side/3))
		if err := charts.DrawBoxes(m, []charts.Marked{{X1: float64(side), Y1: 9, Label: "x"}}); err != nil {
			t.Errorf("%d: %v", side, err)
		}
	}
	if err := charts.DrawBoxes(image.NewRGBA(image.Rect(0, 0, 9, 9)), nil); err != nil {
		t.Error(err)
	}
}
