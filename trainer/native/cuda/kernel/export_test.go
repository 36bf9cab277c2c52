package kernel

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// Form16 is one way to compute a bf16 convolution, whichever would be chosen.
type Form16 struct {
	Name  string
	Tiles int // of pixels
	form  form16

	slices slicing16
}

func forms16(forms []form16) (all []Form16) {
	for _, f := range forms {
		all = append(all, Form16{Name: f.kernel, Tiles: int(f.tiles), form: f})
	}
	return all
}

// ForwardForms16, InputGradForms16 and WeightGradForms16 are all ways of a convolution.
func ForwardForms16(c Conv) []Form16 { return forms16(c.forwardForms()) }

func InputGradForms16(c Conv) []Form16 { return forms16(c.backForms()) }

func WeightGradForms16(c Conv, slices ...int64) (all []Form16) {
	for _, wanted := range slices {
		for _, s := range c.slicings16(wanted) {
			all = append(all, Form16{Name: fmt.Sprintf("%s in %d", s.kernel, wanted), slices: s})
		}
	}
	return all
}

// Rows are the pixels of a tile, by number, in the order of images, lines and columns.
func (f Form16) Rows(y View, tile int) (pixels []int) {
	g, m, h, w := f.form.ground, f.form.tile.m, int(y.H), int(y.W)
	if g.across == 0 {
		for p := tile * m; p < min((tile+1)*m, int(y.Pixels())); p++ {
			pixels = append(pixels, p)
		}
		return pixels
	}
	x, line, n := tile%int(g.across)*16, tile/int(g.across)%int(g.down)*(m/16), tile/int(g.across*g.down)
	for i := range m {
		if px, py := x+i%16, line+i/16; px < w && py < h {
			pixels = append(pixels, (n*h+py)*w+px)
		}
	}
	return pixels
}

// Forward, InputGrad and WeightGrad are those of Conv, this way.
func (f Form16) Forward(c Conv) []cuda.Launch { return f.form.forward(c) }

func (f Form16) InputGrad(c Conv, dY, dX View, add bool) []cuda.Launch {
	return f.form.back(c, dY, dX, add)
}

func (f Form16) WeightGrad(c Conv, dY View, dW, scratch cuda.Ptr) []cuda.Launch {
	return whole(f.slices.run(c, dY, dW, scratch))
}

// Scratch is what WeightGrad needs.
func (f Form16) Scratch() int64 { return f.slices.scratch() }

// Form32 are the FP32 convolutions by tiles of one shape, whatever the shape that would be chosen.
type Form32 struct {
	tile
}

func forms32(tiles []tile) (forms []Form32) {
	for _, t := range tiles {
		forms = append(forms, Form32{t})
	}
	return forms
}

// Forms32 are those of products, and of gradients of inputs where the input is not the image; WeightForms32 those of
// gradients of weights.
func Forms32(c Conv) []Form32 { return forms32(c.forwardTiles()) }

func WeightForms32() []Form32 { return forms32(weightTiles) }

func (f Form32) Tiles(c Conv) int { return c.tiles32(f.tile) }

func (f Form32) Forward(c Conv) []cuda.Launch { return c.forward32(f.tile) }

func (f Form32) InputGrad(c Conv, dY, dX View, add bool) []cuda.Launch {
	return c.inputGrad32(dY, dX, add, f.tile)
}

func (f Form32) WeightGrad(c Conv, dY View, dW, scratch cuda.Ptr) []cuda.Launch {
	return whole(c.weightGrad32(dY, dW, scratch, c.splitTile(f.tile)))
}

func (f Form32) Scratch(c Conv) int64 { return c.splitTile(f.tile).scratch(c) }

// WeightGrad computes the gradient of W, FP32 in its layout. Scratch has ScratchBytes.
func (c Conv) WeightGrad(dY View, dW, scratch cuda.Ptr) []cuda.Launch {
	return whole(c.WeightSlices(dY, dW, scratch))
}

// BiasGrad computes the gradient of Bias, FP32 [Y.C]: sums of dY over pixels. Scratch has ScratchBytes.
func (c Conv) BiasGrad(dY View, dB, scratch cuda.Ptr) []cuda.Launch {
	return whole(c.BiasSlices(dY, dB, scratch))
}

// ScratchBytes is what WeightGrad and BiasGrad need, one after the other.
func (c Conv) ScratchBytes() int64 {
	weight := c.split32().scratch(c)
	if c.Type == BFloat16 {
		weight = slices16(c).scratch()
	}
	return max(weight, c.biasScratch())
}

func (s slicing16) scratch() int64 {
	if s.count == 1 {
		return 0
	}
	return s.count * s.weights * 4
}

func (s split) scratch(c Conv) int64 {
	if s.slices == 1 {
		return 0
	}
	return s.slices * c.weights() * 4
}

func (c Conv) biasScratch() int64 {
	slices, _ := c.biasSplit()
	return slices * int64(c.Y.C) * 4
}

// whole is the gradient by two launches: that of its slices, and one that adds them.
func whole(l cuda.Launch, s Slices) []cuda.Launch {
	if s.Count == 1 {
		return []cuda.Launch{l}
	}
	return []cuda.Launch{l, SumSlices(s)}
}
