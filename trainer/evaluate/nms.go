package evaluate

import (
	"math"
	"slices"
)

// Candidate is a detection before suppression: corners in pixels (x1, y1 exclusive).
type Candidate struct {
	Class                 int
	X0, Y0, X1, Y1, Score float32
}

// NMSOptions are the limits of NMS.
type NMSOptions struct {
	Score float32 // candidates must score more
	IoU   float64 // those that overlap a better one of their class by more are suppressed
	Top   int     // at most so many of the best enter; 0: all
	Keep  int     // at most so many are kept; 0: all
}

// DefaultNMS is how our detectors are validated.
var DefaultNMS = NMSOptions{Score: .005, IoU: .7, Top: 300, Keep: 100}

// NMS is greedy non-maximum suppression within each class of one image. It returns the kept candidates by falling
// score, equal ones in their order, at the front of c, which it overwrites. A score that is not a number never counts.
// It takes the time that it needs: there is no limit after which images would lose their detections.
func NMS(c []Candidate, o NMSOptions) []Candidate {
	// One number orders a candidate: its score, falling, then its place.
	keys := make([]uint64, 0, len(c))
	for i, x := range c {
		if x.Score > o.Score {
			keys = append(keys, uint64(^ordered(x.Score))<<32|uint64(i))
		}
	}
	slices.Sort(keys)
	if o.Top > 0 {
		keys = keys[:min(len(keys), o.Top)]
	}
	best := make([]Candidate, len(keys))
	for i, k := range keys {
		best[i] = c[uint32(k)]
	}
	kept := c[:0]
	var of chains
	for _, x := range best {
		if o.Keep > 0 && len(kept) == o.Keep {
			break
		}
		if !of.suppressed(kept, &x, o.IoU) {
			of.add(x.Class, len(kept))
			kept = append(kept, x)
		}
	}
	return kept
}

// chains finds the kept candidates of a class: the last of each class, and of each candidate the one before it.
type chains struct {
	last   map[int]int
	before []int // -1: none
}

func (h *chains) add(class, at int) {
	if h.last == nil {
		h.last = map[int]int{}
	}
	prior, ok := h.last[class]
	if !ok {
		prior = -1
	}
	h.before = append(h.before, prior)
	h.last[class] = at
}

func (h *chains) suppressed(kept []Candidate, x *Candidate, most float64) bool {
	at, ok := h.last[x.Class]
	if !ok {
		return false
	}
	for ; at >= 0; at = h.before[at] {
		if overlap(&kept[at], x) > most {
			return true
		}
	}
	return false
}

// ordered maps floats to integers of the same order.
func ordered(v float32) uint32 {
	b := math.Float32bits(v)
	if b>>31 == 1 {
		return ^b
	}
	return b | 1<<31
}

// overlap is the IoU of two candidates, with a term against empty boxes.
func overlap(a, b *Candidate) float64 {
	w := float64(min(a.X1, b.X1) - max(a.X0, b.X0))
	h := float64(min(a.Y1, b.Y1) - max(a.Y0, b.Y0))
	if w <= 0 || h <= 0 {
		return 0
	}
	area := func(c *Candidate) float64 { return float64(c.X1-c.X0) * float64(c.Y1-c.Y0) }
	return w * h / (area(a) + area(b) - w*h + 1e-9)
}
