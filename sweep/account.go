package sweep

import (
	"context"
	"encoding/json"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// keepBooks makes the run's ledger, what counts on it, and what asks by it.
func (r *run) keepBooks(ctx context.Context) (err error) {
	r.ledger, r.counted = newLedger(r.Store, r.study.ID), newCounter(r.layout.planned)
	r.ledger.done = func(old, t *trials.Trial) {
		if old != nil {
			r.counted.add(old, r.Now(), -1)
		}
		r.counted.add(t, r.Now(), 1)
	}
	if r.sampler == nil {
		return nil
	}
	if _, had := r.study.Attrs[trials.AttrEnded]; had { // whether it ends here again is seen when it asks
		if err := r.Store.SetStudyAttrs(ctx, r.study.ID, map[string]json.RawMessage{trials.AttrEnded: json.RawMessage("null")}); err != nil {
			return err
		}
	}
	r.driver, err = NewDriver(ctx, r.Store, r.study, DriverConfig{Spec: r.spec, Sampler: r.sampler, Pruner: r.pruner, Log: r.Log})
	if err == nil {
		r.driver.ledger = r.ledger
	}
	return err
}

// over says how the budget is used up, as the ledger was last seen, or "".
func (r *run) over() string {
	l, now := r.ledger, r.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	defer r.withOpen(now)()
	return r.counted.over(r.spec, now)
}

// tally accounts for the study's trials as the ledger has them: Count without looking at each again.
func (r *run) tally() Summary {
	l, now := r.ledger, r.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	defer r.withOpen(now)()
	return r.counted.summary(r.spec, r.layout, now, r.hasEnded(), l.trials)
}

// withOpen counts the open trials beside the finished ones until the function that it returns is called. The caller holds the
// ledger's lock.
func (r *run) withOpen(now time.Time) (done func()) {
	open := r.ledger.open
	for _, t := range open {
		r.counted.add(t, now, 1)
	}
	return func() {
		for _, t := range open {
			r.counted.add(t, now, -1)
		}
	}
}
