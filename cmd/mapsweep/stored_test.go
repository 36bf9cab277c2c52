package main

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trials"
)

// keeper is a store whose trials keep matches.
type keeper struct {
	trials.Reader
	matches map[int64][]byte
}

func (k keeper) Artifact(_ context.Context, id int64, name string) (trials.Artifact, error) {
	if data, ok := k.matches[id]; ok && name == evaluate.MatchesName {
		return trials.Artifact{Name: name, Data: data}, nil
	}
	return trials.Artifact{}, errors.New("no such artifact")
}

// Tables read metrics of parts from the matches that trials keep, and say why where there is none.
func TestStoredPart(t *testing.T) {
	box := evaluate.Box{X: 10, Y: 10, W: 20, H: 20}
	m := evaluate.Match([]evaluate.GroundTruth{evaluate.Truth(0, 0, box)}, []evaluate.Detection{{Image: 0, Class: 0, Box: box, Score: 0.9}}, 1, []string{"bolt"})
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	store := keeper{matches: map[int64][]byte{1: data}}
	with := trials.Trial{ID: 1, Number: 0, State: trials.Complete, Measurements: []trials.Measurement{{Epoch: 1, Metrics: map[string]float64{"mAP50": 0.25}}}}
	without := trials.Trial{ID: 2, Number: 1, State: trials.Complete}
	read := partMeasure(ctx, store)
	if v, ok := read(with, "mAP50@small"); !ok || math.Abs(v-1) > 1e-12 {
		t.Errorf("mAP50@small is %g, %v", v, ok)
	}
	if v, ok := read(with, "mAP50"); !ok || v != 0.25 {
		t.Errorf("mAP50 is %g, %v", v, ok)
	}
	if _, ok := read(without, "mAP50@small"); ok {
		t.Error("a trial without matches has a score of a part")
	}
	for metric, want := range map[string]string{"mAP50@small": "", "mAP50@large": "have no large objects", "mAP50@class:nut": `no class "nut"`,
		"recall@small": "is no metric of a part", "mAP50@tiny": `"tiny" is no part`} {
		err := checkPart(ctx, store, &reports.Snapshot{Trials: []trials.Trial{with}}, metric)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", metric, err, want)
		}
	}
	if err := checkPart(ctx, store, &reports.Snapshot{Trials: []trials.Trial{without}}, "mAP50@small"); err == nil || !strings.Contains(err.Error(), "trial 1 keeps no matches") {
		t.Errorf("no matches: %v", err)
	}
}
