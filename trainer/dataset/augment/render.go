package augment

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
)

// Render makes the picture of a recipe, written by an augmenter of the same images and settings. out receives Side*Side*3
// values 0..1, rows of RGB. An error names the picture that could not be read; it happens only to pictures that are not kept in RAM.
func (a *Augmenter) Render(r *Recipe, out []float32) error {
	for n := range r.Layers {
		if err := a.lay(n, &r.Layers[n]); err != nil {
			return err
		}
	}
	if len(r.Layers) > 1 {
		a.blend(r.Weight)
	}
	for i := range r.Changes {
		a.change(&r.Changes[i])
	}
	full := out
	if r.Side != a.size {
		if a.full == nil {
			a.full = make([]float32, a.size*a.size*3)
		}
		full = a.full
	}
	a.finish(&r.Colour, full)
	if r.FlipLR {
		a.swapColumns(full)
	}
	if r.FlipUD {
		a.swapRows(full)
	}
	if r.Side != a.size {
		a.resized(out, r.Side)
	}
	return nil
}

// lay makes canvas n the layer.
func (a *Augmenter) lay(n int, l *Layer) error {
	stage := a.canvas[n]
	if l.Stage != a.size {
		stage = a.wide
		stage.Fill(raster.Grey)
	}
	if err := a.putAll(stage, l.Parts); err != nil {
		return err
	}
	if len(l.Mirrored) > 0 {
		a.mirror(stage, l.Mirrored)
	}
	if err := a.putAll(stage, l.Pasted); err != nil {
		return err
	}
	if l.Seen {
		a.see(n, stage, l.View)
	}
	return nil
}

func (a *Augmenter) putAll(stage raster.Pic, parts []Part) error {
	for _, p := range parts {
		pix, err := a.pixels(int(p.Image))
		if err != nil {
			return err
		}
		for y := range int(p.H) {
			copy(stage.Row(int(p.Y) + y)[3*p.X:3*(p.X+p.W)], pix.Row(int(p.FromY) + y)[3*p.FromX:])
		}
	}
	return nil
}

// pixels are those of an image.
func (a *Augmenter) pixels(index int) (raster.Pic, error) {
	m := a.images[index].image
	pix, err := m.Pixels()
	if err == nil && len(pix) != a.size*a.size*3 {
		err = fmt.Errorf("%d bytes of pixels, want %d", len(pix), a.size*a.size*3)
	}
	if err != nil {
		return raster.Pic{}, fmt.Errorf("image %s: %w", m.Name, err)
	}
	return raster.Pic{W: a.size, H: a.size, C: 3, Pix: pix}, nil
}

// mirror shows, in each polygon, the stage as it was, mirrored left and right about its middle.
func (a *Augmenter) mirror(stage raster.Pic, polygons [][]float32) {
	a.before = append(a.before[:0], stage.Pix...)
	before := raster.Pic{W: stage.W, H: stage.H, C: 3, Pix: a.before}
	for _, p := range polygons {
		raster.Spans(p, stage.W, stage.H, func(y, x0, x1 int) {
			for x := x0; x < x1; x++ {
				copy(stage.Row(y)[3*x:3*x+3], before.Row(y)[3*(stage.W-1-x):])
			}
		})
	}
}

// see makes canvas n the picture seen through the projection back, from canvas to picture.
func (a *Augmenter) see(n int, p raster.Pic, back raster.Projection) {
	a.lens.Warp(a.scratch, p, back)
	a.scratch, a.canvas[n] = a.canvas[n], a.scratch
}

// blend mixes the partner into the sample, which keeps the weight w.
func (a *Augmenter) blend(w float64) {
	pix, other := a.canvas[0].Pix, a.canvas[1].Pix
	var mine, theirs [256]float64
	for i := range mine {
		mine[i], theirs[i] = float64(i)*w, float64(i)*(1-w)
	}
	for i, v := range other[:len(pix)] {
		pix[i] = uint8(mine[pix[i]] + theirs[v])
	}
}

func (a *Augmenter) change(c *Change) {
	p := a.canvas[0]
	switch c.Kind {
	case Brightness:
		p.Brightness(c.Gain)
	case Contrast:
		p.Contrast(c.Gain)
	case Saturation:
		p.Colour(c.Gain)
	case Sharpness:
		p.Sharpness(c.Gain, a.scratch.Pix)
	case Posterize:
		p.Posterize(int(c.Level))
	case Solarize:
		p.Solarize(int(c.Level))
	case AutoContrast:
		p.AutoContrast()
	case Equalize:
		p.Equalize()
	case Invert:
		p.Invert()
	case Project:
		a.see(0, p, c.View)
	}
}

// finish writes the sample to out, with its colours changed.
func (a *Augmenter) finish(c *Colour, out []float32) {
	switch c.Mode {
	case Linear:
		a.linearColour(out, c.Matrix)
	case Exact:
		a.exactColour(out, c.Scale)
	default:
		for i, v := range a.canvas[0].Pix {
			out[i] = a.level[v]
		}
	}
}

// swapColumns swaps left and right of a picture of the augmenter's size.
func (a *Augmenter) swapColumns(out []float32) {
	n := a.size * 3
	for y := range a.size {
		row := out[y*n : (y+1)*n]
		for i, j := 0, n-3; i < j; i, j = i+3, j-3 {
			row[i], row[i+1], row[i+2], row[j], row[j+1], row[j+2] = row[j], row[j+1], row[j+2], row[i], row[i+1], row[i+2]
		}
	}
}

// swapRows swaps top and bottom.
func (a *Augmenter) swapRows(out []float32) {
	n := a.size * 3
	row := make([]float32, 0, 3*1024) // stays on the stack for sides up to 1024
	for y := range a.size / 2 {
		upper, lower := out[y*n:(y+1)*n], out[(a.size-1-y)*n:(a.size-y)*n]
		row = append(row[:0], upper...)
		copy(upper, lower)
		copy(lower, row)
	}
}
