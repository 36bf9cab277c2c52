package evaluate

import (
	"cmp"
	"slices"
)

// CurvePoints is how many points the curves of YOLO have: 0 to 1 of confidence or recall.
const CurvePoints = 1000

// YOLOResult is a validation as the official YOLOv9 program scores one. Its average precision ("yolo mAP") is another
// number than COCO's, which it is meant to stand beside, never to replace.
type YOLOResult struct {
	MAP, MAP50 float64 // means over the classes that have objects, of IoU 0.50:0.95 and 0.50; or Undefined
	// Precision, Recall and F1 are means over the classes that have objects, at IoU 0.50 and the one Confidence where
	// the smoothed mean F1 is largest.
	Precision, Recall, F1, Confidence float64
	PerClass                          []YOLOClass // K
	Mean                              Curves      // over the classes that have objects; empty without any
}

// YOLOClass is the part of one class.
type YOLOClass struct {
	Objects               int
	AP                    [numThresholds]float64 // Undefined without objects
	Precision, Recall, F1 float64                // at the result's Confidence; Undefined without objects
	Curves                Curves                 // empty without objects
}

// Curves are at IoU 0.50, each of CurvePoints points.
type Curves struct {
	Precision, Recall, F1 []float64 // by confidence from 0 to 1
	ByRecall              []float64 // precision by recall from 0 to 1, its maximum at that recall or a higher one
}

// YOLO scores detections as the official YOLOv9 program does (val.py and utils/metrics.py of its repository, of 2024):
//
//   - A detection looks at the object of its class that it overlaps most, and at no other. Of the detections that look
//     at one object, that of highest score is right, if the overlap is at least the threshold.
//   - Average precision is the area under the line through 101 points of recall, interpolated linearly between
//     detections, with precision 1 at recall 0 and 0 beyond the last.
//   - There are no crowds and no sizes: crowds are left out. There is no limit of 100 detections.
//
// It computes in float64, where the program has float32 boxes, and keeps the order of dt among equal scores.
func YOLO(gt []GroundTruth, dt []Detection, images, classes int) *YOLOResult {
	gt = slices.DeleteFunc(slices.Clone(gt), func(g GroundTruth) bool { return g.Crowd })
	truths, found := arrange(gt, dt, images, classes)
	r := &YOLOResult{PerClass: make([]YOLOClass, classes), Precision: Undefined, Recall: Undefined, F1: Undefined, Confidence: Undefined}
	for k := range classes {
		c := &r.PerClass[k]
		var all []scored
		for i := range images {
			t := truths.of(i, k)
			c.Objects += len(t)
			all = append(all, lookers(gt, t, dt, found.of(i, k))...)
		}
		slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
		c.fill(all)
	}
	r.average()
	return r
}

// scored is a detection and, from bit 0, the thresholds at which it is right.
type scored struct {
	score float64
	right uint16
}

// lookers matches the detections of one image and class, and returns them by falling score.
func lookers(gt []GroundTruth, truths []int, dt []Detection, found []int) []scored {
	order := slices.Clone(found)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(dt[b].Score, dt[a].Score) })
	taken, out := make([]uint16, len(truths)), make([]scored, 0, len(order))
	for _, i := range order {
		best, most := -1, 0.
		for n, j := range truths {
			if iou := overlapYOLO(dt[i].Box, gt[j].Box); iou > most {
				best, most = n, iou
			}
		}
		d := scored{score: dt[i].Score}
		for t, least := range thresholds {
			if bit := uint16(1) << t; most >= least && taken[best]&bit == 0 {
				taken[best] |= bit
				d.right |= bit
			}
		}
		out = append(out, d)
	}
	return out
}

// overlapYOLO is IoU with the term that the program adds to the union: an overlap that is exactly a threshold misses it.
func overlapYOLO(d, g Box) float64 {
	w := min(d.X+d.W, g.X+g.W) - max(d.X, g.X)
	h := min(d.Y+d.H, g.Y+g.H) - max(d.Y, g.Y)
	if w <= 0 || h <= 0 {
		return 0
	}
	common := float64(w * h)
	return common / (float64(d.W*d.H) + float64(g.W*g.H) - common + 1e-7)
}

// fill computes the class's curves and average precisions from its detections by falling score.
func (c *YOLOClass) fill(all []scored) {
	c.Precision, c.Recall, c.F1 = Undefined, Undefined, Undefined
	if c.Objects == 0 {
		fill(c.AP[:], Undefined)
		return
	}
	c.Curves = Curves{make([]float64, CurvePoints), make([]float64, CurvePoints), make([]float64, CurvePoints), make([]float64, CurvePoints)}
	if len(all) == 0 {
		return
	}
	scores := make([]float64, len(all)) // negative, so that they rise
	for i, d := range all {
		scores[i] = -d.score
	}
	precision, recall := make([]float64, len(all)), make([]float64, len(all))
	for t := range thresholds {
		hits := 0.
		for i, d := range all {
			hits += float64(d.right >> t & 1)
			precision[i], recall[i] = hits/float64(i+1), hits/(float64(c.Objects)+tiny)
		}
		if t == 0 {
			for i := range CurvePoints {
				p := interpolateAt(-curvePoint(i), scores, precision, 1)
				r := interpolateAt(-curvePoint(i), scores, recall, 0)
				c.Curves.Precision[i], c.Curves.Recall[i], c.Curves.F1[i] = p, r, 2*p*r/(p+r+tiny)
			}
		}
		x, y := envelope(recall, precision)
		if t == 0 {
			for i := range c.Curves.ByRecall {
				c.Curves.ByRecall[i] = interpolateAt(curvePoint(i), x, y, 0)
			}
		}
		c.AP[t] = area(x, y)
	}
}

const tiny = 1e-16 // against division by zero

func curvePoint(i int) float64 { return float64(i) / (CurvePoints - 1) }

// envelope is the curve of precision by recall, from recall 0 to 1, made to fall.
func envelope(recall, precision []float64) (x, y []float64) {
	x = append(append([]float64{0}, recall...), 1)
	y = append(append([]float64{1}, precision...), 0)
	for i := len(y) - 1; i > 0; i-- {
		y[i-1] = max(y[i-1], y[i])
	}
	return x, y
}

// area is that under the curve by the trapezium rule over the recall points.
func area(x, y []float64) (sum float64) {
	before := interpolateAt(points[0], x, y, 0)
	for i := 1; i < numPoints; i++ {
		v := interpolateAt(points[i], x, y, 0)
		sum += (points[i] - points[i-1]) * (v + before) / 2
		before = v
	}
	return sum
}

// interpolateAt is the line through the points (x, y), x rising, at v: left before the first, the last y beyond the
// last. Of points of equal x the last counts.
func interpolateAt(v float64, x, y []float64, left float64) float64 {
	after, _ := slices.BinarySearchFunc(x, v, func(x, v float64) int { // the first x beyond v
		if x > v {
			return 1
		}
		return -1
	})
	switch {
	case after == 0:
		return left
	case after == len(x):
		return y[len(y)-1]
	}
	at := after - 1
	if x[at] == v {
		return y[at]
	}
	return y[at] + (y[after]-y[at])/(x[after]-x[at])*(v-x[at])
}

// average fills in the means over the classes that have objects.
func (r *YOLOResult) average() {
	var with []*YOLOClass
	for k := range r.PerClass {
		if c := &r.PerClass[k]; c.Objects > 0 {
			with = append(with, c)
		}
	}
	r.MAP = mean(func(add func(float64)) {
		for _, c := range with {
			for _, v := range c.AP {
				add(v)
			}
		}
	})
	of := func(value func(*YOLOClass) float64) float64 {
		return mean(func(add func(float64)) {
			for _, c := range with {
				add(value(c))
			}
		})
	}
	r.MAP50 = of(func(c *YOLOClass) float64 { return c.AP[0] })
	if len(with) == 0 {
		return
	}
	for i := range CurvePoints {
		r.Mean.Precision = append(r.Mean.Precision, of(func(c *YOLOClass) float64 { return c.Curves.Precision[i] }))
		r.Mean.Recall = append(r.Mean.Recall, of(func(c *YOLOClass) float64 { return c.Curves.Recall[i] }))
		r.Mean.F1 = append(r.Mean.F1, of(func(c *YOLOClass) float64 { return c.Curves.F1[i] }))
		r.Mean.ByRecall = append(r.Mean.ByRecall, of(func(c *YOLOClass) float64 { return c.Curves.ByRecall[i] }))
	}
	best := peak(r.Mean.F1)
	for _, c := range with {
		c.Precision, c.Recall, c.F1 = c.Curves.Precision[best], c.Curves.Recall[best], c.Curves.F1[best]
	}
	r.Confidence = curvePoint(best)
	r.Precision, r.Recall, r.F1 = r.Mean.Precision[best], r.Mean.Recall[best], r.Mean.F1[best]
}

// peak is the first place where the mean over 101 neighbours is largest; beyond its ends the curve goes on level.
func peak(v []float64) int {
	const half = CurvePoints / 20
	best, most := 0, -1.
	for i := range v {
		sum := 0.
		for j := i - half; j <= i+half; j++ {
			sum += v[min(max(j, 0), len(v)-1)]
		}
		if sum > most {
			best, most = i, sum
		}
	}
	return best
}
