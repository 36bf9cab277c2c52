package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
)

// epochs is the length of every trial that work runs.
const epochs = 3

func workerName(w int) string { return fmt.Sprintf("host/%d/0", w) }

func pointKey(i int) string { return fmt.Sprintf("point-%03d", i) }

// score is what work measures: a function of key and epoch, so that mixed-up trials show.
func score(key string, epoch int) float64 {
	sum := 0
	for _, c := range key {
		sum = sum*31%997 + int(c)
	}
	return float64(sum)/2000 + float64(epoch)/1000
}

// work enqueues the points 0..n-1, most of which others enqueue, too, then claims, measures and finishes
// until none is waiting. done, if not nil, hears of every step that has returned.
func work(ctx context.Context, s trials.Writer, studyID int64, worker string, n int, done func(step, key string)) error {
	if done == nil {
		done = func(string, string) {}
	}
	for i := range n {
		if _, err := s.Enqueue(ctx, studyID, point(pointKey(i))); err != nil {
			return err
		}
		done("enqueued", pointKey(i))
	}
	for {
		t, err := s.Claim(ctx, studyID, worker)
		if errors.Is(err, trials.ErrNoneWaiting) {
			return nil
		}
		if err != nil {
			return err
		}
		done("claimed", t.Key)
		for e := 1; e <= epochs; e++ {
			if err := s.Record(ctx, t.ID, measure(e, score(t.Key, e))); err != nil {
				return err
			}
			done(fmt.Sprintf("recorded-%d", e), t.Key)
		}
		if err := s.Heartbeat(ctx, t.ID); err != nil {
			return err
		}
		if err := s.Attach(ctx, t.ID, trials.Artifact{Name: "curve", MediaType: "text/plain", Data: []byte(t.Key)}); err != nil {
			return err
		}
		if err := s.Finish(ctx, t.ID, trials.Outcome{State: trials.Complete, Values: []float64{score(t.Key, epochs)}}); err != nil {
			return err
		}
		done("finished", t.Key)
	}
}

// verify requires that every one of n points was run to its end exactly once, with its own results.
func verify(t *testing.T, all []trials.Trial, n int) {
	t.Helper()
	if len(all) != n {
		t.Errorf("%d trials, want %d", len(all), n)
	}
	seen := map[string]bool{}
	lastID := int64(0)
	for i, tr := range all {
		if tr.Number != i {
			t.Errorf("place %d holds number %d", i, tr.Number)
		}
		if tr.ID <= lastID {
			t.Errorf("trial %d has ID %d after %d", i, tr.ID, lastID)
		}
		lastID = tr.ID
		if seen[tr.Key] {
			t.Errorf("key %s occurs twice", tr.Key)
		}
		seen[tr.Key] = true
		whole(t, tr)
		if tr.State != trials.Complete {
			t.Errorf("trial %d (%s) is %s", i, tr.Key, tr.State)
			continue
		}
		complete(t, tr)
	}
}

// whole requires that nothing of a trial's suggestion is missing.
func whole(t *testing.T, tr trials.Trial) {
	t.Helper()
	if want := point(tr.Key); tr.Params.Key() != want.Params.Key() || len(tr.Space) != len(want.Space) || tr.Arm() != "baseline" || tr.Seed() != seed(tr.Key) {
		t.Errorf("trial %d (%s) is half: params %v, %d in space, arm %q", tr.Number, tr.Key, tr.Params, len(tr.Space), tr.Arm())
	}
}

// complete requires the results of a complete trial.
func complete(t *testing.T, tr trials.Trial) {
	t.Helper()
	if len(tr.Values) != 1 || tr.Values[0] != score(tr.Key, epochs) {
		t.Errorf("trial %d (%s) has values %v", tr.Number, tr.Key, tr.Values)
	}
	if len(tr.Measurements) != epochs {
		t.Errorf("trial %d (%s) has %d measurements", tr.Number, tr.Key, len(tr.Measurements))
		return
	}
	for i, m := range tr.Measurements {
		if m.Epoch != i+1 || m.Metrics["mAP50-95"] != score(tr.Key, i+1) {
			t.Errorf("trial %d (%s): measurement %d is %v", tr.Number, tr.Key, i, m)
		}
	}
}
