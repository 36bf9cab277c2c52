package augment

import (
	"math"
	"math/rand/v2"

	"github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"
)

// randAugment applies RandN of nine photometric operations, drawn with replacement (Cubuk et al. 2020,
// arXiv:1909.13719), in place. Those with a sign brighten or darken, and so on, with equal chance.
func (a *Augmenter) randAugment(p raster.Pic, r *rand.Rand) {
	m := float64(a.settings.RandM) / maxRandM
	for range a.settings.RandN {
		op := r.IntN(9)
		gain := 1 + .9*m
		if r.Float64() >= .5 {
			gain = 1 - .9*m
		}
		switch op {
		case 1:
			p.Brightness(gain)
		case 2:
			p.Contrast(gain)
		case 3:
			p.Colour(gain)
		case 4:
			p.Sharpness(gain, a.scratch.Pix)
		case 5:
			p.Posterize(8 - int(math.RoundToEven(4*m)))
		case 6:
			p.Solarize(int(math.RoundToEven(256 - 256*m)))
		case 7:
			p.AutoContrast()
		case 8:
			p.Equalize()
		}
	}
}

// Ranges of the colour change at gain 1, as YOLO's HSV gains: hue in turns, saturation and value as shares.
const (
	hueRange        = .015
	saturationRange = .7
	valueRange      = .4
)

// finish converts the sample to 0..1 in out, with colour change and flips, which also turn the boxes.
func (a *Augmenter) finish(k key, out []float32) {
	if a.settings.HSV > 0 {
		a.colour(out, colourMatrix(a.at(k, opHSV), a.settings.HSV))
	} else {
		for i, v := range a.canvas[0].Pix {
			out[i] = a.level[v]
		}
	}
	r := a.at(k, opFlip)
	n, side, boxes := a.size*3, float32(a.size), a.boxes[0]
	if r.Float64() < a.settings.FlipLR {
		for y := range a.size {
			row := out[y*n : (y+1)*n]
			for i, j := 0, n-3; i < j; i, j = i+3, j-3 {
				row[i], row[i+1], row[i+2], row[j], row[j+1], row[j+2] = row[j], row[j+1], row[j+2], row[i], row[i+1], row[i+2]
			}
		}
		for i := range boxes {
			boxes[i].X0, boxes[i].X1 = side-boxes[i].X1, side-boxes[i].X0
		}
	}
	if r.Float64() < a.settings.FlipUD {
		row := make([]float32, 0, 3*1024) // stays on the stack for sides up to 1024
		for y := range a.size / 2 {
			upper, lower := out[y*n:(y+1)*n], out[(a.size-1-y)*n:(a.size-y)*n]
			row = append(row[:0], upper...)
			copy(upper, lower)
			copy(lower, row)
		}
		for i := range boxes {
			boxes[i].Y0, boxes[i].Y1 = side-boxes[i].Y1, side-boxes[i].Y0
		}
	}
}

// colour writes the sample, its colours changed by the matrix and clipped to 0..1, to out.
func (a *Augmenter) colour(out []float32, m [9]float32) {
	pix := a.canvas[0].Pix
	out = out[:len(pix)]
	for i := 0; i+2 < len(pix); i += 3 {
		r, g, b := a.level[pix[i]], a.level[pix[i+1]], a.level[pix[i+2]]
		out[i] = unit(float32(m[0]*r) + float32(m[1]*g) + float32(m[2]*b))
		out[i+1] = unit(float32(m[3]*r) + float32(m[4]*g) + float32(m[5]*b))
		out[i+2] = unit(float32(m[6]*r) + float32(m[7]*g) + float32(m[8]*b))
	}
}

func unit(v float32) float32 {
	if v < 0 {
		return 0
	}
	if v > 1 {
		return 1
	}
	return v
}

// colourMatrix draws value x saturation x hue: value scales, saturation blends with the ITU-R 601 grey, hue turns
// colours about the grey axis. It stands for an HSV change, is linear, and equals one only for small changes.
func colourMatrix(r *rand.Rand, gain float64) [9]float32 {
	s := 1 + float64(uniform(r, -saturationRange, saturationRange)*gain)
	v := 1 + float64(uniform(r, -valueRange, valueRange)*gain)
	turn := float64(uniform(r, -hueRange, hueRange)*gain) * 2 * math.Pi
	grey := [3]float64{.299, .587, .114}
	c, n := math.Cos(turn), math.Sin(turn)/math.Sqrt(3)
	axis := (1 - c) / 3
	hue := [3][3]float64{{c + axis, axis - n, axis + n}, {axis + n, c + axis, axis - n}, {axis - n, axis + n, c + axis}}
	var m [9]float32
	for i := range 3 {
		for j := range 3 {
			var sum float64
			for k := range 3 {
				w := float64((1 - s) * grey[k])
				if i == k {
					w += s
				}
				sum += float64(float64(v*w) * hue[k][j])
			}
			m[i*3+j] = float32(sum)
		}
	}
	return m
}
