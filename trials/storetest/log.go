package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
)

// end claims as many trials as there are outcomes, and ends each with its own.
func (f *fixture) end(st trials.Study, outcomes ...trials.Outcome) (numbers []int) {
	f.t.Helper()
	for _, o := range outcomes {
		t := f.claim(st)
		f.must(f.Finish(f.ctx, t.ID, o))
		numbers = append(numbers, t.Number)
	}
	return numbers
}

// changes reads the log after an entry, and checks that its numbers rise to Last.
func (f *fixture) changes(st trials.Study, after int64) trials.Changes {
	f.t.Helper()
	c, err := f.Changes(f.ctx, st.ID, after)
	f.must(err)
	number := after
	for _, e := range c.Log {
		if e.Number <= number || e.Number > c.Last || !e.Trial.State.Finished() {
			f.t.Errorf("after %d, last %d: entry %d (trial %d, %s)", after, c.Last, e.Number, e.Trial.Number, e.Trial.State)
		}
		number = e.Number
	}
	for i, t := range c.Open {
		if t.State.Finished() || i > 0 && t.Number <= c.Open[i-1].Number {
			f.t.Errorf("open trial %d is %s", t.Number, t.State)
		}
	}
	return c
}

// told lists the numbers of a log's and of the open trials.
func told(c trials.Changes) (log, open []int) {
	for _, e := range c.Log {
		log = append(log, e.Trial.Number)
	}
	for _, t := range c.Open {
		open = append(open, t.Number)
	}
	return log, open
}

func (f *fixture) tells(what string, c trials.Changes, log, open []int, n int) {
	f.t.Helper()
	gotLog, gotOpen := told(c)
	if !slices.Equal(gotLog, log) || !slices.Equal(gotOpen, open) || c.Trials != n {
		f.t.Errorf("%s: log %v, open %v of %d trials, want %v, %v of %d", what, gotLog, gotOpen, c.Trials, log, open, n)
	}
}

var completeOutcome = trials.Outcome{State: trials.Complete, Values: []float64{0.5}}

func testLog(t *testing.T, f *fixture) {
	st, other := f.study("s"), f.study("other")
	_, err := f.Changes(f.ctx, 99, 0)
	f.is("Changes of an unknown study", err, trials.ErrNoStudy)
	if c := f.changes(st, 0); c.Last != 0 || c.Trials != 0 || len(c.Log)+len(c.Open) != 0 {
		t.Errorf("empty study: %+v", c)
	}
	for _, key := range []string{"a", "b", "c", "d"} {
		f.enqueue(st, key)
	}
	f.enqueue(other, "x")
	a, b := f.claim(st), f.claim(st)
	f.must(f.Record(f.ctx, a.ID, measure(1, 0.1)))
	c := f.changes(st, 0)
	f.tells("none finished", c, nil, []int{0, 1, 2, 3}, 4)
	if c.Open[0].State != trials.Running || len(c.Open[0].Measurements) != 1 || c.Open[2].State != trials.Waiting {
		t.Errorf("open: %+v", c.Open)
	}
	f.must(f.Finish(f.ctx, b.ID, trials.Outcome{State: trials.Fail}))
	f.end(other, completeOutcome)
	f.must(f.Finish(f.ctx, a.ID, completeOutcome))
	first := f.changes(st, 0)
	f.tells("two finished", first, []int{1, 0}, []int{2, 3}, 4)
	f.tells("nothing new", f.changes(st, first.Last), nil, []int{2, 3}, 4)
	f.tells("after the first entry", f.changes(st, first.Log[0].Number), []int{0}, []int{2, 3}, 4)
	if one := first.Log[1].Trial; one.Values[0] != 0.5 || len(one.Measurements) != 1 || one.Params.Key() != point("a").Params.Key() {
		t.Errorf("in the log: %+v", one)
	}

	set := func(id int64, v any) {
		f.must(f.SetAttrs(f.ctx, id, map[string]json.RawMessage{"note": trials.Attr(v)}))
	}
	set(b.ID, "late")
	set(b.ID, "later")
	set(f.claim(st).ID, "running")
	f.end(st, completeOutcome)
	c = f.changes(st, first.Last)
	f.tells("annotated twice", c, []int{1, 3}, []int{2}, 4)
	if c.Log[0].Trial.Text("note") != "later" || first.Log[0].Trial.Text("note") != "" {
		t.Errorf("note %q, in what was told before %q", c.Log[0].Trial.Text("note"), first.Log[0].Trial.Text("note"))
	}
	whole := f.changes(st, 0)
	f.tells("all of it", whole, []int{0, 1, 3}, []int{2}, 4)
	for _, told := range []trials.Entry{first.Log[0], c.Log[0], whole.Log[1]} {
		if told.Ended != first.Log[0].Number || told.Number < told.Ended {
			t.Errorf("trial 1 ended with entry %d, told is %d of %d", first.Log[0].Number, told.Ended, told.Number)
		}
	}
	if late := whole.Log[2]; late.Ended != late.Number {
		t.Errorf("trial 3 ended with entry %d of %d", late.Ended, late.Number)
	}
	f.tells("after all", f.changes(st, c.Last+1000), nil, []int{2}, 4)
}

// testLogOfMany follows the log while others run trials: each is told exactly once, and at the end all of them.
func testLogOfMany(t *testing.T, f *fixture) {
	const workers, points = 6, 40
	st := f.study("s")
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			if err := work(f.ctx, f.Store, st.ID, workerName(w), points, nil); err != nil {
				t.Error(err)
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	seen, last := map[int]bool{}, int64(0)
	for running := true; running; {
		select {
		case <-done:
			running = false // and look once more
		default:
		}
		c := f.changes(st, last)
		for _, e := range c.Log {
			if complete(t, *e.Trial); seen[e.Trial.Number] {
				t.Errorf("trial %d is told again", e.Trial.Number)
			}
			seen[e.Trial.Number] = true
		}
		if last = c.Last; len(seen)+len(c.Open) != c.Trials {
			t.Errorf("%d finished and %d open of %d trials", len(seen), len(c.Open), c.Trials)
		}
	}
	if len(seen) != points {
		t.Errorf("%d of %d trials were told", len(seen), points)
	}
}

func testStart(t *testing.T, f *fixture) {
	st := f.study("s")
	_, err := f.Start(f.ctx, st.ID, "w")
	f.is("nothing to start", err, trials.ErrNoneWaiting)
	_, err = f.Start(f.ctx, 99, "w", point("a"))
	f.is("unknown study", err, trials.ErrNoStudy)
	a, err := f.Start(f.ctx, st.ID, "host/1/0", point("a"))
	f.must(err)
	if a.Number != 0 || a.State != trials.Running || len(a.Attempts) != 1 || a.Attempts[0].Worker != "host/1/0" || a.Heartbeat.IsZero() {
		t.Errorf("started: %+v", a)
	}
	whole(t, a)
	if got := f.trial(st, 0); !reflect.DeepEqual(got, a) {
		t.Errorf("read back\n%+v\nwant\n%+v", got, a)
	}
	b, err := f.Start(f.ctx, st.ID, "w", point("b"), point("c"))
	f.must(err)
	c, err := f.Start(f.ctx, st.ID, "w", point("d"))
	f.must(err)
	if b.Key != "b" || c.Key != "c" || c.Number != 2 {
		t.Errorf("started %s and %s (%d): the one that waits longest comes first", b.Key, c.Key, c.Number)
	}
	whole(t, c)
	f.must(f.Requeue(f.ctx, a.ID, "lost", ""))
	again, err := f.Start(f.ctx, st.ID, "w", point("a"))
	f.must(err)
	if again.ID != a.ID || len(again.Attempts) != 2 {
		t.Errorf("key of a waiting trial: %+v", again)
	}
	if got := f.trial(st, 0); !reflect.DeepEqual(got, again) {
		t.Errorf("read back\n%+v\nwant\n%+v", got, again)
	}
	if all, _ := f.Trials(f.ctx, st.ID); len(all) != 4 {
		t.Errorf("%d trials, want 4", len(all))
	}
}

// testStartWhole: one refused suggestion refuses the call, and leaves nothing of the others.
func testStartWhole(t *testing.T, f *fixture) {
	st := f.study("s")
	invalid, linear, twin := point("b"), point("b"), point("b")
	invalid.Params["box"] = math.NaN()
	linear.Space[0].Log = false
	twin.Attrs[trials.AttrSeed] = trials.Attr(seed("a"))
	for name, c := range map[string]struct {
		second trials.Suggestion
		want   error
	}{"invalid": {invalid, trials.ErrInvalid}, "incompatible": {linear, trials.ErrIncompatible}, "duplicate": {twin, trials.ErrDuplicate}} {
		_, err := f.Start(f.ctx, st.ID, "w", point("a"), c.second)
		f.is(name, err, c.want)
		if all, _ := f.Trials(f.ctx, st.ID); len(all) != 0 {
			t.Fatalf("%s: %d trials are left", name, len(all))
		}
	}
	kind := point("c")
	kind.Space = trials.Space{{Name: "lr0", Kind: trials.Int, High: 1}}
	kind.Params["lr0"] = 1
	_, err := f.Start(f.ctx, st.ID, "w", kind)
	f.must(err) // what was refused said nothing of its parameters
}

func testDuplicates(t *testing.T, f *fixture) {
	st, other := f.study("s"), f.study("other")
	a, err := f.Start(f.ctx, st.ID, "w", point("a"))
	f.must(err)
	twin := func(key string, attrs map[string]any) trials.Suggestion {
		s := point(key)
		s.Attrs[trials.AttrSeed] = trials.Attr(seed("a"))
		for name, v := range attrs {
			s.Attrs[name] = trials.Attr(v)
		}
		return s
	}
	_, err = f.Enqueue(f.ctx, st.ID, twin("b", nil))
	f.is("Enqueue", err, trials.ErrDuplicate)
	_, err = f.Start(f.ctx, st.ID, "w", twin("b", map[string]any{trials.AttrArm: "other arm"}))
	f.is("Start", err, trials.ErrDuplicate)
	f.must(f.Finish(f.ctx, a.ID, trials.Outcome{State: trials.Fail}))
	_, err = f.Enqueue(f.ctx, st.ID, twin("b", nil))
	f.is("after it failed", err, trials.ErrDuplicate)
	_, err = f.Enqueue(f.ctx, other.ID, twin("b", nil))
	f.must(err)
	retry := map[string]any{trials.AttrRetryOf: 0}
	for i, attrs := range []map[string]any{retry, {trials.AttrRetryOf: 1}, {trials.AttrContinues: 0}, {trials.AttrEpochs: 5}, {trials.AttrData: "trees"}} {
		if _, err := f.Enqueue(f.ctx, st.ID, twin(fmt.Sprint("other", i), attrs)); err != nil {
			t.Errorf("%v: %v", attrs, err)
		}
	}
	_, err = f.Enqueue(f.ctx, st.ID, twin("b", retry))
	f.is("a second repetition of one trial", err, trials.ErrDuplicate)
	for i := range 2 {
		s := twin(fmt.Sprint("no seed", i), nil)
		delete(s.Attrs, trials.AttrSeed)
		_, err = f.Enqueue(f.ctx, st.ID, s)
		f.must(err)
		_, err = f.Enqueue(f.ctx, st.ID, twin(fmt.Sprint("imported", i), map[string]any{trials.AttrImported: "x"}))
		f.must(err)
	}
	if again, err := f.Enqueue(f.ctx, st.ID, twin("a", nil)); err != nil || again.ID != a.ID {
		t.Errorf("the same key: %+v, %v", again, err)
	}
	if all, _ := f.Trials(f.ctx, st.ID); len(all) != 10 {
		t.Errorf("%d trials, want 10", len(all))
	}
	// Of many that start the same point at once one succeeds.
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 8 {
		wg.Go(func() {
			s := point(fmt.Sprint("race", i))
			s.Attrs[trials.AttrSeed] = trials.Attr(-1)
			_, err := f.Start(f.ctx, other.ID, "w", s)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errors.Is(err, trials.ErrDuplicate) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d of 8 started", won)
	}
}

func testConstraints(t *testing.T, f *fixture) {
	st := f.study("s")
	inf := math.Inf(1)
	for i, c := range []struct {
		state      trials.State
		give, want []float64
	}{
		{trials.Complete, []float64{-0.5, 0, 3}, []float64{-0.5, 0, 3}},
		{trials.Pruned, []float64{inf, -inf, math.NaN()}, []float64{inf, -inf, inf}},
		{trials.Fail, nil, nil},
		{trials.Complete, []float64{-1}, []float64{-1}},
	} {
		f.enqueue(st, pointKey(i))
		o := trials.Outcome{State: c.state, Constraints: c.give}
		if c.state == trials.Complete {
			o.Values = []float64{0.5}
		}
		f.end(st, o)
		if got := f.trial(st, i); !reflect.DeepEqual(got.Constraints, c.want) || got.Feasible() != (i > 1) {
			t.Errorf("trial %d: constraints %v, want %v, feasible %v", i, got.Constraints, c.want, got.Feasible())
		}
	}
}

// testShared: what a caller holds of a finished trial stays as it was when an attribute is set, and is the same for
// all callers: nothing is copied.
func testShared(t *testing.T, f *fixture) {
	st := f.study("s")
	f.enqueue(st, "a")
	f.end(st, completeOutcome)
	held := f.trial(st, 0)
	want := held.Clone()
	entry := f.changes(st, 0).Log[0].Trial
	if again := f.changes(st, 0).Log[0].Trial; again != entry {
		t.Error("the log gave a copy")
	}
	if reflect.ValueOf(held.Params).Pointer() != reflect.ValueOf(entry.Params).Pointer() {
		t.Error("Trials and Changes gave copies")
	}
	f.must(f.SetAttrs(f.ctx, held.ID, map[string]json.RawMessage{"note": trials.Attr("late"), trials.AttrArm: trials.Attr("x")}))
	if !reflect.DeepEqual(held, want) || !reflect.DeepEqual(*entry, want) {
		t.Errorf("a held trial changed:\n%+v\nwant\n%+v", held, want)
	}
	if got := f.trial(st, 0); got.Text("note") != "late" || got.Arm() != "x" {
		t.Errorf("the attribute is not there: %+v", got)
	}
}
