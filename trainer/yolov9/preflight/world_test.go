package preflight_test

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/mapsweep/mapsweep/trainer/yolov9/preflight"
)

// put writes files below dir, making folders.
func put(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// pic draws a picture whose pixels depend on the seed.
func pic(w, h int, seed uint8) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.RGBA{uint8(x*7) + seed, uint8(y*5) ^ seed, uint8(x*y) + 3*seed, 255})
		}
	}
	return m
}

func asJPEG(t testing.TB, m image.Image) string {
	return encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, m, nil) })
}

func asPNG(t testing.TB, m image.Image) string {
	return encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, m) })
}

func asBMP(t testing.TB, m image.Image) string {
	return encoded(t, func(b *bytes.Buffer) error { return bmp.Encode(b, m) })
}

func encoded(t testing.TB, encode func(*bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// pictures are image files with the kind of fault that each is, and whether the official code leaves them out.
func pictures(t testing.TB) []struct {
	name, content, rule string
	ignored             bool
} {
	jpg, pngs := asJPEG(t, pic(40, 30, 1)), asPNG(t, pic(40, 30, 1))
	bmps := asBMP(t, pic(40, 30, 1))
	tiffs := encoded(t, func(b *bytes.Buffer) error { return tiff.Encode(b, pic(40, 30, 1), nil) })
	gifs := encoded(t, func(b *bytes.Buffer) error { return gif.Encode(b, pic(40, 30, 1), nil) })
	crc := strings.Replace(pngs, "IDAT", "IDAT\x00", 1)
	return []struct {
		name, content, rule string
		ignored             bool
	}{
		{"good.jpg", jpg, "", false},
		{"good.png", pngs, "", false},
		{"good.bmp", bmps, "", false},
		{"good.tiff", tiffs, "", false},
		{"png-named.jpg", pngs, "", false},
		{"trailing.jpg", jpg + "\x00\x00\x00", "image-restored", false},
		{"no-end.jpg", jpg[:len(jpg)-2], "image-truncated", true},
		{"half.jpg", jpg[:len(jpg)-200], "image-truncated", true},
		{"headless.jpg", jpg[:10], "image-broken", true},
		{"checksum.png", crc[:len(pngs)], "image-broken", true},
		{"half.png", pngs[:len(pngs)/2], "image-truncated", true},
		{"short.bmp", bmps[:len(bmps)-500], "image-decode", false},
		{"gif.png", gifs, "image-format", true},
		{"ppm.jpg", "P6\n40 30\n255\n" + strings.Repeat("abc", 1200), "image-format", true},
		{"small.png", asPNG(t, pic(9, 40, 1)), "image-small", true},
		{"least.png", asPNG(t, pic(10, 10, 1)), "", false},
		{"empty.jpg", "", "image-broken", true},
		{"short.webp", "RIFF\xff\x00\x00\x00WEBPVP8L\x10\x00\x00\x00\x2f", "image-truncated", true},
		{"text.jpg", "this is no picture at all", "image-broken", true},
	}
}

// labelCases are label files with the rules that they break, for 3 classes, and whether the official code leaves
// their image out.
var labelCases = []struct {
	name, text string
	rules      string // blank separated, in order
	ignored    bool
	rows       int
}{
	{"good", "0 .5 .5 .2 .2\n1 0.1 0.2 0.1 0.1\n", "", false, 2},
	{"no newline, blanks, tabs", "0\t.5  .5 .2 .2 ", "", false, 1},
	{"carriage returns", "0 .5 .5 .2 .2\r\n1 .5 .5 .2 .2\r\n", "", false, 2},
	{"empty", "", "", false, 0},
	{"blank", " \n\n\t\n", "", false, 0},
	{"empty line inside", "0 .5 .5 .2 .2\n\n1 .5 .5 .2 .2\n", "", false, 2},
	{"line of blanks inside", "0 .5 .5 .2 .2\n  \n1 .5 .5 .2 .2\n", "label-columns", true, 0},
	{"byte order mark", "\ufeff0 .5 .5 .2 .2\n", "label-number", true, 0},
	{"not UTF-8", "0 .5 .5 .2 .2 \xff\n", "label-encoding", true, 0},
	{"four columns", "0 .5 .5 .2\n", "label-columns", true, 0},
	{"six columns", "0 .5 .5 .2 .2 .9\n", "label-columns", true, 0},
	{"ragged", "0 .5 .5 .2 .2\n0 .5 .5 .2\n", "label-columns", true, 0},
	{"word", "car .5 .5 .2 .2\n", "label-number", true, 0},
	{"comma", "0,.5,.5,.2,.2\n", "label-columns", true, 0},
	{"hexadecimal", "0 0x1p-1 .5 .2 .2\n", "label-number", true, 0},
	{"underscores", "0 0.5_0 .5 .2 .2\n", "", false, 1},
	{"bad underscore", "0 _0.5 .5 .2 .2\n", "label-number", true, 0},
	{"nan", "0 nan .5 .2 .2\n", "label-negative", true, 0},
	{"infinity", "0 inf .5 .2 .2\n", "label-range", true, 0},
	{"infinite class", "inf .5 .5 .2 .2\n", "class-fraction", false, 1},
	{"negative class", "-1 .5 .5 .2 .2\n", "label-negative", true, 0},
	{"negative x", "0 -.1 .5 .2 .2\n", "label-negative", true, 0},
	{"minus zero", "0 -0.0 .5 .2 .2\n", "label-outside", false, 1},
	{"pixels", "0 120 80 40 30\n", "label-range label-range label-range label-range", true, 0},
	{"just above one", "0 .5 .5 1.0000001 .2\n", "label-range", true, 0},
	{"rounds to one", "0 .5 .5 1.00000001 .2\n", "", false, 1},
	{"class too high", "3 .5 .5 .2 .2\n", "class-range", false, 1},
	{"class fraction", "1.5 .5 .5 .2 .2\n", "class-fraction", false, 1},
	{"class as 1.0", "1.0 .5 .5 .2 .2\n", "", false, 1},
	{"no width", "0 .5 .5 0 .2\n", "label-area", false, 1},
	{"outside", "0 .95 .5 .3 .2\n", "label-outside", false, 1},
	{"barely outside", "0 .9 .5 .21 .2\n", "", false, 1},
	{"twice", "0 .5 .5 .2 .2\n1 .5 .5 .2 .2\n0 0.50 .5 .2 .2\n", "label-twice", false, 2},
	{"polygon", "2 .1 .1 .5 .1 .5 .6\n", "", false, 1},
	{"polygons", "2 .1 .1 .5 .1 .5 .6\n0 .2 .2 .3 .2 .3 .3 .2 .3\n", "", false, 2},
	{"box among polygons", "2 .1 .1 .5 .1 .5 .6\n0 .5 .5 .7 .7\n", "label-mixed-rows", false, 2},
	{"polygon without y", "2 .1 .1 .5 .1 .5 .6 .7\n", "label-columns", true, 0},
	{"class alone among polygons", "2 .1 .1 .5 .1 .5 .6\n0\n", "label-columns", true, 0},
	{"point among polygons", "2 .1 .1 .5 .1 .5 .6\n0 .5 .5\n", "label-area", false, 2},
	{"polygon reaches out", "2 -.1 .1 .5 .1 .5 .6\n", "label-outside", false, 1},
	{"polygon far out", "2 -.9 .1 .5 .1 .5 .6\n", "label-negative label-range", true, 0},
	{"two faults", "0 .5 .5 .2 .2\n0 2 .5 .2 .2\nx .5 .5 .2 .2\n", "label-range label-number", true, 0},
	{"unit separator", "0 .5 .5\x1f.2 .2\n", "", false, 1},
	{"no-break space", "0 .5 .5\u00a0.2 .2\n", "", false, 1},
	{"next line", "0 .5 .5 .2 .2\u00850 .6 .5 .2 .2\n", "", false, 2},
}

// kinds lists the kinds of faults.
func kinds(f preflight.Faults) string {
	var all []string
	for _, x := range f {
		all = append(all, x.Kind)
	}
	return strings.Join(all, " ")
}
