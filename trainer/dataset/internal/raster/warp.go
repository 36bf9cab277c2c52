package raster

// Projection maps the plane: (x, y) goes to ((m0 x + m1 y + m2) / w, (m3 x + m4 y + m5) / w) with w = m6 x + m7 y + m8.
// Pixel i of a row covers i to i+1.
type Projection [9]float64

// Then is the projection that does p first and q after it.
func (p Projection) Then(q Projection) Projection {
	var m Projection
	for i := range 3 {
		for j := range 3 {
			m[3*i+j] = float64(q[3*i]*p[j]) + float64(q[3*i+1]*p[3+j]) + float64(q[3*i+2]*p[6+j])
		}
	}
	return m
}

// Inverse undoes p; ok is false for one that flattens the plane.
func (p Projection) Inverse() (q Projection, ok bool) {
	minor := func(a, b, c, d int) float64 { return float64(p[a]*p[d]) - float64(p[b]*p[c]) }
	q = Projection{
		minor(4, 5, 7, 8), -minor(1, 2, 7, 8), minor(1, 2, 4, 5),
		-minor(3, 5, 6, 8), minor(0, 2, 6, 8), -minor(0, 2, 3, 5),
		minor(3, 4, 6, 7), -minor(0, 1, 6, 7), minor(0, 1, 3, 4),
	}
	det := float64(p[0]*q[0]) + float64(p[1]*q[3]) + float64(p[2]*q[6])
	if det > -1e-12 && det < 1e-12 {
		return q, false
	}
	for i := range q {
		q[i] /= det
	}
	return q, true
}

// At maps a point. front is false where it comes from behind the eye and has no place in the picture.
func (p Projection) At(x, y float64) (u, v float64, front bool) {
	w := float64(p[6]*x) + float64(p[7]*y) + p[8]
	if w < 1e-6 {
		return 0, 0, false
	}
	return (float64(p[0]*x) + float64(p[1]*y) + p[2]) / w, (float64(p[3]*x) + float64(p[4]*y) + p[5]) / w, true
}

// Warp fills dst with src seen through back, which maps dst to src, by bilinear interpolation; what comes from outside
// is Grey. Both pictures are RGB; they must not overlap in memory.
func (l *Lens) Warp(dst, src Pic, back Projection) {
	flat := back[6] == 0 && back[7] == 0 && back[8] == 1
	if flat && back[1] == 0 && back[3] == 0 {
		l.stretch(dst, src, back[0], back[2], back[4], back[5])
		return
	}
	w, h := float64(src.W), float64(src.H)
	for y := range dst.H {
		row := dst.Row(y)
		fy := float64(y) + .5
		for x := range dst.W {
			p := row[3*x : 3*x+3 : 3*x+3]
			fx := float64(x) + .5
			sx := float64(back[0]*fx) + float64(back[1]*fy) + back[2]
			sy := float64(back[3]*fx) + float64(back[4]*fy) + back[5]
			if !flat {
				d := float64(back[6]*fx) + float64(back[7]*fy) + back[8]
				if d < 1e-6 {
					p[0], p[1], p[2] = Grey, Grey, Grey
					continue
				}
				sx, sy = sx/d, sy/d
			}
			if !(sx >= 0 && sx < w && sy >= 0 && sy < h) {
				p[0], p[1], p[2] = Grey, Grey, Grey
				continue
			}
			src.bilinear(p, sx, sy)
		}
	}
}

// bilinear writes the pixel at x, y (pixel centres at .5), which must lie inside, to dst; three channels.
func (p Pic) bilinear(dst []uint8, x, y float64) {
	x0, x1, dx := between(x, p.W)
	y0, y1, dy := between(y, p.H)
	upper, lower := p.Row(y0), p.Row(y1)
	ul, ur := upper[3*x0:3*x0+3:3*x0+3], upper[3*x1:3*x1+3:3*x1+3]
	ll, lr := lower[3*x0:3*x0+3:3*x0+3], lower[3*x1:3*x1+3:3*x1+3]
	for i := range dst[:3] {
		u := float64(ul[i]) + float64(float64(int(ur[i])-int(ul[i]))*dx)
		l := float64(ll[i]) + float64(float64(int(lr[i])-int(ll[i]))*dx)
		dst[i] = uint8(int(u + float64((l-u)*dy)))
	}
}
