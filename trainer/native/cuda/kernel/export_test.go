package kernel

import "github.com/mapsweep/mapsweep/trainer/native/cuda"

// Form16 are the bf16 convolutions by tiles of one shape, whatever the shape that would be chosen.
type Form16 struct {
	Name string
	Rows int // pixels of a tile
	tile tile16
}

func forms16(tiles []tile16) (forms []Form16) {
	for _, t := range tiles {
		forms = append(forms, Form16{t.String(), t.m, t})
	}
	return forms
}

// Forms16 are those of products and gradients of inputs, ImageForms16 those of products of the image, and WeightForms16
// those of gradients of weights.
func Forms16() []Form16 { return forms16(gather16) }

func ImageForms16() []Form16 { return forms16(image16) }

func WeightForms16(c Conv) []Form16 { return forms16(c.weightTiles16()) }

func (f Form16) Forward(c Conv) []cuda.Launch { return forwardTile16(c, f.tile) }

func (f Form16) InputGrad(c Conv, dY, dX View, add bool) []cuda.Launch {
	return inputGradTile16(c, dY, dX, add, f.tile)
}

func (f Form16) WeightGrad(c Conv, dY View, dW, scratch cuda.Ptr) []cuda.Launch {
	return weightGradTile16(c, dY, dW, scratch, sliceTile16(c, f.tile))
}

func (f Form16) Scratch(c Conv) int64 { return sliceTile16(c, f.tile).scratch() }

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
	return c.weightGrad32(dY, dW, scratch, c.splitTile(f.tile))
}

func (f Form32) Scratch(c Conv) int64 { return c.splitTile(f.tile).scratch(c) }
