package sweep

import (
	"cmp"
	"context"
	"slices"

	"github.com/mapsweep/mapsweep/trials"
)

// tape is what happened to a study's trials, told once more from any moment on: a ledger that reads from it sees the study
// as it was at that moment.
type tape struct {
	at      trials.Saw
	last    trials.Saw      // of the study now
	entries []trials.Entry  // the end of each trial, in the order in which they ended
	all     []*trials.Trial // by number; nil: not there
	ends    []int64         // by number, the entry with which it ended; 0: it has not
}

// record reads the whole study.
func record(ctx context.Context, store trials.Reader, study int64) (*tape, error) {
	c, err := store.Changes(ctx, study, 0)
	if err != nil {
		return nil, err
	}
	t := &tape{last: trials.Saw{Log: c.Last, Trials: c.Trials}, at: trials.Saw{Log: c.Last, Trials: c.Trials},
		all: make([]*trials.Trial, c.Trials), ends: make([]int64, c.Trials)}
	for _, e := range c.Log {
		n := e.Ended
		t.entries = append(t.entries, trials.Entry{Number: n, Ended: n, Trial: unlinked(e.Trial)})
		t.all[e.Trial.Number], t.ends[e.Trial.Number] = e.Trial, n
	}
	slices.SortStableFunc(t.entries, func(a, b trials.Entry) int { return cmp.Compare(a.Number, b.Number) })
	for _, o := range c.Open {
		t.all[o.Number] = o
	}
	return t, nil
}

// unlinked is a trial before another one took its place.
func unlinked(t *trials.Trial) *trials.Trial {
	if t.Counts() {
		return t
	}
	c := *t
	c.Attrs = trials.CloneAttrs(t.Attrs)
	for _, link := range links {
		delete(c.Attrs, link.back)
	}
	return &c
}

// Changes is what had changed at the moment that the tape stands at.
func (t *tape) Changes(_ context.Context, _, after int64) (trials.Changes, error) {
	c := trials.Changes{Last: t.at.Log, Trials: t.at.Trials}
	from, _ := slices.BinarySearchFunc(t.entries, after+1, func(e trials.Entry, n int64) int { return cmp.Compare(e.Number, n) })
	for _, e := range t.entries[from:] {
		if e.Number > t.at.Log {
			break
		}
		c.Log = append(c.Log, e)
	}
	for n, o := range t.all[:min(max(t.at.Trials, 0), len(t.all))] {
		if o != nil && (t.ends[n] == 0 || t.ends[n] > t.at.Log) {
			c.Open = append(c.Open, barely(o))
		}
	}
	return c, nil
}

// ledger is one that reads from the tape.
func (t *tape) ledger(study int64) *ledger {
	return &ledger{store: t, study: study, bare: map[int]*trials.Trial{}, used: map[cell]*occupied{}}
}
