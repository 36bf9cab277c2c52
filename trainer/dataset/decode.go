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
	"sync"

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

// huge is the number of pixels from which pictures are decoded one at a time, so that memory holds one of them.
const huge = 1 << 25

var hugeOnes sync.Mutex

// finding is a note made while pictures are decoded side by side.
type finding struct{ kind, text string }

// picture is one that was read: ready for training, and what it was like in its file.
type picture struct {
	image    Image
	side     float32  // longer side in its file, pixels
	traits   []string // of its file, in words of traitWords
	findings []finding
}

// intake reads a data set's pictures: it hashes them in order, and keeps pixels as long as they fit into the room.
type intake struct {
	size   int
	room   int64 // bytes of pixels that may still be kept
	digest *digest
	whole  bool // nothing was left out so far: the digest is that of the data set
	notes  *notes
	sides  []float32
}

// chunk is how many pictures a worker has in memory, whether they are kept or not.
const chunk = 16

// split reads the pictures of a split, side by side, and returns those that can be read, in order.
func (in *intake) split(ctx context.Context, items []item) ([]Image, error) {
	var images []Image
	in.digest.split(len(items))
	for part := range slices.Chunk(items, chunk*workers()) {
		read, err := readAll(ctx, part, in.size)
		if err != nil {
			return nil, err
		}
		for i := range read {
			p := &read[i]
			for _, f := range p.findings {
				in.notes.add(f.kind, "%s", f.text)
			}
			if p.image.Pix == nil {
				in.whole = false
				continue
			}
			for _, trait := range p.traits {
				in.notes.trait(trait, part[i].file)
			}
			in.keep(&p.image, part[i].file)
			images, in.sides = append(images, p.image), append(in.sides, p.side)
		}
	}
	return images, nil
}

// keep hashes a picture and lets go of its pixels if there is no room for them.
func (in *intake) keep(m *Image, file string) {
	in.digest.image(m, m.Pix)
	if n := int64(len(m.Pix)); n <= in.room {
		in.room -= n
		return
	}
	m.again = &again{file: file, size: in.size, sum: checksum(m.Pix)}
	m.Pix = nil
}

// readAll reads pictures side by side.
func readAll(ctx context.Context, items []item, size int) ([]picture, error) {
	all := make([]picture, len(items))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers())
	for i := range items {
		g.Go(func() error {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			p, err := read(items[i], size)
			if err != nil {
				p = picture{findings: []finding{{"broken image", fmt.Sprintf("%s left out: %v", items[i].file, err)}}}
			}
			all[i] = p
			return nil
		})
	}
	return all, g.Wait()
}

// read reads one picture with its boxes.
func read(it item, size int) (p picture, err error) {
	defer func() {
		if r := recover(); r != nil { // a decoder that trips over a broken file
			err = fmt.Errorf("decoder failed: %v", r)
		}
	}()
	pic, traits, err := decodeFile(it.file)
	if err != nil {
		return p, err
	}
	p.side, p.traits = float32(max(pic.W, pic.H)), traits
	p.image, p.findings = fit(it, pic, size)
	return p, nil
}

// decodeFile reads one picture as RGB, upright as its EXIF orientation has it: labels are drawn on what people see.
func decodeFile(file string) (p raster.Pic, traits []string, err error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return p, nil, err
	}
	return decode(b)
}

func decode(b []byte) (p raster.Pic, traits []string, err error) {
	if len(b) == 0 {
		return p, nil, errors.New("file is empty")
	}
	head, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return p, nil, err
	}
	if head.Width <= 0 || head.Height <= 0 {
		return p, nil, fmt.Errorf("%d x %d pixels is no usable size", head.Width, head.Height)
	}
	if head.Width > maxPixels/head.Height {
		return p, nil, fmt.Errorf("%d x %d pixels are more than the %d million that are read: make it smaller", head.Width, head.Height, maxPixels>>20)
	}
	if head.Width*head.Height >= huge {
		hugeOnes.Lock()
		defer hugeOnes.Unlock()
	}
	m, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return p, nil, err
	}
	turn := raster.Orientation(b)
	return raster.FromImage(m).Upright(turn), traitsOf(m, turn), nil
}

// fit letterboxes a picture and carries its boxes along.
func fit(it item, p raster.Pic, size int) (Image, []finding) {
	q, scale, dx, dy := p.Letterbox(size)
	m := Image{Name: it.name, W: size, H: size, Pix: q.Pix}
	w, h := float64(p.W), float64(p.H)
	if dx > 0 || dy > 0 {
		m.Inner = image.Rect(dx, dy, size-dx, size-dy)
		if n := int(math.Round(w * scale)); dx > 0 {
			m.Inner.Max.X = dx + max(1, n)
		}
		if n := int(math.Round(h * scale)); dy > 0 {
			m.Inner.Max.Y = dy + max(1, n)
		}
	}
	var findings []finding
	outlined := false
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
		m.Outlines = append(m.Outlines, it.place(b.outline, w, h, scale, dx, dy))
		outlined = outlined || b.outline != nil
	}
	if !outlined {
		m.Outlines = nil
	}
	return m, findings
}

// place carries an outline into the letterboxed picture; points outside the picture (w x h) move to its edge.
func (it item) place(o Outline, w, h, scale float64, dx, dy int) Outline {
	if o == nil {
		return nil
	}
	sx, sy := 1., 1.
	if it.relative {
		sx, sy = w, h
	}
	placed := make(Outline, len(o))
	for i, part := range o {
		placed[i] = make([]float32, len(part))
		for j := 0; j+1 < len(part); j += 2 {
			x, y := min(max(float64(part[j])*sx, 0), w), min(max(float64(part[j+1])*sy, 0), h)
			placed[i][j], placed[i][j+1] = float32(x*scale)+float32(dx), float32(y*scale)+float32(dy)
		}
	}
	return placed
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
