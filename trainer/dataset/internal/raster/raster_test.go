package raster_test

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
)

type fixtures struct {
	W, H      int
	RGB, Grey []byte
	Cases     []struct {
		Op       string
		Arg      []float64
		Channels int
		W, H     int
		Pix      []byte
	}
}

// Every operation gives what Pillow gives, bit for bit.
func TestPillow(t *testing.T) {
	b, err := os.ReadFile("testdata/pillow.json")
	if err != nil {
		t.Fatal(err)
	}
	var f fixtures
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	var lens raster.Lens
	var dull []uint8 // a picture with one flat and one nearly flat channel
	for _, c := range f.Cases {
		t.Run(fmt.Sprint(c.Op, c.Arg, c.Channels), func(t *testing.T) {
			p := raster.Pic{W: f.W, H: f.H, C: 3, Pix: f.RGB}
			if c.Channels == 1 {
				p.C, p.Pix = 1, f.Grey
			}
			if c.Op == "dull" {
				dull = c.Pix
				return
			}
			before := slices.Clone(p.Pix)
			var q raster.Pic
			switch c.Op {
			case "bicubic":
				q = p.Resize(int(c.Arg[0]), int(c.Arg[1]), raster.Bicubic)
			case "bilinear":
				q = p.Resize(int(c.Arg[0]), int(c.Arg[1]), raster.Bilinear)
			case "blur":
				q = p.GaussianBlur(c.Arg[0])
			case "rotate":
				q = p.Rotate(c.Arg[0])
			case "affine":
				q = raster.New(p.W, p.H, p.C)
				lens.Warp(q, p, raster.Projection{c.Arg[0], 0, c.Arg[1], 0, c.Arg[0], c.Arg[2], 0, 0, 1})
			case "warp":
				q = raster.New(p.W, p.H, p.C)
				back := raster.Projection{8: 1}
				copy(back[:], c.Arg)
				lens.Warp(q, p, back)
			case "invert":
				q = raster.Pic{W: p.W, H: p.H, C: 3, Pix: slices.Clone(p.Pix)}
				q.Invert()
			case "autocontrast":
				q = raster.Pic{W: f.W, H: f.H, C: 3, Pix: slices.Clone(dull)}
				q.AutoContrast()
			case "equalize":
				q = equalized(p, dull, int(c.Arg[0]))
			case "brightness", "contrast", "colour", "sharpness", "posterize", "solarize":
				q = raster.Pic{W: p.W, H: p.H, C: 3, Pix: slices.Clone(p.Pix)}
				switch v := c.Arg[0]; c.Op {
				case "brightness":
					q.Brightness(v)
				case "contrast":
					q.Contrast(v)
				case "colour":
					q.Colour(v)
				case "sharpness":
					q.Sharpness(v, make([]uint8, len(q.Pix)))
				case "posterize":
					q.Posterize(int(v))
				case "solarize":
					q.Solarize(int(v))
				}
			default:
				t.Fatalf("unknown operation %q", c.Op)
			}
			if q.W != c.W || q.H != c.H {
				t.Fatalf("size %dx%d, want %dx%d", q.W, q.H, c.W, c.H)
			}
			bad, worst := 0, 0
			for i, v := range q.Pix {
				if d := max(int(v)-int(c.Pix[i]), int(c.Pix[i])-int(v)); d > 0 {
					bad, worst = bad+1, max(worst, d)
				}
			}
			if bad > 0 {
				t.Errorf("%d of %d samples differ, by up to %d", bad, len(q.Pix), worst)
			}
			if !slices.Equal(before, p.Pix) {
				t.Error("the source was changed")
			}
		})
	}
}

// equalized is the picture (0), the dull one (1), or the upper left corner of 4x4 copies (2), equalized.
func equalized(p raster.Pic, dull []uint8, kind int) raster.Pic {
	switch kind {
	case 0:
		p.Pix = slices.Clone(p.Pix)
	case 1:
		p.Pix = slices.Clone(dull)
	case 2:
		q := raster.New(p.W*4, p.H*4, 3)
		for y := range q.H {
			for i := range 4 {
				copy(q.Row(y)[i*p.W*3:], p.Row(y%p.H))
			}
		}
		q.Equalize()
		return q.Crop(0, 0, p.W, p.H)
	}
	p.Equalize()
	return p
}

func TestLetterbox(t *testing.T) {
	for _, c := range []struct{ w, h, size, x, y, inW, inH int }{
		{100, 50, 64, 0, 16, 64, 32}, {50, 100, 64, 16, 0, 32, 64}, {20, 10, 64, 0, 16, 64, 32}, {64, 64, 64, 0, 0, 64, 64}, {1000, 1, 64, 0, 31, 64, 1},
	} {
		p := raster.New(c.w, c.h, 3)
		for i := range p.Pix {
			p.Pix[i] = 200
		}
		q, scale, x, y := p.Letterbox(c.size)
		if x != c.x || y != c.y || scale != float64(c.size)/float64(max(c.w, c.h)) {
			t.Errorf("%dx%d: scale %v at %d,%d, want at %d,%d", c.w, c.h, scale, x, y, c.x, c.y)
		}
		for yy := range c.size {
			for xx := range c.size {
				want := uint8(raster.Grey)
				if xx >= c.x && xx < c.x+c.inW && yy >= c.y && yy < c.y+c.inH {
					want = 200
				}
				if got := q.Row(yy)[3*xx]; got != want {
					t.Fatalf("%dx%d: pixel %d,%d is %d, want %d", c.w, c.h, xx, yy, got, want)
				}
			}
		}
	}
}

// Each kind of image gives the colours that were set, also when its rectangle does not begin at 0, 0.
func TestFromImage(t *testing.T) {
	r := image.Rect(3, 2, 8, 6)
	pal := color.Palette{color.NRGBA{1, 2, 3, 255}, color.NRGBA{200, 100, 50, 255}}
	for name, m := range map[string]interface {
		image.Image
		Set(x, y int, c color.Color)
	}{
		"nrgba": image.NewNRGBA(r), "rgba": image.NewRGBA(r), "paletted": image.NewPaletted(r, pal),
		"nrgba64": image.NewNRGBA64(r), "sub": image.NewNRGBA(image.Rect(0, 0, 20, 20)).SubImage(r).(*image.NRGBA),
	} {
		m.Set(7, 5, color.NRGBA{200, 100, 50, 255})
		p := raster.FromImage(m)
		if p.W != 5 || p.H != 4 {
			t.Fatalf("%s: %dx%d", name, p.W, p.H)
		}
		if got := [3]uint8(p.Row(3)[12:]); got != [3]uint8{200, 100, 50} {
			t.Errorf("%s: %v", name, got)
		}
	}
	y := image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
	y.Y[y.YOffset(7, 5)], y.Cb[y.COffset(7, 5)], y.Cr[y.COffset(7, 5)] = 150, 90, 200
	wr, wg, wb := color.YCbCrToRGB(150, 90, 200)
	if got := [3]uint8(raster.FromImage(y).Row(3)[12:]); got != [3]uint8{wr, wg, wb} {
		t.Errorf("ycbcr: %v", got)
	}
	g := image.NewGray(r)
	g.SetGray(7, 5, color.Gray{77})
	if got := [3]uint8(raster.FromImage(g).Row(3)[12:]); got != [3]uint8{77, 77, 77} {
		t.Errorf("grey: %v", got)
	}
}

// What is no JPEG, or has a broken header, is upright.
func FuzzOrientation(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x22Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x0aExif\x00\x00MM"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if o := raster.Orientation(b); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
	})
}

func TestOrientation(t *testing.T) {
	const exif = "\xff\xd8\xff\xe1\x00\x22Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"
	for text, want := range map[string]int{exif: 6, exif[:20]: 1, "": 1, "\x89PNG": 1, "\xff\xd8\xff\xda": 1} {
		if got := raster.Orientation([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// Pictures in YCbCr of every sampling convert as the image package converts them, also from within others.
func TestYCbCr(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for ratio := image.YCbCrSubsampleRatio444; ratio <= image.YCbCrSubsampleRatio410; ratio++ {
		whole := image.NewYCbCr(image.Rect(0, 0, 23, 17), ratio)
		for _, p := range [][]uint8{whole.Y, whole.Cb, whole.Cr} {
			for i := range p {
				p[i] = uint8(r.IntN(256))
			}
		}
		for _, part := range []image.Rectangle{whole.Rect, image.Rect(1, 3, 22, 14), image.Rect(4, 2, 5, 3)} {
			m := whole.SubImage(part).(*image.YCbCr)
			p := raster.FromImage(m)
			for y := range p.H {
				for x := range p.W {
					c := m.YCbCrAt(part.Min.X+x, part.Min.Y+y)
					red, green, blue := color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
					if got := p.Row(y)[3*x : 3*x+3]; got[0] != red || got[1] != green || got[2] != blue {
						t.Fatalf("%v, %v: pixel %d,%d is %v, want %d %d %d", ratio, part, x, y, got, red, green, blue)
					}
				}
			}
		}
	}
}
