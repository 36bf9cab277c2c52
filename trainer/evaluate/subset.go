package evaluate

import "slices"

// Subset names the part of a validation that is scored. Sizes of objects are in Scores.
type Subset struct {
	Classes []int  // indices; nil: all. An index that is no class is passed over
	Images  []bool // by image; nil: all. Images beyond its end are left out
}

// Dense says which images have at least as many objects as the q-quantile of all images (q from 0 to 1): the
// number that the image at place ceil(q*n) of n has, in rising order. All images that have as many as it belong to
// them, so that they may be more than 1-q of all. Images without objects never do.
func (m *Matches) Dense(q float64) []bool {
	objects := m.Objects()
	dense := make([]bool, len(objects))
	if len(objects) == 0 {
		return dense
	}
	sorted := slices.Sorted(slices.Values(objects))
	least := max(1, sorted[quantilePlace(q, len(sorted))])
	for i, n := range objects {
		dense[i] = n >= least
	}
	return dense
}

// quantilePlace is ceil(q*n) counted from 0, inside the list.
func quantilePlace(q float64, n int) int {
	place := int(q * float64(n))
	if float64(place) == q*float64(n) {
		place--
	}
	return min(max(place, 0), n-1)
}

// Score computes COCO's twelve numbers of a part of the validation.
func (m *Matches) Score(s Subset) Scores {
	return m.Resample(m.counts(s.Images), s)
}

// ScoreClasses computes the numbers of each class by itself, in the order of Classes.
func (m *Matches) ScoreClasses(s Subset) []Scores {
	all := make([]Scores, len(m.Classes))
	counts := m.counts(s.Images)
	for k := range all {
		all[k] = m.Resample(counts, Subset{Classes: []int{k}})
	}
	return all
}

// Resample is Score where image i stands counts[i] times in the validation, as in a bootstrap; images beyond the end
// of counts are left out. Subset.Images is not read. Copies of a detection stand side by side, so that the result is
// that of a validation with copied images but where an image has detections of one class with equal scores.
func (m *Matches) Resample(counts []int, s Subset) Scores {
	var out Scores
	for a, to := range [numAreas][2]*float64{{&out.AP, &out.AR100}, {&out.APSmall, &out.ARSmall}, {&out.APMedium, &out.ARMedium}, {&out.APLarge, &out.ARLarge}} {
		t := Target{Area: a, First: 0, Last: numThresholds - 1, Classes: s.Classes}
		d := m.NewDraw(t)
		d.Set(counts)
		w := m.NewWalk(t)
		*to[0] = w.AP(d)
		*to[1] = m.recall(t, counts, Limit100)
		if a == AreaAll {
			out.AP50, out.AP75 = m.at(t, d, 0), m.at(t, d, 5)
			out.AR1, out.AR10 = m.recall(t, counts, Limit1), m.recall(t, counts, Limit10)
		}
	}
	return out
}

// at is the average precision at one threshold.
func (m *Matches) at(t Target, d *Draw, threshold int) float64 {
	t.First, t.Last = threshold, threshold
	return m.NewWalk(t).AP(d)
}

// counts has 1 for the images that are in, else 0.
func (m *Matches) counts(in []bool) []int {
	n := make([]int, m.Images)
	for i := range n {
		if in == nil || i < len(in) && in[i] {
			n[i] = 1
		}
	}
	return n
}

// recall is the mean over thresholds and classes of the largest recall under a limit of detections.
func (m *Matches) recall(t Target, counts []int, limit uint8) float64 {
	times := func(image int) int {
		if image < len(counts) {
			return counts[image]
		}
		return 0
	}
	return mean(func(add func(float64)) {
		for _, k := range m.chosen(t.Classes) {
			total, c := 0, m.classes[k]
			for _, tr := range c.truths {
				total += tr.count[t.Area] * times(tr.image)
			}
			if total == 0 {
				continue
			}
			var hits [numThresholds]int
			for _, f := range c.found {
				p := &m.patterns[f.pattern]
				if n := times(int(f.image)); n > 0 && p.limit <= limit && p.right[t.Area] != 0 {
					for b := range hits {
						hits[b] += n * int(p.right[t.Area]>>b&1)
					}
				}
			}
			for _, h := range hits {
				add(float64(h) / float64(total))
			}
		}
	})
}

// chosen lists the classes that are asked for and exist.
func (m *Matches) chosen(classes []int) []int {
	var ks []int
	for k := range m.classes {
		if classes == nil || slices.Contains(classes, k) {
			ks = append(ks, k)
		}
	}
	return ks
}
