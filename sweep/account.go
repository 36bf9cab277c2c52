package sweep

import (
	"context"

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
	r.driver, err = NewDriver(ctx, r.Store, r.study, DriverConfig{Spec: r.spec, Sampler: r.sampler, Pruner: r.pruner, Log: r.Log})
	if err == nil {
		r.driver.ledger = r.ledger
	}
	return err
}

// tally accounts for the study's trials as the ledger has them: Count without looking at each again.
func (r *run) tally() Summary {
	l, now := r.ledger, r.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.open {
		r.counted.add(t, now, 1)
		defer r.counted.add(t, now, -1)
	}
	return r.counted.summary(r.spec, r.layout, l.trials)
}
