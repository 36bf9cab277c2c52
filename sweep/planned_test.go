package sweep_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// forgetful is a store that says it has enqueued a point and has not, or that loses a point later.
type forgetful struct {
	trials.Store
	omit, lose string // keys
	begun      bool   // a trial was claimed
}

func (f *forgetful) Enqueue(ctx context.Context, id int64, s trials.Suggestion) (trials.Trial, error) {
	if s.Key == f.omit {
		return trials.Trial{Key: s.Key}, nil
	}
	return f.Store.Enqueue(ctx, id, s)
}

func (f *forgetful) Claim(ctx context.Context, id int64, worker string) (trials.Trial, error) {
	f.begun = true
	return f.Store.Claim(ctx, id, worker)
}

func (f *forgetful) Trials(ctx context.Context, id int64) ([]trials.Trial, error) {
	ts, err := f.Store.Trials(ctx, id)
	if f.begun {
		ts = slices.DeleteFunc(ts, func(t trials.Trial) bool { return t.Key == f.lose })
	}
	return ts, err
}

// TestMissingPoint: a study is not done while a point of its design is not in the database, whatever else is there.
func TestMissingPoint(t *testing.T) {
	spec := fixed()
	spec.Budget.Parallel = 1
	plan, err := design.Points(spec)
	if err != nil {
		t.Fatal(err)
	}
	key := plan.Points[4].Key
	for name, f := range map[string]*forgetful{"never enqueued": {omit: key}, "deleted": {lose: key}} {
		t.Run(name, func(t *testing.T) {
			w := newBench(t, &trainertest.Fake{})
			f.Store = w.store
			w.Store = f
			sum, err := w.Run(t.Context(), spec, nil)
			if err == nil || !strings.Contains(err.Error(), "6 planned") || !strings.Contains(err.Error(), "1 never enqueued") {
				t.Errorf("a study without %s ended with %v", key, err)
			}
			wantSummary(t, sum, sweep.Summary{Planned: 6, Complete: 5, Missing: 1})
		})
	}
}

// TestCountPlanned: what is planned comes from the design and from whom enqueued more, not from the rows that are there.
func TestCountPlanned(t *testing.T) {
	spec := fixed()
	plan, err := design.Points(spec)
	if err != nil {
		t.Fatal(err)
	}
	rows := func(change func([]trials.Trial) []trials.Trial) []trials.Trial {
		var ts []trials.Trial
		for i, p := range plan.Points {
			ts = append(ts, trials.Trial{Number: i, Key: p.Key, State: trials.Complete, Attrs: map[string]json.RawMessage{}})
		}
		return change(ts)
	}
	again := func(t trials.Trial, end string) trials.Trial {
		t.Key += end
		t.Attrs = map[string]json.RawMessage{trials.AttrRetryOf: trials.Attr(t.Number)}
		return t
	}
	superseded := func(t trials.Trial) trials.Trial {
		t.State = trials.Fail
		t.Attrs = map[string]json.RawMessage{trials.AttrRetriedBy: trials.Attr(9)}
		return t
	}
	for _, c := range []struct {
		name   string
		rows   []trials.Trial
		want   sweep.Summary
		accept bool
	}{
		{"all", rows(func(ts []trials.Trial) []trials.Trial { return ts }), sweep.Summary{Planned: 6, Complete: 6}, true},
		{"none", nil, sweep.Summary{Planned: 6, Missing: 6}, false},
		{"one deleted", rows(func(ts []trials.Trial) []trials.Trial { return ts[1:] }), sweep.Summary{Planned: 6, Complete: 5, Missing: 1}, false},
		{"by hand", rows(func(ts []trials.Trial) []trials.Trial {
			return append(ts, trials.Trial{Key: "by-hand x=1", State: trials.Complete})
		}), sweep.Summary{Planned: 7, Complete: 7}, true},
		{"by hand instead of one of the design", rows(func(ts []trials.Trial) []trials.Trial {
			return append(ts[1:], trials.Trial{Key: "by-hand x=1", State: trials.Complete})
		}), sweep.Summary{Planned: 7, Complete: 6, Missing: 1}, false},
		{"repeated twice", rows(func(ts []trials.Trial) []trials.Trial {
			second := again(ts[0], "#2")
			second.State, second.Attrs[trials.AttrRetriedBy] = trials.Fail, trials.Attr(9)
			return append(append(ts[1:], superseded(ts[0])), second, again(ts[0], "#3"))
		}), sweep.Summary{Planned: 6, Complete: 6, Repeated: 2}, true},
		{"the repetition is gone", rows(func(ts []trials.Trial) []trials.Trial {
			return append(ts[1:], superseded(ts[0]))
		}), sweep.Summary{Planned: 6, Complete: 5, Repeated: 1, Missing: 1}, false},
		{"one point counted twice", rows(func(ts []trials.Trial) []trials.Trial {
			return append(ts, again(ts[0], "#2"))
		}), sweep.Summary{Planned: 6, Complete: 7}, false},
	} {
		got := sweep.Count(spec, c.rows, time.Time{})
		if got != c.want || (got.Check() == nil) != c.accept {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, got.Check(), c.want)
		}
	}
}
