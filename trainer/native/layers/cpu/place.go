package cpu

import (
	"cmp"
	"slices"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

// life is a buffer and the steps, first to last inclusive, during which it holds something. Steps are counted over the
// forward order and then the backward order.
type life struct {
	buffer
	floats      int
	first, last int
	at          int // its place in the arena, set by arrange
}

func (l *life) meets(o *life) bool { return l.first <= o.last && o.first <= l.last }

// disturbs tells whether the use of o leaves something in the halo of l: they share memory, and pixels of the one lie
// where the other has its halo.
func (l *life) disturbs(o *life) bool {
	if l == o || l.at >= o.at+o.floats || o.at >= l.at+l.floats {
		return false
	}
	plane := (l.t.H + 2) * (l.t.W + 2) * graph.Block
	return l.t.Image != o.t.Image || l.t.H != o.t.H || l.t.W != o.t.W || (l.at-o.at)%plane != 0
}

// arrange gives every buffer a place such that buffers that live at the same time do not overlap, and returns the length
// of the arena that holds them. Greedy by size: the largest first, each into the tightest gap between those that are
// there already (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, section 5).
// Places are multiples of grain floats.
func arrange(all []*life, grain int) (floats int) {
	order := slices.Clone(all)
	slices.SortStableFunc(order, func(a, b *life) int { return cmp.Compare(b.floats, a.floats) })
	var placed []*life // by place
	for _, l := range order {
		at, best, end := -1, 0, 0
		for _, p := range placed {
			if !p.meets(l) {
				continue
			}
			if gap := p.at - end; gap >= l.floats && (at < 0 || gap < best) {
				at, best = end, gap
			}
			end = max(end, (p.at+p.floats+grain-1)/grain*grain)
		}
		if at < 0 {
			at = end
		}
		l.at = at
		i, _ := slices.BinarySearchFunc(placed, l, func(a, b *life) int { return cmp.Compare(a.at, b.at) })
		placed = slices.Insert(placed, i, l)
		floats = max(floats, at+l.floats)
	}
	return floats
}
