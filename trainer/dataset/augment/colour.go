package augment

import (
	"math"
	"math/rand/v2"
)

// colours draws the change of the sample's colours.
func (a *Augmenter) colours(k key) {
	c := &a.recipe.Colour
	*c = Colour{}
	switch {
	case a.settings.HSV > 0 && a.settings.HSVMode == Exact:
		c.Mode, c.Scale = Exact, a.settings.changes(a.at(k, opHSV)).scale()
	case a.settings.HSV > 0:
		c.Mode, c.Matrix = Linear, a.settings.colourMatrix(a.at(k, opHSV))
	}
}

// flips draws which sides are swapped, and turns the boxes.
func (a *Augmenter) flips(r *rand.Rand) {
	side, objects := float32(a.size), a.objects[0]
	a.recipe.FlipLR = r.Float64() < a.settings.FlipLR
	if a.recipe.FlipLR {
		for i := range objects {
			objects[i].X0, objects[i].X1 = side-objects[i].X1, side-objects[i].X0
		}
	}
	a.recipe.FlipUD = r.Float64() < a.settings.FlipUD
	if a.recipe.FlipUD {
		for i := range objects {
			objects[i].Y0, objects[i].Y1 = side-objects[i].Y1, side-objects[i].Y0
		}
	}
}

// linearColour writes the sample, its colours changed by the matrix and clipped to 0..1, to out.
func (a *Augmenter) linearColour(out []float32, m [9]float32) {
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
