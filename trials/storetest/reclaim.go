package storetest

import (
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// testReclaim: who found a worker silent may put its trial back only if nothing has happened since: otherwise the live attempt
// of the one who took the trial meanwhile would be put back.
func testReclaim(t *testing.T, f *fixture) {
	st := f.study("s")
	f.enqueue(st, "a")
	f.is("waiting", f.Reclaim(f.ctx, f.trial(st, 0), "silent"), trials.ErrNotRunning)
	f.claim(st)
	seen := f.trial(st, 0)
	time.Sleep(time.Millisecond)
	for name, sign := range map[string]func(){
		"heartbeat": func() { f.must(f.Heartbeat(f.ctx, seen.ID)) },
		"measurement": func() {
			m := measure(1, 0.1)
			m.At = trials.Now().Add(time.Hour)
			f.must(f.Record(f.ctx, seen.ID, m))
		},
		"another attempt": func() {
			f.must(f.Reclaim(f.ctx, f.trial(st, 0), "silent"))
			f.claim(st)
		},
	} {
		before := f.trial(st, 0)
		time.Sleep(time.Millisecond)
		sign()
		f.is(name, f.Reclaim(f.ctx, before, "silent"), trials.ErrNotRunning)
		if got := f.trial(st, 0); got.State != trials.Running {
			t.Errorf("%s: the trial is %s", name, got.State)
		}
	}
	before := f.trial(st, 0)
	f.must(f.Reclaim(f.ctx, before, "no heartbeat for 2m0s"))
	got := f.trial(st, 0)
	if last := got.Attempts[len(got.Attempts)-1]; got.State != trials.Waiting || last.Outcome != trials.ClassLost || last.Reason != "no heartbeat for 2m0s" {
		t.Errorf("reclaimed: %+v", got)
	}
	f.is("twice", f.Reclaim(f.ctx, before, "silent"), trials.ErrNotRunning)
}
