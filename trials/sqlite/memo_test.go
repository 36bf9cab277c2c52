package sqlite_test

import (
	"encoding/json"
	"math"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// TestHandedOver: a trial that the writer hands to the cache is what another process reads from the file.
func TestHandedOver(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "x.db")
	d := openDB(t, path)
	defer d.Close()
	st := fill(t, d, 0)
	sg := func(key string) trials.Suggestion {
		return trials.Suggestion{Key: key, Params: trials.Params{"x": 1.0, "n": int64(3), "opt": nil, "fixed": "ü"},
			Space: trials.Space{{Name: "x", Kind: trials.Float, High: 1, Requires: trials.Params{}}, {Name: "opt", Kind: trials.Categorical, Choices: []any{"a", nil}},
				{Name: "unmet", Kind: trials.Int, High: 3, Requires: trials.Params{"n": int64(4)}}},
			Attrs: map[string]json.RawMessage{"a": json.RawMessage(`{"b": [1, 2]}`)}}
	}
	life := func(tr trials.Trial, err error) {
		t.Helper()
		must(t, err)
		tr.Params["x"], tr.Space[0].Name, tr.Attrs["a"], tr.Attempts[0].Worker = -1.0, "y", nil, "y" // it is the caller's
		must(t, d.Record(ctx, tr.ID, trials.Measurement{Epoch: 2, At: time.Now(), Metrics: map[string]float64{"mAP50-95": 0.5, "loss": math.Inf(1)}}))
		must(t, d.Record(ctx, tr.ID, trials.Measurement{Epoch: 4}))
		must(t, d.Heartbeat(ctx, tr.ID))
		must(t, d.SetAttrs(ctx, tr.ID, map[string]json.RawMessage{"a": json.RawMessage(`2`), "c": json.RawMessage(`"x"`)}))
		must(t, d.Finish(ctx, tr.ID, trials.Outcome{State: trials.Pruned, Values: []float64{math.Inf(-1)}, Constraints: []float64{1, math.NaN()},
			Attrs: map[string]json.RawMessage{"c": json.RawMessage(`"y"`), trials.AttrReason: trials.Attr("why")}}))
	}
	life(d.Start(ctx, st.ID, "w", sg("started"), sg("waits")))
	life(d.Claim(ctx, st.ID, "w"))
	again, err := d.Start(ctx, st.ID, "w", sg("again"))
	must(t, err)
	must(t, d.Record(ctx, again.ID, trials.Measurement{Epoch: 1, Metrics: map[string]float64{"mAP50-95": 0.1}}))
	must(t, d.Requeue(ctx, again.ID, "lost", "r"))
	life(d.Claim(ctx, st.ID, "w"))
	replaced, err := d.Start(ctx, st.ID, "w", sg("replaced"))
	must(t, err)
	for _, e := range []int{3, 3, 1} {
		must(t, d.Record(ctx, replaced.ID, trials.Measurement{Epoch: e, Metrics: map[string]float64{"mAP50-95": 0.1}}))
	}
	must(t, d.Finish(ctx, replaced.ID, trials.Outcome{State: trials.Fail}))
	running, err := d.Start(ctx, st.ID, "w", sg("finished elsewhere"))
	must(t, err)
	other := openDB(t, path)
	defer other.Close()
	must(t, other.Record(ctx, running.ID, trials.Measurement{Epoch: 1, Metrics: map[string]float64{"mAP50-95": 0.1}}))
	must(t, other.SetAttrs(ctx, running.ID, map[string]json.RawMessage{"from": trials.Attr("other")}))
	must(t, d.Finish(ctx, running.ID, trials.Outcome{State: trials.Complete, Values: []float64{1}}))
	ours, theirs := everything(t, d, st.ID), everything(t, other, st.ID)
	if len(ours) != 5 || len(ours[0].Measurements) != 2 || len(ours[2].Attempts) != 2 || ours[4].Text("from") != "other" {
		t.Errorf("trials: %+v", ours)
	}
	for i, tr := range ours { // the space is shared, and safe to append to
		if cap(tr.Space) != len(tr.Space) || cap(theirs[i].Space) != len(theirs[i].Space) {
			t.Errorf("trial %d: a space of %d has room for %d", i, len(tr.Space), cap(tr.Space))
		}
	}
	for i := range ours {
		if !reflect.DeepEqual(ours[i], theirs[i]) {
			t.Errorf("handed over\n%+v\nin the file\n%+v", ours[i], theirs[i])
		}
	}
}

func everything(t *testing.T, d *sqlite.DB, study int64) []trials.Trial {
	t.Helper()
	all, err := d.Trials(t.Context(), study)
	must(t, err)
	return all
}

// TestRefusedLeavesNoTrace: what a refused call had prepared is forgotten.
func TestRefusedLeavesNoTrace(t *testing.T) {
	ctx := t.Context()
	d := openDB(t, filepath.Join(t.TempDir(), "x.db"))
	defer d.Close()
	st := fill(t, d, 0)
	linear, log := suggestion(1), suggestion(2)
	log.Space[0].Low, log.Space[0].Log = 0.1, true
	for range 3 {
		if _, err := d.Start(ctx, st.ID, "w", linear, log); err == nil {
			t.Fatal("two scales of one parameter")
		}
	}
	first, err := d.Start(ctx, st.ID, "w", log)
	must(t, err)
	must(t, d.Finish(ctx, first.ID, trials.Outcome{State: trials.Complete, Values: []float64{1}}))
	if all := everything(t, d, st.ID); len(all) != 1 || all[0].Number != 0 || !all[0].Space[0].Log || all[0].Key != log.Key {
		t.Errorf("trials: %+v", all)
	}
}
