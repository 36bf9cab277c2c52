package evaluate

import (
	"cmp"
	"slices"
)

// every is the mask of all thresholds.
const every = 1<<numThresholds - 1

// outcome is what became of a detection: bit t of right[a] says that it is a true positive in area range a at
// threshold t, of ignored[a] that it counts as neither right nor wrong: it is matched to an ignored truth, or to none
// and its own area is outside the range.
type outcome struct{ right, ignored [numAreas]uint16 }

// matcher collects the detections of one class over all images.
type matcher struct {
	scores   []float64 // of each detection, images in order
	limit    []uint8   // of each detection: the first of the limits of detections that lets it pass
	outcomes []outcome // of each detection
	truths   [numAreas]int

	det  []int    // scratch, as all below
	kind []uint8  // of each truth of the image: bit a: ignored in area range a; crowdBit
	used []uint16 // of each truth of the image and area range: the thresholds at which it is taken
	near []near
	rows []ranked
}

// near is a truth that a detection may take.
type near struct {
	truth int
	iou   float64
	reach int // so many of the thresholds it passes
}

const crowdBit = 1 << 7

func (m *matcher) reset() {
	m.scores, m.limit, m.outcomes, m.truths = m.scores[:0], m.limit[:0], m.outcomes[:0], [numAreas]int{}
}

// image matches the detections of one image, at most the 100 best, for every area range and threshold.
func (m *matcher) image(gt []GroundTruth, truths []int, dt []Detection, found []int) {
	m.survey(gt, truths)
	m.det = append(m.det[:0], found...)
	if len(m.det) > 1 {
		slices.SortStableFunc(m.det, func(a, b int) int { return cmp.Compare(dt[b].Score, dt[a].Score) })
	}
	limit := uint8(0)
	for rank, i := range m.det[:min(len(m.det), maxDetections)] {
		for limits[limit] <= rank {
			limit++
		}
		m.scores, m.limit = append(m.scores, dt[i].Score), append(m.limit, limit)
		m.outcomes = append(m.outcomes, m.match(gt, truths, dt[i].Box))
	}
}

// survey says of each truth of an image where it counts, and frees them all.
func (m *matcher) survey(gt []GroundTruth, truths []int) {
	m.kind, m.used = m.kind[:0], append(m.used[:0], make([]uint16, numAreas*len(truths))...)
	for _, j := range truths {
		g, kind := &gt[j], uint8(0)
		if g.Crowd {
			kind = crowdBit
		}
		for a, between := range areas {
			if g.Crowd || g.Area < between[0] || g.Area > between[1] {
				kind |= 1 << a
			} else {
				m.truths[a]++
			}
		}
		m.kind = append(m.kind, kind)
	}
}

// match lets a detection take truths, one for each area range and threshold at most.
func (m *matcher) match(gt []GroundTruth, truths []int, box Box) (o outcome) {
	area := box.W * box.H
	for a, between := range areas {
		if area < between[0] || area > between[1] {
			o.ignored[a] = every
		}
	}
	m.near = m.near[:0]
	reach := 0
	for n, j := range truths {
		iou := IoU(box, gt[j].Box, gt[j].Crowd)
		if iou < thresholds[0] {
			continue
		}
		c := near{truth: n, iou: iou}
		for c.reach < numThresholds && iou >= thresholds[c.reach] {
			c.reach++
		}
		m.near, reach = append(m.near, c), max(reach, c.reach)
	}
	for a := range areas {
		for t := range reach {
			bit := uint16(1) << t
			if at := m.best(a, t, 0); at >= 0 {
				m.used[a*len(truths)+at] |= bit
				o.right[a] |= bit
				o.ignored[a] &^= bit
			} else if at := m.best(a, t, 1); at >= 0 {
				m.used[a*len(truths)+at] |= bit
				o.ignored[a] |= bit
			}
		}
	}
	return o
}

// best returns the truth that a detection takes in area range a at threshold t, or -1: of those still free (crowds
// always are) the one of largest IoU, of equals the last. ignored is 1 for the truths that do not count in the range,
// which are taken only if no other fits.
func (m *matcher) best(a, t int, ignored uint8) int {
	best, most := -1, 0.
	for _, c := range m.near {
		kind := m.kind[c.truth]
		taken := kind&crowdBit == 0 && m.used[a*len(m.kind)+c.truth]>>t&1 == 1
		if c.reach > t && !taken && kind>>a&1 == ignored && c.iou >= most {
			best, most = c.truth, c.iou
		}
	}
	return best
}

// ranked is a detection in the order of scores.
type ranked struct {
	score float64
	at    int32
}

// order lists the detections by falling score; equal ones keep their order. The list is scratch.
func (m *matcher) order() []ranked {
	m.rows = m.rows[:0]
	for i, s := range m.scores {
		m.rows = append(m.rows, ranked{s, int32(i)})
	}
	slices.SortFunc(m.rows, func(a, b ranked) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return int(a.at - b.at)
	})
	return m.rows
}
