package raster

import "math"

// Rotate turns the picture by degrees (positive: against the clock, as seen) about its centre, keeping its size;
// what comes from outside is 0. Interpolation is cubic convolution with a = -1.
func (p Pic) Rotate(degrees float64) Pic {
	turn := math.Mod(degrees, 360)
	if turn == 0 {
		return p
	}
	rad := -turn * math.Pi / 180
	cos, sin := round15(math.Cos(rad)), round15(math.Sin(rad))
	cx, cy := float64(p.W)/2, float64(p.H)/2
	ox := float64(cos*-cx) + float64(sin*-cy) + cx
	oy := float64(-sin*-cx) + float64(cos*-cy) + cy
	q := New(p.W, p.H, p.C)
	for y := range p.H {
		for x := range p.W {
			fx, fy := float64(x)+.5, float64(y)+.5
			p.cubicAt(q.Row(y)[x*p.C:(x+1)*p.C],
				float64(cos*fx)+float64(sin*fy)+ox, float64(-sin*fx)+float64(cos*fy)+oy)
		}
	}
	return q
}

func round15(v float64) float64 { return math.RoundToEven(v*1e15) / 1e15 }

// cubicAt writes the interpolated pixel at x, y (pixel centres at .5) to dst, and nothing outside the picture.
func (p Pic) cubicAt(dst []uint8, x, y float64) {
	if x < 0 || y < 0 || x >= float64(p.W) || y >= float64(p.H) {
		return
	}
	x, y = x-.5, y-.5
	ix, iy := int(math.Floor(x)), int(math.Floor(y))
	dx, dy := x-float64(ix), y-float64(iy)
	var col [4]int
	for i := range col {
		col[i] = max(0, min(p.W-1, ix-1+i)) * p.C
	}
	for c := range dst {
		var v [4]float64
		for i := range v {
			if yy := iy - 1 + i; i > 0 && (yy < 0 || yy >= p.H) {
				v[i] = v[i-1]
				continue
			}
			row := p.Row(max(0, iy-1+i))
			v[i] = cubic(float64(row[col[0]+c]), float64(row[col[1]+c]), float64(row[col[2]+c]), float64(row[col[3]+c]), dx)
		}
		dst[c] = clip8(int(cubic(v[0], v[1], v[2], v[3], dy)))
	}
}

// cubic interpolates between v2 (d = 0) and v3 (d = 1).
func cubic(v1, v2, v3, v4, d float64) float64 {
	p4 := -v1 + v2 - v3 + v4
	p3 := 2*(v1-v2) + v3 - v4
	p2 := -v1 + v3
	return v2 + float64(d*(p2+float64(d*(p3+float64(d*p4)))))
}

// between returns the pixels whose centres lie before and after v (0 <= v < n) and the share of the second one.
func between(v float64, n int) (first, second int, share float64) {
	v -= .5
	if v < 0 {
		return 0, 0, v + 1
	}
	first = int(v)
	return first, min(first+1, n-1), v - float64(first)
}
