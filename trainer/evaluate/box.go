package evaluate

import "math"

// Box is a rectangle in pixels: upper left corner, width and height, no pixel added. This is COCO's bbox.
type Box struct{ X, Y, W, H float64 }

// Corners makes a box of its edges: x0, y0 upper left, x1, y1 lower right (exclusive).
func Corners(x0, y0, x1, y1 float64) Box { return Box{x0, y0, x1 - x0, y1 - y0} }

// IoU is the intersection of d and g over their union, or over d alone if g is a crowd; 0 if they do not overlap.
// Products are rounded before they are added, on every machine: scores must not depend on it.
func IoU(d, g Box, crowd bool) float64 {
	w := min(d.X+d.W, g.X+g.W) - max(d.X, g.X)
	h := min(d.Y+d.H, g.Y+g.H) - max(d.Y, g.Y)
	if w <= 0 || h <= 0 {
		return 0
	}
	common, mine := float64(w*h), float64(d.W*d.H)
	if crowd {
		return common / mine
	}
	return common / (float64(mine+float64(g.W*g.H)) - common)
}

// finite says whether all four numbers are.
func (b Box) finite() bool {
	s := b.X + b.Y + b.W + b.H
	return !math.IsNaN(s) && !math.IsInf(s, 0)
}
