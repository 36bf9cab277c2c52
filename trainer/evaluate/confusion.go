package evaluate

import (
	"cmp"
	"slices"
)

// The usual limits of a confusion matrix.
const (
	ConfusionScore = 0.25
	ConfusionIoU   = 0.45
)

// Confusion counts what was taken for what: row p, column a has the objects of class a that were detected as class p.
// Row K counts objects that were not detected, column K detections where no object is: the background.
type Confusion [][]int // K+1 x K+1

// Confuse matches detections of more than the given score to objects of any class that they overlap by more than iou.
// Each detection keeps to the object that it overlaps most, and each object to the nearest of its detections; of
// equals the object that comes first, and the detection of higher score. Crowds are left out.
//
// The official YOLOv9 program matches in the same way, but forgets the detections of an image where none matches.
func Confuse(gt []GroundTruth, dt []Detection, images, classes int, score, iou float64) Confusion {
	c := make(Confusion, classes+1)
	for i := range c {
		c[i] = make([]int, classes+1)
	}
	known := func(class int) bool { return class >= 0 && class < classes }
	truths := group(len(gt), images, 1, func(i int) (int, int) {
		if gt[i].Crowd || !known(gt[i].Class) {
			return -1, -1
		}
		return gt[i].Image, 0
	})
	found := group(len(dt), images, 1, func(i int) (int, int) {
		if d := dt[i]; !d.Box.finite() || !(d.Score > score) || !known(d.Class) {
			return -1, -1
		}
		return dt[i].Image, 0
	})
	for i := range images {
		c.image(gt, truths.of(i, 0), dt, found.of(i, 0), iou)
	}
	return c
}

func (c Confusion) image(gt []GroundTruth, truths []int, dt []Detection, found []int, least float64) {
	order, background := slices.Clone(found), len(c)-1
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(dt[b].Score, dt[a].Score) })
	holder, held := make([]int, len(truths)), make([]float64, len(truths)) // of each object: its detection, and their IoU
	for n := range holder {
		holder[n] = -1
	}
	for d, i := range order {
		best, most := -1, least
		for n, j := range truths {
			if v := IoU(dt[i].Box, gt[j].Box, false); v > most {
				best, most = n, v
			}
		}
		if best >= 0 && most > held[best] {
			holder[best], held[best] = d, most
		}
	}
	matched := make([]bool, len(order))
	for n, j := range truths {
		if holder[n] < 0 {
			c[background][gt[j].Class]++
			continue
		}
		matched[holder[n]] = true
		c[dt[order[holder[n]]].Class][gt[j].Class]++
	}
	for d, i := range order {
		if !matched[d] {
			c[dt[i].Class][background]++
		}
	}
}
