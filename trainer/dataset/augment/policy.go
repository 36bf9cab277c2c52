package augment

import (
	"math"
	"math/rand/v2"

	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
)

// operation is one of a policy's.
type operation int

const (
	identity operation = iota
	brightness
	contrast
	colour
	sharpness
	posterize
	solarize
	autoContrast
	equalize
	shearX
	shearY
	translateX
	translateY
	rotate
	invert
)

// randAugment applies RandN operations of strength RandM, drawn with replacement (Cubuk et al. 2020,
// arXiv:1909.13719): of nine photometric ones, or with Geometry of those and five geometric ones.
func (a *Augmenter) randAugment(r *rand.Rand) {
	kinds := int(equalize) + 1
	if a.settings.Geometry {
		kinds = int(rotate) + 1
	}
	m := float64(a.settings.RandM) / maxRandM
	for range a.settings.RandN {
		op := operation(r.IntN(kinds))
		a.operate(op, m, r.Float64() < .5)
	}
}

// choice is an operation of AutoAugment with its probability and its magnitude of 10.
type choice struct {
	op          operation
	probability float64
	magnitude   float64
}

// imageNet is the policy that AutoAugment found for ImageNet (Cubuk et al. 2019, arXiv:1805.09501, table 9), as
// published: some sub-policies are there twice.
var imageNet = [25][2]choice{
	{{posterize, .4, 8}, {rotate, .6, 9}}, {{solarize, .6, 5}, {autoContrast, .6, 5}}, {{equalize, .8, 8}, {equalize, .6, 3}},
	{{posterize, .6, 7}, {posterize, .6, 6}}, {{equalize, .4, 7}, {solarize, .2, 4}}, {{equalize, .4, 4}, {rotate, .8, 8}},
	{{solarize, .6, 3}, {equalize, .6, 7}}, {{posterize, .8, 5}, {equalize, 1, 2}}, {{rotate, .2, 3}, {solarize, .6, 8}},
	{{equalize, .6, 8}, {posterize, .4, 6}}, {{rotate, .8, 8}, {colour, .4, 0}}, {{rotate, .4, 9}, {equalize, .6, 2}},
	{{equalize, 0, 7}, {equalize, .8, 8}}, {{invert, .6, 4}, {equalize, 1, 8}}, {{colour, .6, 4}, {contrast, 1, 8}},
	{{rotate, .8, 8}, {colour, 1, 2}}, {{colour, .8, 8}, {solarize, .8, 7}}, {{sharpness, .4, 7}, {invert, .6, 8}},
	{{shearX, .6, 5}, {equalize, 1, 9}}, {{colour, .4, 0}, {equalize, .6, 3}}, {{equalize, .4, 7}, {solarize, .2, 4}},
	{{solarize, .6, 5}, {autoContrast, .6, 5}}, {{invert, .6, 4}, {equalize, 1, 8}}, {{colour, .6, 4}, {contrast, 1, 8}},
	{{equalize, .8, 8}, {equalize, .6, 3}},
}

// imageNetFlat are the places of the sub-policies without geometric operations.
var imageNetFlat = [18]int{1, 2, 3, 4, 6, 7, 9, 12, 13, 14, 16, 17, 19, 20, 21, 22, 23, 24}

// autoAugment applies one sub-policy of imageNet: of the 18 photometric ones, or with Geometry of all 25.
func (a *Augmenter) autoAugment(r *rand.Rand) {
	i := 0
	if a.settings.Geometry {
		i = r.IntN(len(imageNet))
	} else {
		i = imageNetFlat[r.IntN(len(imageNetFlat))]
	}
	for _, c := range imageNet[i] {
		used, more := r.Float64() < c.probability, r.Float64() < .5
		if used {
			a.operate(c.op, c.magnitude/10, more)
		}
	}
}

// Ranges of geometric operations at strength 1, as in both papers: shear in pixels a pixel, moves as share of the side
// (150 of ImageNet's 331 pixels), turns in degrees.
const (
	mostShear = .3
	mostMove  = 150. / 331
	mostTurn  = 30
)

// operate adds an operation of strength m, 0 to 1, to the sample. Those with a sign go up (brighter, to the right,
// against the clock) with more, or else down.
func (a *Augmenter) operate(op operation, m float64, more bool) {
	sign := -1.
	if more {
		sign = 1
	}
	gain := 1 + float64(sign*.9*m)
	move := float64(sign*mostMove*m) * float64(a.size)
	switch op {
	case brightness:
		a.add(Change{Kind: Brightness, Gain: gain})
	case contrast:
		a.add(Change{Kind: Contrast, Gain: gain})
	case colour:
		a.add(Change{Kind: Saturation, Gain: gain})
	case sharpness:
		a.add(Change{Kind: Sharpness, Gain: gain})
	case posterize:
		a.add(Change{Kind: Posterize, Level: 8 - int32(math.RoundToEven(4*m))})
	case solarize:
		a.add(Change{Kind: Solarize, Level: int32(math.RoundToEven(256 - 256*m))})
	case autoContrast:
		a.add(Change{Kind: AutoContrast})
	case equalize:
		a.add(Change{Kind: Equalize})
	case invert:
		a.add(Change{Kind: Invert})
	case shearX:
		a.about(raster.Projection{1, sign * mostShear * m, 0, 0, 1, 0, 0, 0, 1})
	case shearY:
		a.about(raster.Projection{1, 0, 0, sign * mostShear * m, 1, 0, 0, 0, 1})
	case translateX:
		a.about(raster.Projection{1, 0, move, 0, 1, 0, 0, 0, 1})
	case translateY:
		a.about(raster.Projection{1, 0, 0, 0, 1, move, 0, 0, 1})
	case rotate:
		a.about(turn(sign * mostTurn * m))
	}
}

func (a *Augmenter) add(c Change) { a.recipe.Changes = append(a.recipe.Changes, c) }

// about projects the sample about its centre.
func (a *Augmenter) about(p raster.Projection) {
	half := float64(a.size) / 2
	p = raster.Projection{1, 0, -half, 0, 1, -half, 0, 0, 1}.Then(p).Then(raster.Projection{1, 0, half, 0, 1, half, 0, 0, 1})
	if back, ok := a.turned(0, p); ok {
		a.add(Change{Kind: Project, View: back})
	}
}
