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
	b := newBoxBlur(box, max(p.W, p.H))
	for y := range q.H {
		for c := range q.C {
			b.line(q.Pix[y*q.W*q.C+c:], q.W, q.C)
		}
	}
	for x := range q.W {
		for c := range q.C {
			b.line(q.Pix[x*q.C+c:], q.H, q.W*q.C)
		}
	}
	return q
}

// boxBlur is an extended box blur: whole weight for the pixels within a whole radius, the rest for the two next to
// them. Weights have 24 fractional bits.
type boxBlur struct {
	radius      int
	whole, edge uint32
	from, to    []uint8 // a line with radius+1 pixels before and after it
}

func newBoxBlur(radius float32, longest int) boxBlur {
	b := boxBlur{radius: int(radius)}
	b.whole = uint32(float32(1<<24) / (radius*2 + 1))
	b.edge = (1<<24 - uint32(b.radius*2+1)*b.whole) / 2
	n := longest + 2*(b.radius+1)
	b.from, b.to = make([]uint8, n), make([]uint8, n)
	return b
}

// line blurs the n samples pix[0], pix[step], ... in place, in all passes.
func (b *boxBlur) line(pix []uint8, n, step int) {
	pad := b.radius + 1
	for i := range n {
		b.from[pad+i] = pix[i*step]
	}
	for range passes {
		b.pass(n)
		b.from, b.to = b.to, b.from
	}
	for i := range n {
		pix[i*step] = b.from[pad+i]
	}
}

// pass blurs the n samples of from into to. Beyond the ends the end pixel counts.
func (b *boxBlur) pass(n int) {
	pad := b.radius + 1
	from, to := b.from[:n+2*pad], b.to[pad:pad+n]
	for i := range pad {
		from[i], from[pad+n+i] = from[pad], from[pad+n-1]
	}
	var sum uint32 // of the pixels with whole weight
	for _, v := range from[1 : 2*pad] {
		sum += uint32(v)
	}
	for x := range to {
		before, after := uint32(from[x]), uint32(from[x+2*pad])
		to[x] = uint8((sum*b.whole + (before+after)*b.edge + 1<<23) >> 24)
		sum += after - uint32(from[x+1])
	}
}
