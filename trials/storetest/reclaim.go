package storetest

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// counted are attributes that a reclaim sets; one that loses the race must not.
func counted() map[string]json.RawMessage {
	return map[string]json.RawMessage{trials.AttrRetries: trials.Attr(map[string]int{trials.ClassLost: 1})}
}

// givenUp is how a trial ends whose workers vanish again and again.
func givenUp() trials.Outcome {
	return trials.Outcome{State: trials.Fail, Attrs: map[string]json.RawMessage{
		trials.AttrClass: trials.Attr(trials.ClassLost), trials.AttrReason: trials.Attr("no heartbeat for 2m0s")}}
}

// testReclaim: who found a worker silent may put its trial back, or give it up, only if nothing has happened since: otherwise
// the live attempt of the one who took the trial meanwhile would be ended.
func testReclaim(t *testing.T, f *fixture) {
	for name, end := range map[string]func(trials.Trial) error{
		"put back": func(tr trials.Trial) error { return f.Reclaim(f.ctx, tr, "silent", counted()) },
		"given up": func(tr trials.Trial) error { return f.GiveUp(f.ctx, tr, givenUp()) },
	} {
		st := f.study(name)
		f.enqueue(st, "a")
		f.is("waiting, "+name, end(f.trial(st, 0)), trials.ErrNotRunning)
		f.claim(st)
		seen := f.trial(st, 0)
		time.Sleep(time.Millisecond)
		for sign, give := range map[string]func(){
			"heartbeat": func() { f.must(f.Heartbeat(f.ctx, seen.ID)) },
			"measurement": func() {
				m := measure(1, 0.1)
				m.At = trials.Now().Add(time.Hour)
				f.must(f.Record(f.ctx, seen.ID, m))
			},
			"another attempt": func() {
				f.must(f.Reclaim(f.ctx, f.trial(st, 0), "silent", nil))
				f.claim(st)
			},
		} {
			before := f.trial(st, 0)
			time.Sleep(time.Millisecond)
			give()
			want := f.trial(st, 0)
			f.is(sign+", "+name, end(before), trials.ErrNotRunning)
			if got := f.trial(st, 0); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %s: refused, and yet the trial became\n%+v\nfrom\n%+v", sign, name, got, want)
			}
		}
		f.must(f.Finish(f.ctx, seen.ID, trials.Outcome{State: trials.Complete, Values: []float64{0.5}}))
		f.is("ended, "+name, end(seen), trials.ErrNotRunning)
	}
}

// testReclaimed: what a reclaim that nothing speaks against leaves.
func testReclaimed(t *testing.T, f *fixture) {
	st := f.study("s")
	f.enqueue(st, "a")
	f.claim(st)
	before := f.trial(st, 0)
	f.must(f.Reclaim(f.ctx, before, "no heartbeat for 2m0s", counted()))
	got := f.trial(st, 0)
	if last := got.Attempts[len(got.Attempts)-1]; got.State != trials.Waiting || last.Outcome != trials.ClassLost || last.Reason != "no heartbeat for 2m0s" ||
		string(got.Attrs[trials.AttrRetries]) != `{"lost":1}` {
		t.Errorf("reclaimed: %+v", got)
	}
	f.is("twice", f.Reclaim(f.ctx, before, "silent", nil), trials.ErrNotRunning)
	f.is("no JSON", f.Reclaim(f.ctx, before, "silent", map[string]json.RawMessage{"x": json.RawMessage("nope")}), trials.ErrInvalid)
	f.claim(st)
	running := f.trial(st, 0)
	f.is("not an end", f.GiveUp(f.ctx, running, trials.Outcome{State: trials.Waiting}), trials.ErrInvalid)
	f.must(f.GiveUp(f.ctx, running, givenUp()))
	got = f.trial(st, 0)
	if last := got.Attempts[1]; got.State != trials.Fail || got.Text(trials.AttrClass) != trials.ClassLost || last.Outcome != "fail" ||
		last.Reason != "no heartbeat for 2m0s" || !last.Ended.Equal(running.LostAt(trials.Now())) {
		t.Errorf("given up: %+v", got)
	}
	f.is("given up twice", f.GiveUp(f.ctx, running, givenUp()), trials.ErrNotRunning)
	f.is("unknown", f.GiveUp(f.ctx, trials.Trial{ID: 99}, givenUp()), trials.ErrNoTrial)
}

// testHolding: a worker that was taken for dead and comes back changes nothing of a trial that waits or that another one
// runs, and that one's own changes hold.
func testHolding(t *testing.T, f *fixture) {
	st := f.study("s")
	f.enqueue(st, "a")
	first := f.claim(st)
	old := trials.Holding(f.ctx, first)
	f.must(f.Record(old, first.ID, measure(1, 0.1)))
	f.must(f.Heartbeat(old, first.ID))
	f.must(f.SetAttrs(old, first.ID, map[string]json.RawMessage{"x": trials.Attr(1)}))
	f.must(f.Attach(old, first.ID, trials.Artifact{Name: "note", MediaType: "text/plain", Data: []byte("old")}))
	refused := func(when string, want error) {
		t.Helper()
		before := f.trial(st, 0)
		for name, err := range map[string]error{
			"Record":    f.Record(old, first.ID, measure(2, 0.2)),
			"Heartbeat": f.Heartbeat(old, first.ID),
			"SetAttrs":  f.SetAttrs(old, first.ID, map[string]json.RawMessage{"x": trials.Attr(2)}),
			"Attach":    f.Attach(old, first.ID, trials.Artifact{Name: "note", MediaType: "text/plain", Data: []byte("new")}),
			"Requeue":   f.Requeue(old, first.ID, "interrupted", ""),
			"Finish":    f.Finish(old, first.ID, trials.Outcome{State: trials.Complete, Values: []float64{0.2}}),
		} {
			f.is(name+" "+when, err, want)
		}
		if got := f.trial(st, 0); !reflect.DeepEqual(got, before) {
			t.Errorf("%s: refused, and yet the trial became\n%+v\nfrom\n%+v", when, got, before)
		}
		if a, err := f.Artifact(f.ctx, first.ID, "note"); err != nil || string(a.Data) != "old" {
			t.Errorf("%s: artifact %q, %v", when, a.Data, err)
		}
	}
	f.must(f.Reclaim(f.ctx, f.trial(st, 0), "silent", nil))
	refused("while it waits", trials.ErrTaken)
	second := f.claim(st)
	refused("while another one runs it", trials.ErrTaken)
	now := trials.Holding(f.ctx, second)
	f.must(f.Record(now, second.ID, measure(2, 0.3)))
	f.enqueue(st, "b")
	f.must(f.SetAttrs(now, f.claim(st).ID, map[string]json.RawMessage{"x": trials.Attr(2)})) // another trial is not held
	f.must(f.Finish(now, second.ID, trials.Outcome{State: trials.Complete, Values: []float64{0.3}}))
	refused("after the other one's end", trials.ErrFinished)
	if got := f.trial(st, 0); got.Values[0] != 0.3 || len(got.Measurements) != 2 {
		t.Errorf("%+v", got)
	}
}
