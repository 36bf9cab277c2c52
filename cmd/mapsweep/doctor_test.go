package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/diagnosis"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/yolov9"
	"github.com/mapsweep/mapsweep/trials"
)

// Every lever that a diagnosis names is a knob that its backend has, or a key of study files.
func TestLevers(t *testing.T) {
	schema, err := studies.Schema()
	if err != nil {
		t.Fatal(err)
	}
	for name, backend := range map[string]trainer.Describer{
		studies.BackendNative: &native.Backend{}, studies.BackendYOLOv9: &yolov9.Backend{},
	} {
		var has []string
		for _, k := range backend.Knobs() {
			has = append(has, k.Name)
		}
		knobs, keys := diagnosis.Knobs(name)
		if len(knobs) < 8 || len(keys) < 3 {
			t.Errorf("%s: levers %v %v", name, knobs, keys)
		}
		for _, k := range knobs {
			if !slices.Contains(has, k) {
				t.Errorf("%s has no knob %s, which a lever names", name, k)
			}
		}
		for _, k := range keys {
			for _, part := range strings.Split(k, ".") {
				if !strings.Contains(string(schema), `"`+part+`"`) {
					t.Errorf("study files have no key %s, which a lever names", k)
				}
			}
		}
	}
}

// A running trial is lost if its process is gone, or if it cannot be seen and has been silent for too long.
func TestLostWorkers(t *testing.T) {
	now := time.Now()
	dead := strings.Split(local.Self(), "/")
	dead[1] = "999999999"
	running := func(n int, worker string, silent time.Duration) trials.Trial {
		return trials.Trial{Number: n, State: trials.Running, Heartbeat: now.Add(-silent),
			Attempts: []trials.Attempt{{Number: 1, Worker: worker, Started: now.Add(-time.Hour)}}}
	}
	ts := []trials.Trial{
		running(0, local.Self(), time.Hour),
		running(1, strings.Join(dead, "/"), time.Second),
		running(2, "elsewhere/7/1.x.y", 119*time.Second),
		running(3, "elsewhere/7/1.x.y", 121*time.Second),
		{Number: 4, State: trials.Complete, Heartbeat: now.Add(-time.Hour)},
		{Number: 5, State: trials.Waiting},
		{Number: 6, State: trials.Running, Started: now.Add(-time.Hour)}, // Optuna's own
		{Number: 7, State: trials.Running, Started: now.Add(-time.Hour), Attrs: map[string]json.RawMessage{trials.AttrKey: trials.Attr("a")}},
	}
	var got []int
	for _, l := range lostWorkers(ts, now) {
		got = append(got, l.Trial)
	}
	if !slices.Equal(got, []int{1, 3}) {
		t.Errorf("lost are %v, want trials 1 and 3", got)
	}
	if other := otherPrograms(ts); len(other) != 1 || other[0].Trial != 7 || !other[0].Since.Equal(ts[7].Started) {
		t.Errorf("run by other programs: %+v, want trial 7", other)
	}
}
