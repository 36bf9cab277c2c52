package importance

// node of a regression tree. A leaf has no feature; a split sends numbers up to Threshold, and choices whose bit is in
// Mask, to Low, all else to High.
type node struct {
	feature   int // -1: a leaf
	threshold float64
	mask      uint64
	low, high int // indices of the children
	value     float64
}

// tree has its root first and children behind their parents.
type tree []node

// predict is the value of the leaf of a point: x[d] by dimension.
func (t tree) predict(dims []dim, x func(d int) float64) float64 {
	i := 0
	for t[i].feature >= 0 {
		n := &t[i]
		if n.left(dims[n.feature], x(n.feature)) {
			i = n.low
		} else {
			i = n.high
		}
	}
	return t[i].value
}

func (n *node) left(d dim, x float64) bool {
	if d.choices > 0 {
		return n.mask>>uint(x)&1 == 1
	}
	return x <= n.threshold
}
