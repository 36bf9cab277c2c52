package storetest

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
)

func testEnqueue(t *testing.T, f *fixture) {
	st, other := f.study("s"), f.study("other")
	a := f.enqueue(st, "a")
	if a.Number != 0 || a.State != trials.Waiting || a.Key != "a" || a.StudyID != st.ID || !a.Started.IsZero() {
		t.Errorf("first trial: %+v", a)
	}
	if o := f.enqueue(other, "a"); o.Number != 0 || o.ID == a.ID {
		t.Errorf("the other study's first trial: %+v", o)
	}
	b := f.enqueue(st, "b")
	if b.Number != 1 || b.ID <= a.ID {
		t.Errorf("second trial: number %d, ID %d after %d", b.Number, b.ID, a.ID)
	}
	got := f.trial(st, 0)
	if !reflect.DeepEqual(got, a) {
		t.Errorf("read back\n%+v\nwant\n%+v", got, a)
	}
	whole(t, got)
	if got.Text(trials.AttrKey) != "a" {
		t.Errorf("attribute %s is %q", trials.AttrKey, got.Text(trials.AttrKey))
	}
	if !reflect.DeepEqual(got.Space, space()) {
		t.Errorf("space\n%+v\nwant\n%+v", got.Space, space())
	}
	changed := point("a")
	changed.Params["lr0"] = 0.02
	again, err := f.Enqueue(f.ctx, st.ID, changed)
	f.must(err)
	if !reflect.DeepEqual(again, a) {
		t.Errorf("same key again\n%+v\nwant\n%+v", again, a)
	}
	if all, _ := f.Trials(f.ctx, st.ID); len(all) != 2 {
		t.Errorf("%d trials, want 2", len(all))
	}
}

func testEnqueueRefuses(t *testing.T, f *fixture) {
	st := f.study("s")
	for name, spoil := range map[string]func(*trials.Suggestion){
		"no key":            func(s *trials.Suggestion) { s.Key = "" },
		"NaN":               func(s *trials.Suggestion) { s.Params["box"] = math.NaN() },
		"list":              func(s *trials.Suggestion) { s.Params["box"] = []int{1} },
		"no such choice":    func(s *trials.Suggestion) { s.Params["opt"] = "lion" },
		"text for a number": func(s *trials.Suggestion) { s.Params["lr0"] = "fast" },
		"range upside down": func(s *trials.Suggestion) { s.Space[0].Low = 1 },
		"log from 0":        func(s *trials.Suggestion) { s.Space[0].Low = 0 },
		"no choices":        func(s *trials.Suggestion) { s.Space[3].Choices = nil },
		"name twice":        func(s *trials.Suggestion) { s.Space = append(s.Space, s.Space[0]) },
		"attribute":         func(s *trials.Suggestion) { s.Attrs["x"] = json.RawMessage("{") },
	} {
		sg := point("a")
		spoil(&sg)
		_, err := f.Enqueue(f.ctx, st.ID, sg)
		f.is(name, err, trials.ErrInvalid)
	}
	if all, _ := f.Trials(f.ctx, st.ID); len(all) != 0 {
		t.Errorf("%d refused trials are there", len(all))
	}
	outside := point("outside")
	outside.Params["lr0"] = 0.5
	_, err := f.Enqueue(f.ctx, st.ID, outside)
	f.must(err) // as in Optuna, a fixed point may lie outside the range
}

// testTypes requires that values come back with their types: 1.0 stays a float, 1 an int.
func testTypes(t *testing.T, f *fixture) {
	st := f.study("s")
	want := trials.Params{"f": 1.0, "i": int64(1), "big": int64(1) << 62, "small": 5e-324, "e": 1e300, "s": "1.0", "b": false, "n": nil,
		"text": "\"<ü>\n\x01", "neg": -0.5}
	sp := trials.Space{{Name: "f", Kind: trials.Categorical, Choices: []any{0.0, 1.0, "0"}, Requires: trials.Params{"i": int64(1), "neg": 2.0}}}
	_, err := f.Enqueue(f.ctx, st.ID, trials.Suggestion{Key: "a", Space: sp, Params: want})
	f.must(err)
	got := f.trial(st, 0)
	if !reflect.DeepEqual(got.Params, want) {
		t.Errorf("got\n%#v\nwant\n%#v", got.Params, want)
	}
	if !reflect.DeepEqual(got.Space, sp) {
		t.Errorf("got\n%#v\nwant\n%#v", got.Space, sp)
	}
	normal, err := f.Enqueue(f.ctx, st.ID, trials.Suggestion{Key: "b", Params: trials.Params{"i": 3, "f": float32(0.5)}})
	f.must(err)
	if want := (trials.Params{"i": int64(3), "f": 0.5}); !reflect.DeepEqual(normal.Params, want) {
		t.Errorf("got %#v, want %#v", normal.Params, want)
	}
}

func testClaimOrder(t *testing.T, f *fixture) {
	st, other := f.study("s"), f.study("other")
	_, err := f.Claim(f.ctx, st.ID, "w")
	f.is("empty study", err, trials.ErrNoneWaiting)
	for _, key := range []string{"c", "a", "b"} {
		f.enqueue(st, key)
	}
	f.enqueue(other, "x")
	for i, want := range []string{"c", "a"} {
		if got := f.claim(st); got.Key != want || got.Number != i {
			t.Errorf("claim %d gave %s", i, got.Key)
		}
	}
	f.must(f.Requeue(f.ctx, f.trial(st, 0).ID, "lost", "its worker vanished"))
	for _, want := range []string{"c", "b"} {
		if got := f.claim(st); got.Key != want {
			t.Errorf("after requeue: claim gave %s, want %s", got.Key, want)
		}
	}
	_, err = f.Claim(f.ctx, st.ID, "w")
	f.is("all running", err, trials.ErrNoneWaiting)
}

func testIncompatible(t *testing.T, f *fixture) {
	st := f.study("s")
	f.enqueue(st, "a")
	linear := point("b")
	linear.Space[0].Log = false
	_, err := f.Enqueue(f.ctx, st.ID, linear)
	f.is("scale", err, trials.ErrIncompatible)
	kind := point("b")
	kind.Space[2].Kind = trials.Float
	_, err = f.Enqueue(f.ctx, st.ID, kind)
	f.is("kind", err, trials.ErrIncompatible)
	if all, _ := f.Trials(f.ctx, st.ID); len(all) != 1 {
		t.Errorf("%d trials, want 1", len(all))
	}
	wider := point("b")
	wider.Space[0].High = 1
	_, err = f.Enqueue(f.ctx, st.ID, wider)
	f.must(err)
	if got := f.trial(st, 1).Space[0].High; got != 1 {
		t.Errorf("wider range came back as %v", got)
	}
}

func testGrowingChoices(t *testing.T, f *fixture) {
	st := f.study("s")
	for _, c := range []struct {
		key     string
		choices []any
		value   any
	}{{"a", []any{0.3, 0.0}, 0.0}, {"b", []any{0.1, 0.3, 0.0}, 0.1}, {"c", []any{0.0, 0.3}, 0.0}} {
		_, err := f.Enqueue(f.ctx, st.ID, trials.Suggestion{Key: c.key, Params: trials.Params{"copy_paste": c.value},
			Space: trials.Space{{Name: "copy_paste", Kind: trials.Categorical, Choices: c.choices}}})
		f.must(err)
	}
	for i, want := range []any{0.0, 0.1, 0.0} {
		if got := f.trial(st, i).Params["copy_paste"]; got != want {
			t.Errorf("trial %d has %v, want %v", i, got, want)
		}
	}
}

func testUnknown(t *testing.T, f *fixture) {
	_, err := f.Trials(f.ctx, 99)
	f.is("Trials", err, trials.ErrNoStudy)
	_, err = f.Enqueue(f.ctx, 99, point("a"))
	f.is("Enqueue", err, trials.ErrNoStudy)
	_, err = f.Claim(f.ctx, 99, "w")
	f.is("Claim", err, trials.ErrNoStudy)
	f.is("Record", f.Record(f.ctx, 99, measure(1, 0)), trials.ErrNoTrial)
	f.is("Heartbeat", f.Heartbeat(f.ctx, 99), trials.ErrNoTrial)
	f.is("Attach", f.Attach(f.ctx, 99, trials.Artifact{Name: "a"}), trials.ErrNoTrial)
	f.is("SetAttrs", f.SetAttrs(f.ctx, 99, map[string]json.RawMessage{}), trials.ErrNoTrial)
	f.is("Finish", f.Finish(f.ctx, 99, trials.Outcome{State: trials.Fail}), trials.ErrNoTrial)
	f.is("Requeue", f.Requeue(f.ctx, 99, "", ""), trials.ErrNoTrial)
}

// testCopies requires that callers may change what they gave, and what they got while the trial was open.
func testCopies(t *testing.T, f *fixture) {
	st := f.study("s")
	sg := point("a")
	got, err := f.Enqueue(f.ctx, st.ID, sg)
	f.must(err)
	waiting := f.trial(st, 0)
	claimed := f.claim(st)
	m := measure(1, 0.5)
	f.must(f.Record(f.ctx, got.ID, m))
	running := f.trial(st, 0)
	want := f.trial(st, 0)
	c, err := f.Changes(f.ctx, st.ID, 0)
	f.must(err)
	given := trials.Trial{Params: sg.Params, Space: sg.Space, Attrs: sg.Attrs, Measurements: []trials.Measurement{m}}
	for _, tr := range []trials.Trial{got, waiting, claimed, running, *c.Open[0], given} {
		tr.Params["lr0"] = -1.0
		tr.Space[0].Name, tr.Space[3].Choices[0], tr.Space[3].Requires["mixup"] = "x", "x", "x"
		tr.Attrs["x"] = json.RawMessage("1")
		for _, m := range tr.Measurements {
			m.Metrics["mAP50-95"] = -1
		}
		for i := range tr.Attempts {
			tr.Attempts[i].Worker = "x"
		}
	}
	if again := f.trial(st, 0); !reflect.DeepEqual(again, want) {
		t.Errorf("a caller's change shows:\n%+v\nwant\n%+v", again, want)
	}
	outcome := trials.Outcome{State: trials.Complete, Values: []float64{0.5}, Constraints: []float64{-1},
		Attrs: map[string]json.RawMessage{"y": json.RawMessage("1")}}
	f.must(f.Finish(f.ctx, got.ID, outcome))
	outcome.Values[0], outcome.Constraints[0], outcome.Attrs["y"] = -1, 1, json.RawMessage("2")
	if got := f.trial(st, 0); got.Values[0] != 0.5 || got.Constraints[0] != -1 || string(got.Attrs["y"]) != "1" {
		t.Errorf("a change of the given outcome shows: %+v", got)
	}
}
