package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // blank imports: the formats that Load decodes
	_ "image/png"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
	"golang.org/x/sync/errgroup"

	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
)

// extensions are the file names that count as pictures, in lower case.
var extensions = []string{".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}

// maxPixels guards against files that claim absurd sizes.
const maxPixels = 1 << 28

func workers() int { return max(1, runtime.GOMAXPROCS(0)) }

// finding is a note made while pictures are decoded side by side.
type finding struct{ kind, text string }

// decodeAll reads the pictures in parallel, and returns those that can be read with the longer side of each, in order.
func decodeAll(ctx context.Context, items []item, size int, n *notes) ([]Image, []float32, error) {
	type decoded struct {
		image    Image
		side     float32
		findings []finding
	}
	all := make([]decoded, len(items))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers())
	for i := range items {
		g.Go(func() error {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			d := &all[i]
			p, err := decodeFile(items[i].file)
			if err != nil {
				d.findings = []finding{{"broken image", fmt.Sprintf("%s left out: %v", items[i].file, err)}}
				return nil
			}
			d.side = float32(max(p.W, p.H))
			d.image, d.findings = fit(items[i], p, size)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	var images []Image
	var sides []float32
	for i := range all {
		for _, f := range all[i].findings {
			n.add(f.kind, "%s", f.text)
		}
		if all[i].image.Pix != nil {
			images, sides = append(images, all[i].image), append(sides, all[i].side)
		}
	}
	return images, sides, nil
}

// decodeFile reads one picture as RGB, upright as its EXIF orientation has it: labels are drawn on what people see.
func decodeFile(file string) (p raster.Pic, err error) {
	defer func() {
		if r := recover(); r != nil { // a decoder that trips over a broken file
			err = fmt.Errorf("decoder failed: %v", r)
		}
	}()
	b, err := os.ReadFile(file)
	if err != nil {
		return p, err
	}
	if len(b) == 0 {
		return p, errors.New("file is empty")
	}
	head, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return p, err
	}
	if head.Width <= 0 || head.Height <= 0 || head.Width > maxPixels/head.Height {
		return p, fmt.Errorf("%d x %d pixels is no usable size", head.Width, head.Height)
	}
	m, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return p, err
	}
	return raster.FromImage(m).Upright(raster.Orientation(b)), nil
}

// fit letterboxes a picture and carries its boxes along.
func fit(it item, p raster.Pic, size int) (Image, []finding) {
	q, scale, dx, dy := p.Letterbox(size)
	m := Image{Name: it.name, W: size, H: size, Pix: q.Pix}
	var findings []finding
	w, h := float64(p.W), float64(p.H)
	for _, b := range it.boxes {
		x0, y0, x1, y1, area := float64(b.X0), float64(b.Y0), float64(b.X1), float64(b.Y1), float64(b.Area)
		if it.relative {
			x0, y0, x1, y1 = whole(x0*w), whole(y0*h), whole(x1*w), whole(y1*h)
		}
		beyond := max(-x0, -y0, x1-w, y1-h)
		x0, y0, x1, y1 = max(0, x0), max(0, y0), min(w, x1), min(h, y1)
		if !(x1 > x0 && y1 > y0) {
			findings = append(findings, finding{"box outside", fmt.Sprintf("%s%d left out: no part of the box lies in the %d x %d picture", it.source, b.number, p.W, p.H)})
			continue
		}
		if beyond > 1 {
			findings = append(findings, finding{"box cut", fmt.Sprintf("%s%d cut: the box reaches %.0f pixels out of the %d x %d picture", it.source, b.number, beyond, p.W, p.H)})
		}
		m.Boxes = append(m.Boxes, Box{
			Class: b.Class, Crowd: b.Crowd, Area: float32(area * scale * scale),
			X0: float32(x0*scale) + float32(dx), Y0: float32(y0*scale) + float32(dy),
			X1: float32(x1*scale) + float32(dx), Y1: float32(y1*scale) + float32(dy),
		})
	}
	return m, findings
}

// whole undoes the rounding of shares in text: what lies within 1/500 pixel of a whole pixel is whole.
func whole(v float64) float64 {
	if r := math.Round(v); math.Abs(v-r) < .002 {
		return r
	}
	return v
}

// isPicture says whether a file name is that of a picture.
func isPicture(name string) bool {
	i := strings.LastIndexByte(name, '.')
	return i >= 0 && slices.Contains(extensions, strings.ToLower(name[i:]))
}
