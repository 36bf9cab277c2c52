package augment

import (
	"math"
	"math/rand/v2"
)

// finish converts the sample to 0..1 in out, with colour change and flips, which also turn the boxes.
func (a *Augmenter) finish(k key, out []float32) {
	switch {
	case a.settings.HSV > 0 && a.settings.HSVMode == Exact:
		a.exactColour(out, a.settings.changes(a.at(k, opHSV)))
	case a.settings.HSV > 0:
		a.colour(out, a.settings.colourMatrix(a.at(k, opHSV)))
	default:
		for i, v := range a.canvas[0].Pix {
			out[i] = a.level[v]
		}
	}
	r := a.at(k, opFlip)
	n, side, objects := a.size*3, float32(a.size), a.objects[0]
	if r.Float64() < a.settings.FlipLR {
		for y := range a.size {
			row := out[y*n : (y+1)*n]
			for i, j := 0, n-3; i < j; i, j = i+3, j-3 {
				row[i], row[i+1], row[i+2], row[j], row[j+1], row[j+2] = row[j], row[j+1], row[j+2], row[i], row[i+1], row[i+2]
			}
		}
		for i := range objects {
			objects[i].X0, objects[i].X1 = side-objects[i].X1, side-objects[i].X0
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
		for i := range objects {
			objects[i].Y0, objects[i].Y1 = side-objects[i].Y1, side-objects[i].Y0
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

// changes draws the shares by which hue, saturation and value change.
func (set Settings) changes(r *rand.Rand) (c HSV) {
	most, gain := set.ranges(), set.HSV
	c.Saturation = float64(uniform(r, -most.Saturation, most.Saturation) * gain)
	c.Value = float64(uniform(r, -most.Value, most.Value) * gain)
	c.Hue = float64(uniform(r, -most.Hue, most.Hue) * gain)
	return c
}

// colourMatrix draws value x saturation x hue: value scales, saturation blends with the ITU-R 601 grey, hue turns
// colours about the grey axis. It stands for an HSV change, is linear, and equals one only for small changes.
func (set Settings) colourMatrix(r *rand.Rand) [9]float32 {
	change := set.changes(r)
	s, v, turn := 1+change.Saturation, 1+change.Value, change.Hue*2*math.Pi
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
