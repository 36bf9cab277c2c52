package raster

import "math"

// passes is the number of box blurs that stand in for a Gaussian.
const passes = 3

// GaussianBlur blurs with standard deviation radius (pixels), by three extended box blurs a direction
// (Gwosdek et al.: "Theoretical Foundations of Gaussian Convolution by Extended Box Filtering", SSVM 2011).
func (p Pic) GaussianBlur(radius float64) Pic {
	if radius <= 0 {
		return p
	}
	sigma2 := radius * radius / passes
	l := math.Floor((math.Sqrt(12*sigma2+1) - 1) / 2)
	a := (2*l + 1) * (l*(l+1) - 3*sigma2) / (6 * (sigma2 - (l+1)*(l+1)))
	box := float32(l + a)
	q := Pic{p.W, p.H, p.C, append([]uint8(nil), p.Pix...)}
	line, spare := make([]uint8, max(p.W, p.H)), make([]uint8, max(p.W, p.H))
	for y := range q.H {
		for c := range q.C {
			blurLine(q.Pix[y*q.W*q.C+c:], q.C, line[:q.W], spare[:q.W], box)
		}
	}
	for x := range q.W {
		for c := range q.C {
			blurLine(q.Pix[x*q.C+c:], q.W*q.C, line[:q.H], spare[:q.H], box)
		}
	}
	return q
}

// blurLine blurs the samples pix[0], pix[step], ... in place; line and spare are scratch of the line's length.
func blurLine(pix []uint8, step int, line, spare []uint8, radius float32) {
	for i := range line {
		line[i] = pix[i*step]
	}
	for range passes {
		boxLine(spare, line, radius)
		line, spare = spare, line
	}
	for i := range line {
		pix[i*step] = line[i]
	}
}

// boxLine is one box blur: whole weight for the pixels within int(radius), the rest for the two next to them;
// beyond the ends the end pixel counts. Weights have 24 fractional bits.
func boxLine(dst, src []uint8, radius float32) {
	r, last := int(radius), len(src)-1
	whole := uint32(float32(1<<24) / (radius*2 + 1))
	edge := (uint32(1<<24) - uint32(r*2+1)*whole) / 2
	at := func(i int) uint32 { return uint32(src[max(0, min(last, i))]) }
	for x := range dst {
		var sum uint32
		for i := x - r; i <= x+r; i++ {
			sum += at(i)
		}
		dst[x] = uint8((sum*whole + (at(x-r-1)+at(x+r+1))*edge + 1<<23) >> 24)
	}
}
