package evaluate

import (
	"math"
	"slices"
)

// What became of a detection.
const (
	wrong   = iota // false positive
	right          // true positive
	ignored        // matched to an ignored truth, or unmatched and outside the area range
)

// matcher collects the detections of one class over all images.
type matcher struct {
	scores  []float64                        // of each detection, images in order
	rank    []int                            // of each detection in its image, from 0
	outcome [numAreas][numThresholds][]uint8 // of each detection
	truths  [numAreas]int                    // that count: neither crowd nor outside the range

	order, det []int // scratch
	iou        []float64
	used       []bool
}

func (m *matcher) reset() {
	m.scores, m.rank, m.truths = m.scores[:0], m.rank[:0], [numAreas]int{}
	for a := range m.outcome {
		for t := range m.outcome[a] {
			m.outcome[a][t] = m.outcome[a][t][:0]
		}
	}
}

// image matches the detections of one image, at most the 100 best, for every area range and threshold.
func (m *matcher) image(gt []GroundTruth, truths []int, dt []Detection, found []int) {
	if len(truths) == 0 && len(found) == 0 {
		return
	}
	m.det = append(m.det[:0], found...)
	byScore(m.det, func(i int) float64 { return dt[i].Score })
	det := m.det[:min(len(m.det), maxDetections)]
	for rank, i := range det {
		m.scores, m.rank = append(m.scores, dt[i].Score), append(m.rank, rank)
	}
	m.iou = m.iou[:0]
	for _, i := range det {
		for _, j := range truths {
			m.iou = append(m.iou, IoU(dt[i].Box, gt[j].Box, gt[j].Crowd))
		}
	}
	for a, between := range areas {
		// Truths that count come first, ignored ones last, each in their order.
		m.order = m.order[:0]
		for n, j := range truths {
			if !gt[j].ignored(between) {
				m.order = append(m.order, n)
			}
		}
		counting := len(m.order)
		m.truths[a] += counting
		for n, j := range truths {
			if gt[j].ignored(between) {
				m.order = append(m.order, n)
			}
		}
		for t, least := range thresholds {
			m.used = append(m.used[:0], make([]bool, len(truths))...)
			for d, i := range det {
				best := m.best(gt, truths, d*len(truths), counting, least)
				state := uint8(wrong)
				switch area := dt[i].Box.W * dt[i].Box.H; {
				case best >= counting:
					state = ignored
				case best >= 0:
					state = right
				case area < between[0] || area > between[1]:
					state = ignored
				}
				if best >= 0 {
					m.used[best] = true
				}
				m.outcome[a][t] = append(m.outcome[a][t], state)
			}
		}
	}
}

// ignored says whether a truth does not count in an area range.
func (g GroundTruth) ignored(between [2]float64) bool {
	return g.Crowd || g.Area < between[0] || g.Area > between[1]
}

// best returns the place in m.order of the truth that a detection takes, or -1: of those still free (crowds always
// are) the one of largest IoU, at least the threshold; of equals the last; an ignored one only if no other fits.
// row is where the detection's IoUs begin.
func (m *matcher) best(gt []GroundTruth, truths []int, row, counting int, least float64) int {
	best, most := -1, math.Min(least, 1-1e-10)
	for p, n := range m.order {
		if m.used[p] && !gt[truths[n]].Crowd {
			continue
		}
		if best >= 0 && best < counting && p >= counting {
			break
		}
		if iou := m.iou[row+n]; iou >= most {
			best, most = p, iou
		}
	}
	return best
}

// accumulate turns outcomes into precision and recall of class k.
func (m *matcher) accumulate(r *Result, k int) {
	order := slices.Grow(m.det[:0], len(m.scores))
	for i := range m.scores {
		order = append(order, i)
	}
	m.det = order
	byScore(order, func(i int) float64 { return m.scores[i] })
	precision, recall := make([]float64, len(order)), make([]float64, len(order))
	for a, truths := range m.truths {
		if truths == 0 {
			continue
		}
		for t := range numThresholds {
			outcome := m.outcome[a][t]
			var hits [numLimits]float64
			var misses float64
			for n, i := range order {
				switch outcome[i] {
				case right:
					for l, limit := range limits {
						if m.rank[i] < limit {
							hits[l]++
						}
					}
				case wrong:
					misses++
				}
				tp := hits[Limit100]
				recall[n] = tp / float64(truths)
				precision[n] = tp / (misses + tp + 0x1p-52)
			}
			at := ((t*r.classes+k)*numAreas + a) * numLimits
			for l, h := range hits {
				r.recall[at+l] = h / float64(truths)
			}
			for n := len(order) - 1; n > 0; n-- {
				precision[n-1] = max(precision[n-1], precision[n])
			}
			n, at101 := 0, r.Precision(t, k, a)
			for i, point := range points {
				for n < len(order) && recall[n] < point {
					n++
				}
				if at101[i] = 0; n < len(order) {
					at101[i] = precision[n]
				}
			}
		}
	}
}
