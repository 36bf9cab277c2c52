package audit

import (
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// noiseFactor is how many times the largest difference of two equal runs still counts as the same.
const noiseFactor = 10

// digits is the least relative difference that counts where equal runs differ at all: sums of
// single-precision numbers are no better.
const digits = 1e-6

// noise is what two equal runs differ by, by channel. A channel that it does not hold repeats bit by bit.
type noise map[string]float64

// measure compares two runs of one configuration.
func measure(a, b trainer.Trace) noise {
	n := noise{}
	xs, ys := a.Steps, b.Steps
	if a.End != nil && b.End != nil && len(xs) == len(ys) {
		xs, ys = append(slices.Clone(xs), *a.End), append(slices.Clone(ys), *b.End)
	}
	for i := range min(len(xs), len(ys)) {
		x, y := xs[i], ys[i]
		for _, c := range trainer.Channels {
			if x.Hashes[c] == y.Hashes[c] && (x.Hashes[c] != "" || slices.EqualFunc(x.Values[c], y.Values[c], same)) {
				continue
			}
			if _, seen := n[c]; !seen {
				n[c] = 0
			}
			for k := range min(len(x.Values[c]), len(y.Values[c])) {
				if d := math.Abs(x.Values[c][k] - y.Values[c][k]); d > n[c] {
					n[c] = d
				}
			}
		}
	}
	return n
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// place is where two traces first differ.
type place struct {
	channel string
	step    int // from 1, or trials.AuditEnd
}

// differ finds the first difference of two traces beyond the noise: by step, then in the order in which a cause
// runs through a step.
func (n noise) differ(a, b trainer.Trace) (place, bool) {
	steps := min(len(a.Steps), len(b.Steps))
	for i := range steps {
		for _, c := range trainer.Channels {
			if n.channel(c, a.Steps[i], b.Steps[i]) {
				return place{c, i + 1}, true
			}
		}
	}
	if a.End != nil && b.End != nil {
		for _, c := range trainer.Channels {
			if n.channel(c, *a.End, *b.End) {
				return place{c, trials.AuditEnd}, true
			}
		}
	}
	if len(a.Steps) != len(b.Steps) { // one run came to its end before the other
		return place{"steps", steps + 1}, true
	}
	return place{}, false
}

// channel says whether one channel of a step differs. A channel that only one of them has differs.
func (n noise) channel(c string, a, b trainer.Step) bool {
	x, y := a.Values[c], b.Values[c]
	if len(x) != len(y) || (a.Hashes[c] == "") != (b.Hashes[c] == "") {
		return true
	}
	floor, noisy := n[c]
	if !noisy {
		return a.Hashes[c] != b.Hashes[c] || !slices.EqualFunc(x, y, same)
	}
	for k := range x {
		limit := max(noiseFactor*floor, digits*max(math.Abs(x[k]), math.Abs(y[k])))
		if d := math.Abs(x[k] - y[k]); d > limit || math.IsNaN(d) && !same(x[k], y[k]) {
			return true
		}
	}
	return false
}
