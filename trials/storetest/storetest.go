package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// Run checks one store. open makes an empty one for each test; Run closes it.
func Run(t *testing.T, open func(t *testing.T) trials.Store) {
	tests := []struct {
		name string
		test func(*testing.T, *fixture)
	}{
		{"studies", testStudies},
		{"update study", testUpdateStudy},
		{"study attributes", testStudyAttrs},
		{"study attributes of many", testStudyAttrsOfMany},
		{"invalid studies", testInvalidStudies},
		{"enqueue", testEnqueue},
		{"enqueue refuses", testEnqueueRefuses},
		{"types of values", testTypes},
		{"claim order", testClaimOrder},
		{"start", testStart},
		{"start holds wholly or not at all", testStartWhole},
		{"duplicates", testDuplicates},
		{"log", testLog},
		{"log of many goroutines", testLogOfMany},
		{"constraints", testConstraints},
		{"life of a trial", testLife},
		{"finish refuses", testFinishRefuses},
		{"finish waiting", testFinishWaiting},
		{"pruned without score", testPruned},
		{"record replaces", testRecordReplaces},
		{"record needs a running trial", testRecordStates},
		{"not a number", testNaN},
		{"requeue", testRequeue},
		{"lost attempt ends at its last sign of life", testLost},
		{"reclaim only what was silent", testReclaim},
		{"reclaimed", testReclaimed},
		{"a worker that comes back", testHolding},
		{"later attempt drops later epochs", testStaleEpochs},
		{"attributes", testAttrs},
		{"artifacts", testArtifacts},
		{"unknown IDs", testUnknown},
		{"copies", testCopies},
		{"finished trials do not change", testShared},
		{"kind may not change", testIncompatible},
		{"choices may grow", testGrowingChoices},
		{"ended context", testEndedContext},
		{"context that ends at any moment", testEndingContext},
		{"many goroutines", testGoroutines},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				for range 2 {
					if err := s.Close(); err != nil {
						t.Errorf("close: %v", err)
					}
				}
			})
			tt.test(t, &fixture{t: t, ctx: t.Context(), Store: s})
		})
	}
}

// fixture is a store whose methods are called with less ceremony.
type fixture struct {
	t   *testing.T
	ctx context.Context
	trials.Store
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// is requires that err matches target.
func (f *fixture) is(what string, err, target error) {
	f.t.Helper()
	if !errors.Is(err, target) {
		f.t.Errorf("%s: got error %v, want %v", what, err, target)
	}
}

func (f *fixture) study(name string) trials.Study {
	f.t.Helper()
	st, err := f.CreateStudy(f.ctx, trials.Study{Name: name, Directions: []trials.Direction{trials.Maximize}, Objective: "mAP50-95"})
	f.must(err)
	return st
}

// space is a search space with every kind of parameter.
func space() trials.Space {
	return trials.Space{
		{Name: "lr0", Kind: trials.Float, Low: 0.001, High: 0.05, Log: true},
		{Name: "mixup", Kind: trials.Float, Low: 0, High: 0.5, Step: 0.05},
		{Name: "batch", Kind: trials.Int, Low: 8, High: 32, Step: 8},
		{Name: "opt", Kind: trials.Categorical, Choices: []any{"sgd", "adamw", nil, true, int64(3), 2.5}, Requires: trials.Params{"mixup": 0.0}},
	}
}

// seed is the trainer's seed of the point with that key: points differ in nothing else.
func seed(key string) int64 {
	h := fnv.New32()
	_, _ = h.Write([]byte(key))
	return int64(h.Sum32())
}

// point is a suggestion in space with one fixed parameter beside.
func point(key string) trials.Suggestion {
	return trials.Suggestion{Key: key, Space: space(),
		Params: trials.Params{"lr0": 0.01, "mixup": 0.15, "batch": int64(16), "opt": "sgd", "box": 7.5, "ema": true},
		Attrs:  map[string]json.RawMessage{trials.AttrArm: trials.Attr("baseline"), trials.AttrSeed: trials.Attr(seed(key))}}
}

func (f *fixture) enqueue(st trials.Study, key string) trials.Trial {
	f.t.Helper()
	t, err := f.Enqueue(f.ctx, st.ID, point(key))
	f.must(err)
	return t
}

func (f *fixture) claim(st trials.Study) trials.Trial {
	f.t.Helper()
	t, err := f.Claim(f.ctx, st.ID, "host/1/0")
	f.must(err)
	return t
}

// trial reads one trial back.
func (f *fixture) trial(st trials.Study, number int) trials.Trial {
	f.t.Helper()
	all, err := f.Trials(f.ctx, st.ID)
	f.must(err)
	if number >= len(all) {
		f.t.Fatalf("the study has %d trials, no number %d", len(all), number)
	}
	if all[number].Number != number {
		f.t.Fatalf("trial at place %d has number %d", number, all[number].Number)
	}
	return all[number]
}

func measure(epoch int, score float64) trials.Measurement {
	return trials.Measurement{Epoch: epoch, Metrics: map[string]float64{"mAP50-95": score, "loss/box": 1 / float64(epoch+1)},
		At: time.Date(2026, 11, 23, 12, 0, epoch, 123456000, time.UTC)}
}

func testEndedContext(t *testing.T, f *fixture) {
	st := f.study("s")
	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	if _, err := f.Enqueue(ctx, st.ID, point("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("Enqueue with an ended context: %v", err)
	}
	if _, err := f.Trials(ctx, st.ID); !errors.Is(err, context.Canceled) {
		t.Errorf("Trials with an ended context: %v", err)
	}
	all, err := f.Trials(f.ctx, st.ID)
	f.must(err)
	if len(all) != 0 {
		t.Errorf("%d trials after a refused Enqueue", len(all))
	}
}

// testEndingContext: a call whose context ends meanwhile has either happened or not, and its error says which.
func testEndingContext(t *testing.T, f *fixture) {
	st := f.study("s")
	stored, refused := map[string]bool{}, map[string]bool{}
	for i := range 300 {
		key := pointKey(i)
		ctx, cancel := context.WithTimeout(f.ctx, time.Duration(i*4)*time.Microsecond)
		if _, err := f.Enqueue(ctx, st.ID, point(key)); err == nil {
			stored[key] = true
		} else if refused[key] = true; !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		cancel()
	}
	all, err := f.Trials(f.ctx, st.ID)
	f.must(err)
	for _, tr := range all {
		if refused[tr.Key] {
			t.Errorf("%s was refused and is there", tr.Key)
		}
		delete(stored, tr.Key)
	}
	if len(stored) > 0 {
		t.Errorf("%d were stored and are not there", len(stored))
	}
}

// testGoroutines lets workers enqueue the same keys and run what they claim.
func testGoroutines(t *testing.T, f *fixture) {
	const workers, points = 16, 40
	st := f.study("s")
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			if err := work(f.ctx, f.Store, st.ID, workerName(w), points, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	all, err := f.Trials(f.ctx, st.ID)
	f.must(err)
	verify(t, all, points)
	for _, tr := range all {
		if len(tr.Attempts) != 1 {
			t.Errorf("trial %d has %d attempts", tr.Number, len(tr.Attempts))
		}
	}
}

// same compares floats; NaN equals NaN.
func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
