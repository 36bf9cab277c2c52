package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trials"
)

// parted are the metrics that parts have.
var parted = []string{"mAP50-95", "mAP50", "mAP75"}

// scorePart makes a metric of a part of objects and pictures from the matches that a trial left behind. known is false
// for a metric that is of all of them.
func scorePart(metric string, left []trials.Artifact) (value float64, known bool, err error) {
	base, part, err := studies.CutMetric(metric)
	if err != nil || part == (studies.Part{}) || !slices.Contains(parted, strings.TrimPrefix(base, "coco/")) {
		return 0, false, nil
	}
	i := slices.IndexFunc(left, func(a trials.Artifact) bool { return a.Name == evaluate.MatchesName })
	if i < 0 {
		return 0, true, errors.New("the trainer left no matches, of which it is made")
	}
	m, err := evaluate.DecodeMatches(left[i].Data)
	if err != nil {
		return 0, true, err
	}
	value, err = reports.SubsetScore(m, metric)
	return value, true, err
}

// partMeasure reads metrics of parts ("mAP50@small") from the matches that trials keep, and all others as they were measured.
func partMeasure(ctx context.Context, r trials.Reader) reports.Measure {
	return func(t trials.Trial, metric string) (float64, bool) {
		if !strings.Contains(metric, "@") {
			return reports.At(t, metric)
		}
		v, err := storedPart(ctx, r, t, metric)
		return v, err == nil
	}
}

// storedPart makes a metric of a part from the matches that a trial keeps.
func storedPart(ctx context.Context, r trials.Reader, t trials.Trial, metric string) (float64, error) {
	art, err := r.Artifact(ctx, t.ID, evaluate.MatchesName)
	if err != nil {
		return 0, fmt.Errorf("trial %d keeps no matches, of which %s is made", t.Number, metric)
	}
	v, known, err := scorePart(metric, []trials.Artifact{art})
	if err == nil && !known {
		err = fmt.Errorf("%q is no metric of a part: one of mAP50-95, mAP50 and mAP75, then @ and the part", metric)
	}
	return v, err
}

// checkPart says why no complete trial of a study has a metric of a part; nil if one has it.
func checkPart(ctx context.Context, r trials.Reader, snap *reports.Snapshot, metric string) error {
	if _, _, err := studies.CutMetric(metric); err != nil {
		return err
	}
	err := errors.New("no trial is complete")
	for _, t := range snap.Trials {
		if t.State != trials.Complete {
			continue
		}
		if _, err = storedPart(ctx, r, t, metric); err == nil {
			return nil
		}
	}
	return err
}
