package evaluate

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// GroundTruth is one annotated object.
type GroundTruth struct {
	Image, Class int // from 0
	Box          Box
	Area         float64 // square pixels; decides between small, medium and large. COCO's area field, not always W x H
	Crowd        bool    // a region of many objects: it may absorb detections, and need not be found
}

// Truth is an ordinary object whose area is that of its box.
func Truth(image, class int, b Box) GroundTruth {
	return GroundTruth{Image: image, Class: class, Box: b, Area: b.W * b.H}
}

// Detection is one predicted object.
type Detection struct {
	Image, Class int // from 0
	Box          Box
	Score        float64 // confidence; only the order counts
}

// Undefined is the score of what has no object to be scored by. It is no number to average or store.
const Undefined = -1

// Sizes of the result's tables.
const (
	numThresholds = 10
	numPoints     = 101
	numAreas      = 4
	numLimits     = 3
	maxDetections = 100 // a class and image
)

// Indices of the area ranges.
const (
	AreaAll    = iota // 0 to 1e10 square pixels
	AreaSmall         // 0 to 32 x 32
	AreaMedium        // 32 x 32 to 96 x 96
	AreaLarge         // 96 x 96 to 1e10
)

// Indices of the limits of detections a class and image.
const (
	Limit1 = iota
	Limit10
	Limit100
)

var (
	limits = [numLimits]int{1, 10, maxDetections}
	// areas are the ranges in square pixels, both ends included.
	areas      = [numAreas][2]float64{{0, 1e10}, {0, 32 * 32}, {32 * 32, 96 * 96}, {96 * 96, 1e10}}
	thresholds = linspace(.5, .95, numThresholds)
	points     = linspace(0, 1, numPoints)
)

// linspace is numpy's: start + i*step, the last value exact. The ninth threshold is therefore 0.8999999999999999.
func linspace(first, last float64, n int) []float64 {
	v := make([]float64, n)
	step := (last - first) / float64(n-1)
	for i := range v {
		v[i] = float64(float64(i)*step) + first
	}
	v[n-1] = last
	return v
}

// IoUThresholds returns the T thresholds.
func IoUThresholds() []float64 { return slices.Clone(thresholds) }

// RecallPoints returns the R recall points.
func RecallPoints() []float64 { return slices.Clone(points) }

// Scores are COCO's twelve numbers, 0 to 1 or Undefined.
type Scores struct {
	AP       float64 // mean over IoU 0.50:0.95
	AP50     float64 // IoU 0.50
	AP75     float64 // IoU 0.75
	APSmall  float64
	APMedium float64
	APLarge  float64
	AR1      float64 // mean over IoU of the largest recall with 1 detection a class and image
	AR10     float64
	AR100    float64
	ARSmall  float64
	ARMedium float64
	ARLarge  float64
}

// List returns the numbers in the order of COCOeval.summarize.
func (s Scores) List() [12]float64 {
	return [12]float64{s.AP, s.AP50, s.AP75, s.APSmall, s.APMedium, s.APLarge, s.AR1, s.AR10, s.AR100, s.ARSmall, s.ARMedium, s.ARLarge}
}

// Result is what COCO finds.
type Result struct {
	Scores
	PerClass []Scores // K
	// Dropped counts the detections that were left out: not finite, or of an image or class that does not exist.
	Dropped int

	classes   int
	precision []float64 // T x K x A x R
	recall    []float64 // T x K x A x M
}

// Precision returns the R precisions of a class for threshold t, an area range and up to 100 detections an image;
// Undefined where the class has no object of that range. The slice is part of the result.
func (r *Result) Precision(t, class, area int) []float64 {
	i := ((t*r.classes+class)*numAreas + area) * numPoints
	return r.precision[i : i+numPoints : i+numPoints]
}

// Recall returns the largest recall of a class for threshold t, an area range and a limit; or Undefined.
func (r *Result) Recall(t, class, area, limit int) float64 {
	return r.recall[((t*r.classes+class)*numAreas+area)*numLimits+limit]
}

// COCO scores detections by the COCO definition (Lin et al. 2014, arXiv:1405.0312, as pycocotools 2.0.11 does).
// Images and classes are counted from 0; where COCO orders by image id, the index does. Equal scores keep the
// order of dt. Ground truth of an image or class that does not exist is ignored.
func COCO(gt []GroundTruth, dt []Detection, images, classes int) *Result {
	return COCOParallel(gt, dt, images, classes, 1)
}

// COCOParallel is COCO on so many goroutines, each of which takes classes; the result is the same for any number.
func COCOParallel(gt []GroundTruth, dt []Detection, images, classes, workers int) *Result {
	r := &Result{
		PerClass: make([]Scores, classes), classes: classes,
		precision: make([]float64, numThresholds*classes*numAreas*numPoints),
		recall:    make([]float64, numThresholds*classes*numAreas*numLimits),
	}
	fill(r.precision, Undefined)
	fill(r.recall, Undefined)
	truths, found := arrange(gt, dt, images, classes)
	r.Dropped = len(dt) - len(found.index)
	all := make([]int, classes)
	for k := range all {
		all[k] = k
	}
	var next atomic.Int64
	work := func() {
		var m matcher
		for k := int(next.Add(1)) - 1; k < classes; k = int(next.Add(1)) - 1 {
			m.reset()
			for i := range images {
				if t, f := truths.of(i, k), found.of(i, k); len(t)+len(f) > 0 {
					m.image(gt, t, dt, f)
				}
			}
			m.accumulate(r, k)
			r.PerClass[k] = r.scores(all[k : k+1])
		}
	}
	var others sync.WaitGroup
	for range min(workers, classes) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
	r.Scores = r.scores(all)
	return r
}

// arrange groups objects and detections by class and image; what is not finite, or of no known image or class, is
// left out.
func arrange(gt []GroundTruth, dt []Detection, images, classes int) (truths, found groups) {
	truths = group(len(gt), images, classes, func(i int) (int, int) { return gt[i].Image, gt[i].Class })
	found = group(len(dt), images, classes, func(i int) (int, int) {
		if d := dt[i]; !d.Box.finite() || math.IsNaN(d.Score) || math.IsInf(d.Score, 0) {
			return -1, -1
		}
		return dt[i].Image, dt[i].Class
	})
	return truths, found
}

func fill(v []float64, x float64) {
	for i := range v {
		v[i] = x
	}
}

// groups are indices by class and image, each in its first order.
type groups struct {
	images int
	start  []int // K*images + 1
	index  []int
}

func (g groups) of(image, class int) []int {
	i := class*g.images + image
	return g.index[g.start[i]:g.start[i+1]]
}

// group sorts n things by class and image, stable; those outside are left out.
func group(n, images, classes int, where func(int) (image, class int)) groups {
	g := groups{images: images, start: make([]int, images*classes+1)}
	slot := make([]int, n)
	for i := range slot {
		im, k := where(i)
		slot[i] = -1
		if im >= 0 && im < images && k >= 0 && k < classes {
			slot[i] = k*images + im
			g.start[slot[i]+1]++
		}
	}
	for i := range images * classes {
		g.start[i+1] += g.start[i]
	}
	g.index = make([]int, g.start[images*classes])
	next := slices.Clone(g.start)
	for i, s := range slot {
		if s >= 0 {
			g.index[next[s]] = i
			next[s]++
		}
	}
	return g
}

// scores averages what is defined over the given classes.
func (r *Result) scores(classes []int) Scores {
	every := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	ap := func(area int, ts ...int) float64 {
		return mean(func(add func(float64)) {
			for _, t := range ts {
				for _, k := range classes {
					for _, v := range r.Precision(t, k, area) {
						add(v)
					}
				}
			}
		})
	}
	ar := func(area, limit int) float64 {
		return mean(func(add func(float64)) {
			for _, t := range every {
				for _, k := range classes {
					add(r.Recall(t, k, area, limit))
				}
			}
		})
	}
	return Scores{
		AP: ap(AreaAll, every...), AP50: ap(AreaAll, 0), AP75: ap(AreaAll, 5),
		APSmall: ap(AreaSmall, every...), APMedium: ap(AreaMedium, every...), APLarge: ap(AreaLarge, every...),
		AR1: ar(AreaAll, Limit1), AR10: ar(AreaAll, Limit10), AR100: ar(AreaAll, Limit100),
		ARSmall: ar(AreaSmall, Limit100), ARMedium: ar(AreaMedium, Limit100), ARLarge: ar(AreaLarge, Limit100),
	}
}

// mean averages the defined values, or is Undefined.
func mean(values func(add func(float64))) float64 {
	sum, n := 0., 0
	values(func(v float64) {
		if v > Undefined {
			sum += v
			n++
		}
	})
	if n == 0 {
		return Undefined
	}
	return sum / float64(n)
}
