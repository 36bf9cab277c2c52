package raster

// Lens samples pictures by bilinear interpolation. It keeps scratch memory: one goroutine at a time. The zero value is
// ready.
type Lens struct {
	columns      []column
	upper, lower line
}

// column says where a column of the target lies in the source: between two of its columns, at offsets left and right in
// a row of samples, with this share of the second one.
type column struct {
	left, right int
	share       float64
}

// line is a row of the source at the columns of the target, row -1 for none.
type line struct {
	row    int
	values []float64
}

// stretch fills dst with src seen through x' = ax*x + bx, y' = ay*y + by, from target to source coordinates; what comes
// from outside is Grey. Rows and columns stay what they are, so that a column needs to be looked for once, and a row of
// the source to be interpolated once for the rows of the target beside it.
func (l *Lens) stretch(dst, src Pic, ax, bx, ay, by float64) {
	first, last := l.findColumns(dst.W, src.W, ax, bx)
	l.upper.row, l.lower.row = -1, -1
	h := float64(src.H)
	for y := range dst.H {
		row := dst.Row(y)
		sy := float64(ay*(float64(y)+.5)) + by
		if !(sy >= 0 && sy < h) || first == last {
			fill(row, Grey)
			continue
		}
		y0, y1, dy := between(sy, src.H)
		if l.lower.row == y0 {
			l.upper, l.lower = l.lower, l.upper
		}
		upper := l.upper.take(src, y0, l.columns[first:last])
		lower := upper
		if y1 != y0 {
			lower = l.lower.take(src, y1, l.columns[first:last])
		}
		fill(row[:3*first], Grey)
		fill(row[3*last:], Grey)
		mix(row[3*first:3*last], upper, lower, dy)
	}
}

// findColumns looks for the columns of a target of width w in a source of width from, and returns the range of those
// that lie in it.
func (l *Lens) findColumns(w, from int, a, b float64) (first, last int) {
	if cap(l.columns) < w {
		l.columns = make([]column, w)
	}
	l.columns = l.columns[:w]
	for x := range l.columns {
		sx := float64(a*(float64(x)+.5)) + b
		if !(sx >= 0 && sx < float64(from)) {
			continue
		}
		if first == last {
			first = x
		}
		last = x + 1
		x0, x1, share := between(sx, from)
		l.columns[x] = column{3 * x0, 3 * x1, share}
	}
	return first, last
}

// take returns row y of src at the given columns, three values each.
func (n *line) take(src Pic, y int, columns []column) []float64 {
	if n.row == y {
		return n.values
	}
	if cap(n.values) < 3*len(columns) {
		n.values = make([]float64, 3*len(columns))
	}
	n.row, n.values = y, n.values[:3*len(columns)]
	row, out := src.Row(y), n.values
	for _, c := range columns {
		p, q, o := row[c.left:c.left+3:c.left+3], row[c.right:c.right+3:c.right+3], out[:3:3]
		o[0] = float64(p[0]) + float64(float64(int(q[0])-int(p[0]))*c.share)
		o[1] = float64(p[1]) + float64(float64(int(q[1])-int(p[1]))*c.share)
		o[2] = float64(p[2]) + float64(float64(int(q[2])-int(p[2]))*c.share)
		out = out[3:]
	}
	return n.values
}

// mix writes what lies between two rows, with this share of the second one.
func mix(dst []uint8, upper, lower []float64, share float64) {
	upper, lower = upper[:len(dst)], lower[:len(dst)]
	for i := range dst {
		u := upper[i]
		dst[i] = uint8(int(u + float64((lower[i]-u)*share)))
	}
}

func fill(p []uint8, v uint8) {
	for i := range p {
		p[i] = v
	}
}
