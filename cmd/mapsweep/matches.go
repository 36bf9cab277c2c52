package main

import (
	"fmt"
	"math"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// matchesSize is about how much of the database the matches of a study will take, in bytes.
type matchesSize struct {
	Trial float64 `json:"trial_bytes"`
	Study float64 `json:"study_bytes"`
}

// matchesPerPicture is what a picture takes, compressed: 94 bytes on the built-in digits (5 classes, 64 detections
// kept of each), 220 on one of COCO's size (80 classes, 92 detections); docs/BENCHMARKS.md.
const matchesPerPicture = 150.

// sizeOfMatches is nil where the trainer makes no matches or the study keeps none.
func sizeOfMatches(spec studies.Spec, prov trials.Provenance, n int) *matchesSize {
	t := spec.Trainer
	if makes := t.Backend == studies.BackendNative || t.Backend == studies.BackendYOLOv9 && t.COCO; !makes || spec.NoMatches || len(prov.Data) == 0 {
		return nil
	}
	pictures := 0
	for _, d := range prov.Data { // each has as many trials
		if spec.Objective.Split == "test" {
			pictures += d.Test
		} else {
			pictures += d.Val
		}
	}
	one := matchesPerPicture * float64(pictures) / float64(len(prov.Data))
	return &matchesSize{Trial: one, Study: one * float64(n)}
}

// String is a line of the plan.
func (m matchesSize) String() string {
	return fmt.Sprintf("matches: about %s a trial, %s in all; store_matches: false leaves them out", byteSize(rough(m.Trial)), byteSize(rough(m.Study)))
}

// rough rounds a number of bytes to two digits.
func rough(b float64) int64 {
	if b < 1 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(b))-1)
	return int64(math.Round(math.Round(b/unit) * unit))
}
