package importance

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// Options say how a forest is grown. The zero value is the default.
type Options struct {
	Trees int    // 0: 32
	Leaf  int    // fewest points of a leaf; 0: 3, or a thousandth of the points where that is more
	Depth int    // most splits above a leaf; 0: 40
	Seed  uint64 // of the bootstrap samples
}

func (o Options) filled(n int) Options {
	if o.Trees <= 0 {
		o.Trees = 32
	}
	if o.Leaf <= 0 {
		o.Leaf = max(3, n/1000)
	}
	if o.Depth <= 0 {
		o.Depth = 40
	}
	return o
}

// grow makes a forest (Breiman 2001): each tree from as many points as there are, drawn with replacement, splits by
// the largest fall of the squared error over all dimensions. It returns the trees and, for each, how often it drew a point.
func grow(e *encoded, o Options) (trees []tree, drawn [][]uint16) {
	b := newBins(e)
	trees, drawn = make([]tree, o.Trees), make([][]uint16, o.Trees)
	parallel(o.Trees, func(t int) {
		rng := rand.New(rand.NewPCG(o.Seed, uint64(t)))
		drawn[t] = make([]uint16, len(e.y))
		for range e.y {
			drawn[t][rng.IntN(len(e.y))]++
		}
		g := newGrower(e, b, o, drawn[t])
		g.split(g.points, 0)
		trees[t] = g.nodes
	})
	return trees, drawn
}

// parallel runs f(0) ... f(n-1) on the cores that there are.
func parallel(n int, f func(int)) {
	var wg sync.WaitGroup
	workers := min(n, runtime.GOMAXPROCS(0))
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := w; i < n; i += workers {
				f(i)
			}
		}()
	}
	wg.Wait()
}

// grower is one tree in the making.
type grower struct {
	*encoded
	b      *bins
	o      Options
	times  []uint16 // how often each point counts
	points []int32
	nodes  tree
	weight [mostBins]float64 // scratch: by bin
	sum    [mostBins]float64
	spare  []int32
}

func newGrower(e *encoded, b *bins, o Options, times []uint16) *grower {
	g := &grower{encoded: e, b: b, o: o, times: times}
	for i, n := range times {
		if n > 0 {
			g.points = append(g.points, int32(i))
		}
	}
	g.spare = make([]int32, 0, len(g.points))
	return g
}

// cut is a split and what it is worth.
type cut struct {
	feature   int
	threshold float64
	mask      uint64 // of choices
	worth     float64
}

// split grows the subtree of these points, which it reorders, and returns its node's index.
func (g *grower) split(points []int32, depth int) int {
	at := len(g.nodes)
	w, s, spread := 0.0, 0.0, false
	for _, i := range points {
		n := float64(g.times[i])
		w += n
		s += n * g.y[i]
		spread = spread || g.y[i] != g.y[points[0]]
	}
	g.nodes = append(g.nodes, node{feature: -1, value: s / w})
	if depth >= g.o.Depth || w < float64(2*g.o.Leaf) || !spread {
		return at
	}
	best := cut{feature: -1, worth: s * s / w * (1 + 1e-12)}
	for d := range g.dims {
		g.count(d, points)
		if g.dims[d].choices > 0 {
			g.choices(d, w, s, &best)
		} else {
			g.numbers(d, w, s, &best)
		}
	}
	if best.feature < 0 {
		return at
	}
	n := node{feature: best.feature, threshold: best.threshold, mask: best.mask, value: s / w}
	k := g.part(points, &n)
	n.low = g.split(points[:k], depth+1)
	n.high = g.split(points[k:], depth+1)
	g.nodes[at] = n
	return at
}

// count sums weights and scores by bin.
func (g *grower) count(d int, points []int32) {
	n := g.b.n[d]
	clear(g.weight[:n])
	clear(g.sum[:n])
	at := g.b.at[d]
	for _, i := range points {
		t, k := float64(g.times[i]), at[i]
		g.weight[k] += t
		g.sum[k] += t * g.y[i]
	}
}

// numbers finds the best threshold of a number.
func (g *grower) numbers(d int, w, s float64, best *cut) {
	leaf := float64(g.o.Leaf)
	lw, ls, before := 0.0, 0.0, -1
	for k := range g.b.n[d] {
		if g.weight[k] == 0 {
			continue
		}
		if before >= 0 && lw >= leaf && w-lw >= leaf {
			if worth := ls*ls/lw + (s-ls)*(s-ls)/(w-lw); worth > best.worth {
				*best = cut{feature: d, threshold: g.b.between(d, before, k), worth: worth}
			}
		}
		lw += g.weight[k]
		ls += g.sum[k]
		before = k
	}
}

// choices finds the best two groups of choices: those with the lowest means against the others (Fisher 1958). Choices
// that no point of the node has go with the heavier group.
func (g *grower) choices(d int, w, s float64, best *cut) {
	var order []int
	var all uint64
	for k := range g.b.n[d] {
		all |= 1 << k
		if g.weight[k] > 0 {
			order = append(order, k)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		switch x, y := g.sum[a]/g.weight[a], g.sum[b]/g.weight[b]; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return a - b
	})
	leaf := float64(g.o.Leaf)
	lw, ls := 0.0, 0.0
	var mask uint64
	for i, k := range order[:max(0, len(order)-1)] {
		lw += g.weight[k]
		ls += g.sum[k]
		mask |= 1 << k
		if lw < leaf || w-lw < leaf {
			continue
		}
		if worth := ls*ls/lw + (s-ls)*(s-ls)/(w-lw); worth > best.worth {
			*best = cut{feature: d, mask: mask, worth: worth}
			if lw > w-lw {
				var rest uint64
				for _, k := range order[i+1:] {
					rest |= 1 << k
				}
				best.mask = all &^ rest
			}
		}
	}
}

// part moves the points that go low to the front and returns their number; the order is kept.
func (g *grower) part(points []int32, n *node) int {
	d := g.dims[n.feature]
	x := g.x[n.feature]
	high := g.spare[:0]
	k := 0
	for _, i := range points {
		if n.left(d, x[i]) {
			points[k] = i
			k++
		} else {
			high = append(high, i)
		}
	}
	copy(points[k:], high)
	return k
}

// fitted is 1 - squared error / variance of the scores, each predicted by the trees that did not draw its point.
func fitted(e *encoded, trees []tree, drawn [][]uint16) float64 {
	missed, total, mean, n := 0.0, 0.0, 0.0, 0
	guess := make([]float64, len(e.y))
	parallel(len(e.y), func(i int) {
		s, k := 0.0, 0
		for t := range trees {
			if drawn[t][i] == 0 {
				s += trees[t].predict(e.dims, func(d int) float64 { return e.x[d][i] })
				k++
			}
		}
		guess[i] = s / float64(k) // NaN where all trees drew it
	})
	for i, y := range e.y {
		if !math.IsNaN(guess[i]) {
			mean += y
			n++
		}
	}
	mean /= float64(n)
	for i, y := range e.y {
		if !math.IsNaN(guess[i]) {
			missed += (y - guess[i]) * (y - guess[i])
			total += (y - mean) * (y - mean)
		}
	}
	return 1 - missed/total
}

// members counts the choices in a mask.
func members(mask uint64) int { return bits.OnesCount64(mask) }
