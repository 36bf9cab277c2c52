package storetest

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

func testLife(t *testing.T, f *fixture) {
	st := f.study("s")
	f.enqueue(st, "a")
	before := trials.Now()
	c := f.claim(st)
	if c.State != trials.Running || c.Started.Before(before) || c.Heartbeat.Before(before) || len(c.Attempts) != 1 {
		t.Fatalf("claimed: %+v", c)
	}
	whole(t, c)
	if a := c.Attempts[0]; a.Number != 1 || a.Worker != "host/1/0" || !a.Started.Equal(c.Started) || !a.Ended.IsZero() {
		t.Errorf("attempt: %+v", a)
	}
	f.must(f.Record(f.ctx, c.ID, measure(2, 0.3)))
	f.must(f.Record(f.ctx, c.ID, measure(1, 0.2)))
	f.must(f.Heartbeat(f.ctx, c.ID))
	if got := f.trial(st, 0); got.Heartbeat.Before(c.Heartbeat) || got.State != trials.Running || got.Values != nil {
		t.Errorf("running: %+v", got)
	}
	f.must(f.Finish(f.ctx, c.ID, trials.Outcome{State: trials.Complete, Values: []float64{0.3},
		Attrs: map[string]json.RawMessage{trials.AttrScoreEpoch: trials.Attr(2), trials.AttrArm: trials.Attr("changed")}}))
	got := f.trial(st, 0)
	if got.State != trials.Complete || !reflect.DeepEqual(got.Values, []float64{0.3}) || got.Finished.Before(got.Started) || got.Arm() != "changed" {
		t.Errorf("finished: %+v", got)
	}
	if want := []trials.Measurement{measure(1, 0.2), measure(2, 0.3)}; !reflect.DeepEqual(got.Measurements, want) {
		t.Errorf("measurements\n%+v\nwant\n%+v", got.Measurements, want)
	}
	if a := got.Attempts[0]; a.Outcome != "complete" || !a.Ended.Equal(got.Finished) || a.Reason != "" {
		t.Errorf("attempt: %+v", a)
	}
	if got.Started.Location() != time.UTC {
		t.Errorf("time in %v", got.Started.Location())
	}
}

func testFinishRefuses(t *testing.T, f *fixture) {
	st := f.study("s")
	f.enqueue(st, "a")
	c := f.claim(st)
	for name, o := range map[string]trials.Outcome{
		"NaN":              {State: trials.Complete, Values: []float64{math.NaN()}},
		"infinite":         {State: trials.Complete, Values: []float64{math.Inf(-1)}},
		"without value":    {State: trials.Complete},
		"too many values":  {State: trials.Complete, Values: []float64{1, 2}},
		"failed and value": {State: trials.Fail, Values: []float64{0}},
		"not an end":       {State: trials.Waiting},
		"attribute":        {State: trials.Fail, Attrs: map[string]json.RawMessage{"x": nil}},
	} {
		f.is(name, f.Finish(f.ctx, c.ID, o), trials.ErrInvalid)
	}
	if got := f.trial(st, 0); got.State != trials.Running || got.Values != nil {
		t.Fatalf("a refused end left its mark: %+v", got)
	}
	f.must(f.Finish(f.ctx, c.ID, trials.Outcome{State: trials.Fail,
		Attrs: map[string]json.RawMessage{trials.AttrClass: trials.Attr(trials.ClassDiverged), trials.AttrReason: trials.Attr("loss is NaN at step 7")}}))
	got := f.trial(st, 0)
	if got.State != trials.Fail || got.Values != nil || got.Text(trials.AttrClass) != trials.ClassDiverged {
		t.Errorf("failed: %+v", got)
	}
	if a := got.Attempts[0]; a.Outcome != "fail" || a.Reason != "loss is NaN at step 7" {
		t.Errorf("attempt: %+v", a)
	}
	f.is("second end", f.Finish(f.ctx, c.ID, trials.Outcome{State: trials.Complete, Values: []float64{1}}), trials.ErrFinished)
	if again := f.trial(st, 0); !reflect.DeepEqual(again, got) {
		t.Errorf("a finished trial changed:\n%+v\nwant\n%+v", again, got)
	}
}

func testFinishWaiting(t *testing.T, f *fixture) {
	st := f.study("s")
	a := f.enqueue(st, "a")
	f.must(f.Finish(f.ctx, a.ID, trials.Outcome{State: trials.Fail, Attrs: map[string]json.RawMessage{trials.AttrClass: trials.Attr(trials.ClassSkipped)}}))
	got := f.trial(st, 0)
	if got.State != trials.Fail || len(got.Attempts) != 0 || got.Finished.IsZero() || !got.Started.Equal(got.Finished) {
		t.Errorf("skipped: %+v", got)
	}
	_, err := f.Claim(f.ctx, st.ID, "w")
	f.is("claim", err, trials.ErrNoneWaiting)
}

func testPruned(t *testing.T, f *fixture) {
	st := f.study("s")
	for i, c := range []struct{ values, want []float64 }{{nil, nil}, {[]float64{0.1}, []float64{0.1}}, {[]float64{math.NaN()}, nil}} {
		f.enqueue(st, pointKey(i))
		tr := f.claim(st)
		f.must(f.Finish(f.ctx, tr.ID, trials.Outcome{State: trials.Pruned, Values: c.values}))
		if got := f.trial(st, i); got.State != trials.Pruned || !reflect.DeepEqual(got.Values, c.want) || got.Attempts[0].Outcome != "pruned" {
			t.Errorf("pruned with %v: %+v", c.values, got)
		}
	}
}

func testRecordReplaces(t *testing.T, f *fixture) {
	st := f.study("s")
	f.enqueue(st, "a")
	c := f.claim(st)
	f.must(f.Record(f.ctx, c.ID, measure(1, 0.2)))
	f.must(f.Record(f.ctx, c.ID, measure(2, 0.3)))
	f.must(f.Record(f.ctx, c.ID, trials.Measurement{Epoch: 1, Metrics: map[string]float64{"lr/weights": 0.01}}))
	got := f.trial(st, 0).Measurements
	want := []trials.Measurement{{Epoch: 1, Metrics: map[string]float64{"lr/weights": 0.01}}, measure(2, 0.3)}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	f.must(f.Record(f.ctx, c.ID, trials.Measurement{Epoch: 3}))
	if got := f.trial(st, 0).Measurements; len(got) != 3 || len(got[2].Metrics) != 0 {
		t.Errorf("empty measurement: %+v", got)
	}
	f.is("negative epoch", f.Record(f.ctx, c.ID, trials.Measurement{Epoch: -1}), trials.ErrInvalid)
}

func testRecordStates(t *testing.T, f *fixture) {
	st := f.study("s")
	a := f.enqueue(st, "a")
	f.is("Record while waiting", f.Record(f.ctx, a.ID, measure(1, 0)), trials.ErrNotRunning)
	f.is("Heartbeat while waiting", f.Heartbeat(f.ctx, a.ID), trials.ErrNotRunning)
	f.is("Requeue while waiting", f.Requeue(f.ctx, a.ID, "lost", ""), trials.ErrNotRunning)
	f.claim(st)
	f.must(f.Finish(f.ctx, a.ID, trials.Outcome{State: trials.Pruned}))
	f.is("Record after the end", f.Record(f.ctx, a.ID, measure(1, 0)), trials.ErrFinished)
	f.is("Heartbeat after the end", f.Heartbeat(f.ctx, a.ID), trials.ErrFinished)
	f.is("Requeue after the end", f.Requeue(f.ctx, a.ID, "lost", ""), trials.ErrNotRunning)
	if got := f.trial(st, 0); len(got.Measurements) != 0 {
		t.Errorf("refused measurements are there: %+v", got.Measurements)
	}
}

func testNaN(t *testing.T, f *fixture) {
	st := f.study("s")
	f.enqueue(st, "a")
	c := f.claim(st)
	want := map[string]float64{"mAP50-95": math.NaN(), "up": math.Inf(1), "down": math.Inf(-1), "zero": 0, "small": 5e-324, "third": 1.0 / 3}
	f.must(f.Record(f.ctx, c.ID, trials.Measurement{Epoch: 1, Metrics: want}))
	got := f.trial(st, 0).Measurements[0].Metrics
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
	for name, v := range want {
		if g, ok := got[name]; !ok || !same(g, v) {
			t.Errorf("%s: got %v, want %v", name, g, v)
		}
	}
}

func testRequeue(t *testing.T, f *fixture) {
	st := f.study("s")
	f.enqueue(st, "a")
	c := f.claim(st)
	f.must(f.Record(f.ctx, c.ID, measure(1, 0.2)))
	f.must(f.Requeue(f.ctx, c.ID, "lost", "no heartbeat for 2m0s"))
	got := f.trial(st, 0)
	if got.State != trials.Waiting || !got.Started.IsZero() || !got.Heartbeat.IsZero() || len(got.Measurements) != 1 {
		t.Errorf("requeued: %+v", got)
	}
	if a := got.Attempts[0]; a.Outcome != "lost" || a.Reason != "no heartbeat for 2m0s" || a.Ended.IsZero() {
		t.Errorf("attempt: %+v", a)
	}
	again, err := f.Claim(f.ctx, st.ID, "host/2/0")
	f.must(err)
	if again.ID != c.ID || len(again.Attempts) != 2 || again.Attempts[1].Worker != "host/2/0" || len(again.Measurements) != 1 {
		t.Errorf("claimed again: %+v", again)
	}
	f.must(f.Finish(f.ctx, c.ID, trials.Outcome{State: trials.Complete, Values: []float64{0.2}}))
	if a := f.trial(st, 0).Attempts; a[0].Outcome != "lost" || a[1].Outcome != "complete" {
		t.Errorf("attempts: %+v", a)
	}
}

// testLost: the time between a worker's last sign of life and the discovery that it vanished is nobody's work.
func testLost(t *testing.T, f *fixture) {
	const down = 20 * time.Millisecond
	requeue := func(id int64) error { return f.Requeue(f.ctx, id, trials.ClassLost, "killed") }
	giveUp := func(id int64) error {
		return f.Finish(f.ctx, id, trials.Outcome{State: trials.Fail, Attrs: map[string]json.RawMessage{trials.AttrClass: trials.Attr(trials.ClassLost)}})
	}
	stop := func(id int64) error { return f.Requeue(f.ctx, id, "interrupted", "") }
	for _, c := range []struct {
		name     string
		measured time.Duration // after the heartbeat
		end      func(id int64) error
		want     string
	}{
		{"at its heartbeat", -time.Hour, requeue, "heartbeat"},
		{"at a later measurement", down / 2, requeue, "measurement"},
		{"not in the future", time.Hour, requeue, "now"},
		{"given up", -time.Hour, giveUp, "heartbeat"},
		{"interrupted is not lost", -time.Hour, stop, "now"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fixture{t: t, ctx: f.ctx, Store: f.Store}
			st := f.study(c.name)
			f.enqueue(st, "a")
			f.must(f.Heartbeat(f.ctx, f.claim(st).ID))
			running := f.trial(st, 0)
			m := measure(1, 0.2)
			m.At = running.Heartbeat.Add(c.measured)
			f.must(f.Record(f.ctx, running.ID, m))
			time.Sleep(down)
			before := trials.Now()
			f.must(c.end(running.ID))
			a := f.trial(st, 0).Attempts[0]
			switch c.want {
			case "now":
				if a.Ended.Before(before) || a.Ended.After(trials.Now()) {
					t.Errorf("ended %v, requeued at %v", a.Ended, before)
				}
			case "heartbeat":
				if !a.Ended.Equal(running.Heartbeat) {
					t.Errorf("ended %v, last heartbeat %v", a.Ended, running.Heartbeat)
				}
			case "measurement":
				if !a.Ended.Equal(m.At) {
					t.Errorf("ended %v, last measurement %v", a.Ended, m.At)
				}
			}
		})
	}
}

// testStaleEpochs: an attempt that goes on from epoch 2 runs 3 again, so what the lost attempt said of 3 and 4 goes.
func testStaleEpochs(t *testing.T, f *fixture) {
	st := f.study("s")
	f.enqueue(st, "a")
	c := f.claim(st)
	for e := 1; e <= 4; e++ {
		f.must(f.Record(f.ctx, c.ID, measure(e, 0.1)))
	}
	f.must(f.Requeue(f.ctx, c.ID, "lost", ""))
	f.claim(st)
	f.must(f.Record(f.ctx, c.ID, measure(2, 0.2)))
	if got, want := f.trial(st, 0).Measurements, []trials.Measurement{measure(1, 0.1), measure(2, 0.2)}; !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	f.must(f.Record(f.ctx, c.ID, measure(3, 0.2)))
	f.must(f.Record(f.ctx, c.ID, measure(2, 0.3)))
	if got := f.trial(st, 0).Measurements; len(got) != 3 {
		t.Errorf("the same attempt's later epoch went: %+v", got)
	}
}

func testAttrs(t *testing.T, f *fixture) {
	st := f.study("s")
	a := f.enqueue(st, "a")
	f.must(f.SetAttrs(f.ctx, a.ID, map[string]json.RawMessage{"x": json.RawMessage(`{"b":[1,2.5,"ü\"",null]}`), "y": json.RawMessage(`1`)}))
	f.claim(st)
	f.must(f.Finish(f.ctx, a.ID, trials.Outcome{State: trials.Pruned}))
	_ = f.trial(st, 0)
	f.must(f.SetAttrs(f.ctx, a.ID, map[string]json.RawMessage{"y": json.RawMessage(`"after"`), "z": json.RawMessage(`true`)}))
	got := f.trial(st, 0)
	for name, want := range map[string]string{"x": `{"b":[1,2.5,"ü\"",null]}`, "y": `"after"`, "z": "true", trials.AttrArm: `"baseline"`} {
		if string(got.Attrs[name]) != want {
			t.Errorf("%s is %s, want %s", name, got.Attrs[name], want)
		}
	}
	f.is("no JSON", f.SetAttrs(f.ctx, a.ID, map[string]json.RawMessage{"x": json.RawMessage("nope")}), trials.ErrInvalid)
	f.is("no name", f.SetAttrs(f.ctx, a.ID, map[string]json.RawMessage{"": json.RawMessage("1")}), trials.ErrInvalid)
}

func testArtifacts(t *testing.T, f *fixture) {
	st := f.study("s")
	a, b := f.enqueue(st, "a"), f.enqueue(st, "b")
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(i * i * 7919 >> 5)
	}
	for _, want := range []trials.Artifact{
		{Name: "matches", MediaType: "application/octet-stream", Data: bytes.Repeat([]byte("abc"), 10000)},
		{Name: "noise", MediaType: "image/png", Data: noise},
		{Name: "empty", MediaType: "text/plain", Data: []byte{}},
		{Name: "matches", MediaType: "text/plain", Data: []byte("replaced")},
	} {
		f.must(f.Attach(f.ctx, a.ID, want))
		got, err := f.Artifact(f.ctx, a.ID, want.Name)
		f.must(err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %d bytes as %s", want.Name, len(got.Data), got.MediaType)
		}
	}
	_, err := f.Artifact(f.ctx, b.ID, "matches")
	f.is("other trial", err, trials.ErrNoArtifact)
	f.is("no name", f.Attach(f.ctx, a.ID, trials.Artifact{}), trials.ErrInvalid)
}
