package lifetime

import (
	"cmp"
	"slices"
)

// Life is a buffer and the steps, First to Last inclusive, during which it holds something. Steps are counted over the
// forward order and then the backward order.
type Life struct {
	Buffer
	Size        int // in the arena's unit
	First, Last int
	At          int // its place in the arena, set by Arrange
}

func (l *Life) meets(o *Life) bool { return l.First <= o.Last && o.First <= l.Last }

// Arrange gives every buffer a place such that buffers that live at the same time do not overlap, and returns the length
// of the arena that holds them. Greedy by size: the largest first, each into the tightest gap between those that are
// there already (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, section 5).
// Places are multiples of grain.
func Arrange(all []*Life, grain int) (size int) {
	order := slices.Clone(all)
	slices.SortStableFunc(order, func(a, b *Life) int { return cmp.Compare(b.Size, a.Size) })
	var placed []*Life // by place
	for _, l := range order {
		at, best, end := -1, 0, 0
		for _, p := range placed {
			if !p.meets(l) {
				continue
			}
			if gap := p.At - end; gap >= l.Size && (at < 0 || gap < best) {
				at, best = end, gap
			}
			end = max(end, (p.At+p.Size+grain-1)/grain*grain)
		}
		if at < 0 {
			at = end
		}
		l.At = at
		i, _ := slices.BinarySearchFunc(placed, l, func(a, b *Life) int { return cmp.Compare(a.At, b.At) })
		placed = slices.Insert(placed, i, l)
		size = max(size, at+l.Size)
	}
	return size
}
