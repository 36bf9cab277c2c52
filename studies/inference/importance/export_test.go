package importance

import "github.com/mapsweep/mapsweep/trials"

// Flat is a tree as scikit-learn has it; thresholds are in the units of the space.
type Flat struct {
	Feature   []int
	Threshold []float64
	Low, High []int
	Value     []float64
}

// Of makes a model of trees that another program grew.
func Of(space trials.Space, flats []Flat) *Model {
	e := &encoded{}
	for _, p := range space {
		d, _ := newDim(p)
		e.dims = append(e.dims, d)
	}
	var trees []tree
	for _, f := range flats {
		var t tree
		for i := range f.Feature {
			n := node{feature: max(f.Feature[i], -1), value: f.Value[i], low: f.Low[i], high: f.High[i]}
			if n.feature >= 0 {
				d := e.dims[n.feature]
				n.threshold = (f.Threshold[i] - d.low) / (d.high - d.low)
			}
			t = append(t, n)
		}
		trees = append(trees, t)
	}
	m := newModel(e, trees)
	m.fit = 1
	return m
}

// Grow makes one tree of all points.
func Grow(p Problem, leaf int) (Flat, error) {
	e, err := encode(p)
	if err != nil {
		return Flat{}, err
	}
	times := make([]uint16, len(e.y))
	for i := range times {
		times[i] = 1
	}
	g := newGrower(e, newBins(e), Options{Leaf: leaf}.filled(len(e.y)), times)
	g.split(g.points, 0)
	var f Flat
	for _, n := range g.nodes {
		if n.feature >= 0 {
			d := e.dims[n.feature]
			n.threshold = d.low + n.threshold*(d.high-d.low)
		}
		f.Feature, f.Threshold, f.Value = append(f.Feature, n.feature), append(f.Threshold, n.threshold), append(f.Value, n.value)
		f.Low, f.High = append(f.Low, n.low), append(f.High, n.high)
	}
	return f, nil
}

// Shares are V(U) / V of one tree by brute force over a grid of cells: the dimension d, or d and e together beyond each.
func (m *Model) Shares(t, d, e int) (single, pair float64) {
	b := m.boxes[t]
	mid := func(k, cell int) float64 {
		if b.dims[k].choices > 0 {
			return float64(cell)
		}
		return (b.cuts[k][cell] + b.cuts[k][cell+1]) / 2
	}
	x := make([]float64, len(b.dims))
	one, other, both := map[int]float64{}, map[int]float64{}, map[[2]int]float64{}
	mean, square := 0.0, 0.0
	var walk func(k int, w float64, at []int)
	walk = func(k int, w float64, at []int) {
		if k == len(b.dims) {
			y := m.trees[t].predict(m.dims, func(d int) float64 { return x[d] })
			mean += w * y
			square += w * y * y
			one[at[d]] += w * y / b.length(d, at[d])
			other[at[e]] += w * y / b.length(e, at[e])
			both[[2]int{at[d], at[e]}] += w * y / b.length(d, at[d]) / b.length(e, at[e])
			return
		}
		for c := range b.cells(k) {
			x[k] = mid(k, c)
			walk(k+1, w*b.length(k, c), append(at[:k:k], c))
		}
	}
	walk(0, 1, nil)
	v, w, u := 0.0, 0.0, 0.0
	for c, y := range one {
		v += b.length(d, c) * (y - mean) * (y - mean)
	}
	for c, y := range other {
		w += b.length(e, c) * (y - mean) * (y - mean)
	}
	for c, y := range both {
		u += b.length(d, c[0]) * b.length(e, c[1]) * (y - mean) * (y - mean)
	}
	total := square - mean*mean
	return v / total, (u - v - w) / total
}

// TreeShares are what FANOVA finds in one tree.
func (m *Model) TreeShares(t int) (single, pairs []float64) { return m.boxes[t].shares(true) }
