package dataset

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
	"github.com/mapsweep/mapsweep/trainer/dataset/shipped"
	"github.com/mapsweep/mapsweep/trainer/dataset/stream"
)

// scene describes composed pictures: handwritten digits on airborne backgrounds. The figures were found by experiment.
type scene struct {
	train, val int        // pictures; the test split has as many as val
	classes    int        // digits 0 to classes-1
	count      [2]int     // objects a picture, both ends included
	size       [2]float64 // of a digit, pixels
	contrast   [2]float64 // share of ink over background
	turn       float64    // largest rotation, degrees
	blur       float64    // standard deviation of the background's blur, pixels
	overlap    float64    // largest intersection with another object, share of the smaller one
}

// scenes are the digit data sets by name. Each is 128 px wide.
var scenes = map[string]scene{
	"digits":         {256, 192, 5, [2]int{3, 8}, [2]float64{16, 36}, [2]float64{.35, .9}, 15, 1, .15},
	"digits-dense":   {256, 128, 3, [2]int{10, 18}, [2]float64{11, 17}, [2]float64{.3, .7}, 15, 0, .10},
	"digits-uniform": {256, 128, 3, [2]int{3, 6}, [2]float64{20, 24}, [2]float64{.6, .6}, 0, 2, .05},
	"digits-few":     {64, 192, 5, [2]int{3, 8}, [2]float64{16, 36}, [2]float64{.35, .9}, 15, 1, .15},
}

const (
	sceneSize   = 128 // pixels
	datasetSeed = 0   // of the streams keyed (datasetSeed, part, image number)
)

// Parts of a digits data set, as stream keys. Train takes backgrounds from the left 8 tile columns of the big
// picture and 3 of 4 of the handwritten digits; val and test take the right 3 columns and the remaining digits,
// each with its own streams: their scenes differ, while their handwriting and region are the same.
// The streams do not know the scene: picture i of every digits set has the same background.
const (
	partTrain = iota
	partVal
	partTest
)

// digits composes a digits data set.
func digits(ctx context.Context, s scene, size int) (*Dataset, error) {
	m, err := shipped.Picture(shipped.Big)
	if err != nil {
		return nil, err
	}
	glyphs, err := shipped.Digits()
	if err != nil {
		return nil, err
	}
	d := &Dataset{Native: float32(sceneSize) / float32(size)}
	for c := range s.classes {
		d.Classes = append(d.Classes, strconv.Itoa(c))
	}
	c := composer{scene: s, background: raster.FromImage(m), glyphs: glyphs}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers())
	for part, split := range []*[]Image{&d.Train, &d.Val, &d.Test} {
		n := s.val
		if part == partTrain {
			n = s.train
		}
		pool := c.pool(part != partTrain)
		*split = make([]Image, n)
		for i := range *split {
			g.Go(func() error {
				if err := context.Cause(ctx); err != nil {
					return err
				}
				(*split)[i] = c.compose(part, i, pool, size)
				return nil
			})
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return d, nil
}

// composer makes pictures of one scene.
type composer struct {
	scene
	background raster.Pic
	glyphs     []shipped.Digit
}

// pool returns the indices of the usable digits by class: every fourth digit of the source is held out of training.
func (c *composer) pool(heldOut bool) [][]int {
	ids := make([][]int, c.classes)
	for i, g := range c.glyphs {
		if g.Class < c.classes && (i%4 == 3) == heldOut {
			ids[g.Class] = append(ids[g.Class], i)
		}
	}
	return ids
}

// compose makes picture i of a part, scaled to size.
func (c *composer) compose(part, i int, pool [][]int, size int) Image {
	r := stream.New(datasetSeed, part, i, 0)
	lo, hi := 0, trainColumns*tile-sceneSize
	if part != partTrain {
		lo, hi = trainColumns*tile, c.background.W-sceneSize
	}
	x, y := lo+r.IntN(hi-lo), r.IntN(c.background.H-sceneSize)
	back := c.background.Crop(x, y, sceneSize, sceneSize).GaussianBlur(c.blur)
	canvas := make([]float32, len(back.Pix))
	for i, v := range back.Pix {
		canvas[i] = float32(v)
	}
	var boxes []Box
	for range c.count[0] + r.IntN(c.count[1]-c.count[0]+1) {
		class := r.IntN(c.classes)
		o := c.object(r, pool[class])
		if b, ok := c.place(r, o, boxes); ok {
			o.paint(canvas, int(b.X0), int(b.Y0))
			b.Class = class
			boxes = append(boxes, b)
		}
	}
	for i, v := range canvas {
		back.Pix[i] = uint8(max(0, min(255, v)))
	}
	out := back.Resize(size, size, raster.Bicubic)
	for i := range boxes {
		k := float32(size) / sceneSize
		b := &boxes[i]
		b.X0, b.Y0, b.X1, b.Y1 = b.X0*k, b.Y0*k, b.X1*k, b.Y1*k
	}
	return Image{Name: fmt.Sprintf("%s-%04d", [...]string{"train", "val", "test"}[part], i), W: size, H: size, Pix: out.Pix, Boxes: boxes}
}

// object is a digit ready to be painted: its ink mask, trimmed to its bounds.
type object struct {
	w, h     int
	mask     []float32 // h*w, 0..1
	contrast float32
	white    float32    // 255: light ink, 0: dark ink
	tint     [3]float32 // added to the ink
}

// object draws one digit of the pool, with its size, contrast, ink, tint and rotation.
func (c *composer) object(r *rand.Rand, pool []int) object {
	glyph := c.glyphs[pool[r.IntN(len(pool))]]
	side := int(math.RoundToEven(uniform(r, c.size[0], c.size[1])))
	o := object{contrast: float32(uniform(r, c.contrast[0], c.contrast[1]))}
	if r.Float64() < .7 {
		o.white = 255
	}
	for i := range o.tint {
		o.tint[i] = float32(uniform(r, -20, 20))
	}
	turn := uniform(r, -c.turn, c.turn)
	const pad, padded = 2, 12 // 8x8 pixels in a frame of 2
	g := raster.New(padded, padded, 1)
	for i, v := range glyph.Ink {
		g.Row(i/8 + pad)[i%8+pad] = uint8(float64(v) / 16 * 255)
	}
	g = g.Resize(side*3/2, side*3/2, raster.Bicubic).Rotate(turn)
	const ink = 77 // more than 0.3 of 255
	x0, y0, x1, y1 := g.W, g.H, 0, 0
	for y := range g.H {
		for x, v := range g.Row(y) {
			if v >= ink {
				x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
			}
		}
	}
	o.w, o.h = x1-x0, y1-y0
	o.mask = make([]float32, 0, o.w*o.h)
	for y := y0; y < y1; y++ {
		for _, v := range g.Row(y)[x0:x1] {
			o.mask = append(o.mask, float32(v)/255)
		}
	}
	return o
}

// place seeks a free place for the object in up to 20 tries.
func (c *composer) place(r *rand.Rand, o object, taken []Box) (Box, bool) {
	for range 20 {
		x, y := float32(r.IntN(sceneSize-o.w+1)), float32(r.IntN(sceneSize-o.h+1))
		b := Box{X0: x, Y0: y, X1: x + float32(o.w), Y1: y + float32(o.h)}
		free := true
		for _, t := range taken {
			smaller := min((b.X1-b.X0)*(b.Y1-b.Y0), (t.X1-t.X0)*(t.Y1-t.Y0))
			if float64(intersection(b, t)) > c.overlap*float64(smaller) {
				free = false
				break
			}
		}
		if free {
			return b, true
		}
	}
	return Box{}, false
}

// paint blends the object into the RGB canvas of the scene, its corner at x, y. The ink is the mean colour below the
// object, moved towards white or black by the contrast, and tinted.
func (o object) paint(canvas []float32, x, y int) {
	at := func(i, j int) []float32 { k := ((y+i)*sceneSize + x + j) * 3; return canvas[k : k+3] }
	var sum [3]float64
	for i := range o.h {
		for j := range o.w {
			for c, v := range at(i, j) {
				sum[c] += float64(v)
			}
		}
	}
	var ink [3]float32
	for c := range ink {
		mean := float32(sum[c] / float64(o.w*o.h))
		ink[c] = float32(mean*(1-o.contrast)) + float32(o.contrast*o.white) + o.tint[c]
	}
	for i := range o.h {
		for j := range o.w {
			p, m := at(i, j), o.mask[i*o.w+j]
			for c := range p {
				p[c] = float32(p[c]*(1-m)) + float32(m*ink[c])
			}
		}
	}
}

func uniform(r *rand.Rand, lo, hi float64) float64 { return lo + float64((hi-lo)*r.Float64()) }

// intersection is the common area of two boxes.
func intersection(a, b Box) float32 {
	return max(0, min(a.X1, b.X1)-max(a.X0, b.X0)) * max(0, min(a.Y1, b.Y1)-max(a.Y0, b.Y0))
}
