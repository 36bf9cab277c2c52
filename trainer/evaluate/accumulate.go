package evaluate

import "math/bits"

// tally counts the detections of a class, by falling score, in one area range and at one threshold. Precision falls
// between right detections, and recall stays: only where one is right is there something to keep.
type tally struct {
	ignored   int       // at this threshold, beside those that are at every one
	right     int       // so far
	hits      [3]int    // right ones under each limit of detections
	precision []float64 // when the first, second, ... was found
}

// accumulate turns outcomes into precision and recall of class k.
func (m *matcher) accumulate(r *Result, k int) {
	var tallies [numAreas][numThresholds]tally
	var everywhere [numAreas]int // ignored at every threshold
	for seen, d := range m.order() {
		o := &m.outcomes[d.at]
		for a := range areas {
			if o.ignored[a] == every {
				everywhere[a]++
				continue
			}
			for w := o.ignored[a]; w != 0; w &= w - 1 {
				tallies[a][bits.TrailingZeros16(w)].ignored++
			}
			for w := o.right[a]; w != 0; w &= w - 1 {
				tallies[a][bits.TrailingZeros16(w)].found(seen+1-everywhere[a], m.limit[d.at])
			}
		}
	}
	for a, truths := range m.truths {
		if truths == 0 {
			continue
		}
		first := pointsNeed(truths)
		for t := range numThresholds {
			c := &tallies[a][t]
			at := ((t*r.classes+k)*numAreas + a) * numLimits
			for l, h := range c.hits {
				r.recall[at+l] = float64(h) / float64(truths)
			}
			for n := len(c.precision) - 1; n > 0; n-- {
				c.precision[n-1] = max(c.precision[n-1], c.precision[n])
			}
			for i, p := 0, r.Precision(t, k, a); i < numPoints; i++ {
				if p[i] = 0; first[i] <= len(c.precision) {
					p[i] = c.precision[first[i]-1]
				}
			}
		}
	}
}

// found adds a right detection, when so many were seen that are not ignored at every threshold.
func (c *tally) found(seen int, limit uint8) {
	c.right++
	for l := int(limit); l < numLimits; l++ {
		c.hits[l]++
	}
	c.precision = append(c.precision, float64(c.right)/(float64(seen-c.ignored)+0x1p-52))
}

// pointsNeed is how many of the objects must be found, at least one, to reach each recall point.
func pointsNeed(truths int) (first [numPoints]int) {
	n := 1
	for i, point := range points {
		for n <= truths && float64(n)/float64(truths) < point {
			n++
		}
		first[i] = n
	}
	return first
}
