package sweep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// Driver runs the search of a stored study by ask and tell, without a trainer: Ask claims a trial, Record stores
// what it measures, Tell ends it. The engine asks through it. Any number of goroutines may use a driver, and any
// number of processes may have drivers of one study: no two trials have the same parameters, seed, data set and epochs.
type Driver struct {
	store   trials.Store
	study   trials.Study
	spec    studies.Spec
	space   trials.Space
	sampler Sampler
	pruner  Pruner
	name    string // of the sampler, with its version
	log     *slog.Logger
	ledger  *ledger

	asking sync.Mutex // one suggestion at a time
}

// DriverConfig is what a driver needs to know.
type DriverConfig struct {
	Spec    studies.Spec // of DesignSearch
	Sampler Sampler
	Pruner  Pruner       // nil: none. Of it the driver asks brackets, and which pruned trial goes on
	Log     *slog.Logger // nil: no warnings
}

// Versioned is an optional interface of samplers. The version rises whenever one history and one random stream
// may give another point than before; without it the version is 1.
type Versioned interface{ Version() int }

// NewDriver makes a driver for a stored study.
func NewDriver(_ context.Context, store trials.Store, study trials.Study, c DriverConfig) (*Driver, error) {
	if c.Sampler == nil || c.Spec.Search == nil {
		return nil, errors.New("a driver needs a search and its sampler")
	}
	d := &Driver{store: store, study: study, spec: c.Spec, space: c.Spec.Space(), sampler: c.Sampler, pruner: c.Pruner, log: c.Log,
		name: samplerName(c.Spec.Search.Sampler, c.Sampler), ledger: newLedger(store, study.ID)}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	return d, nil
}

func samplerName(name string, s Sampler) string {
	version := 1
	if v, ok := s.(Versioned); ok {
		version = v.Version()
	}
	return name + " " + strconv.Itoa(version)
}

// maxAsked bounds how often a suggestion is made anew because other processes were faster.
const maxAsked = 1000

// Ask claims a waiting trial for worker, or suggests a point and claims that. trials.ErrNoneWaiting: the search has all
// the trials that it asks for, and none of them waits.
func (d *Driver) Ask(ctx context.Context, worker string) (trials.Trial, error) {
	d.asking.Lock()
	defer d.asking.Unlock()
	var last error
	for range maxAsked {
		v, err := d.ledger.look(ctx)
		if err != nil {
			return trials.Trial{}, err
		}
		t, err := d.from(ctx, worker, v)
		if !errors.Is(err, errAskAgain) {
			return t, err
		}
		last = err
	}
	return trials.Trial{}, fmt.Errorf("suggest point: gave up after %d times: %w", maxAsked, last)
}

// errAskAgain: another process was faster.
var errAskAgain = errors.New("another process was faster")

// from claims a trial that waits in v, or the next suggestion.
func (d *Driver) from(ctx context.Context, worker string, v view) (trials.Trial, error) {
	if v.waits() {
		t, err := d.store.Claim(ctx, d.study.ID, worker)
		return t, again(err)
	}
	if more, err := d.promote(ctx, v); err != nil {
		return trials.Trial{}, err
	} else if more {
		return trials.Trial{}, errAskAgain
	}
	sgs, err := d.suggest(ctx, v)
	if err != nil {
		return trials.Trial{}, err
	}
	t, err := d.store.Start(ctx, d.study.ID, worker, sgs...)
	if errors.Is(err, trials.ErrDuplicate) {
		for _, s := range sgs { // in case the next look does not show who has it
			d.ledger.taken(s)
		}
	}
	return t, again(err)
}

// again marks the errors that a fresh look can mend.
func again(err error) error {
	if errors.Is(err, trials.ErrNoneWaiting) || errors.Is(err, trials.ErrDuplicate) {
		return fmt.Errorf("%w: %w", errAskAgain, err)
	}
	return err
}

// waits says that a trial waits.
func (v view) waits() bool {
	for _, t := range v.open {
		if t.State == trials.Waiting {
			return true
		}
	}
	return false
}

// Record stores a measurement of a trial that Ask gave.
func (d *Driver) Record(ctx context.Context, trialID int64, m trials.Measurement) error {
	return d.store.Record(ctx, trialID, m)
}

// Tell ends a trial that Ask gave.
func (d *Driver) Tell(ctx context.Context, trialID int64, o trials.Outcome) error {
	return d.store.Finish(ctx, trialID, o)
}

// suggest makes the trials of the next suggestion. trials.ErrNoneWaiting: the search has all that it asks for.
func (d *Driver) suggest(ctx context.Context, v view) ([]trials.Suggestion, error) {
	if v.next >= d.spec.Search.Trials {
		return nil, trials.ErrNoneWaiting
	}
	s, err := d.point(ctx, v)
	if err != nil {
		return nil, fmt.Errorf("suggest point %d with %s: %w", v.next, d.spec.Search.Sampler, err)
	}
	return d.trialsOf(s, v), nil
}

// history is what the sampler sees of v.
func (d *Driver) history(v view) History {
	return History{Space: d.space, Direction: d.spec.Objective.Direction, Metric: d.spec.Objective.Metric,
		Goals: d.spec.Objective.Goals(), Fixed: d.spec.Baseline, Finished: v.log, Open: v.bare}
}

// whole is what pruners see of v: open trials with all that they have measured.
func (d *Driver) whole(v view) History {
	h := d.history(v)
	h.Open = v.open
	return h
}

// point asks the sampler until it proposes a point that lies in the space, with a fresh stream each time.
func (d *Driver) point(ctx context.Context, v view) (trials.Suggestion, error) {
	const tries = 10
	h := d.history(v)
	var invalid error
	for k := range tries {
		s, err := guardedSuggest(ctx, d.sampler, h, Rand(d.spec.Seed, v.next, k))
		if err != nil {
			return s, err
		}
		if invalid = checkSuggestion(s); invalid == nil {
			return s, nil
		}
		d.log.Warn("sampler proposed an invalid point, asking again", "suggestion", v.next, "error", invalid)
	}
	return trials.Suggestion{}, invalid
}

// trialsOf lays the fixed parameters around a suggestion, once per data set and replicate. A point that comes a second
// time gets further replicates, so that no two trials of one configuration have the same seed.
func (d *Driver) trialsOf(s trials.Suggestion, v view) []trials.Suggestion {
	attrs := trials.CloneAttrs(s.Attrs)
	attrs[trials.AttrSaw] = trials.Attr(v.saw)
	attrs[trials.AttrSampler] = trials.Attr(d.name)
	if n := d.spec.Trainer.Epochs; n > 0 {
		attrs[trials.AttrEpochs] = trials.Attr(n)
	}
	if b, ok := d.pruner.(Bracketer); ok {
		attrs[trials.AttrBracket] = trials.Attr(b.Bracket(v.next))
	}
	whole := trials.Suggestion{Space: s.Space, Params: d.spec.Baseline.With(s.Params), Attrs: attrs}
	return replicated(d.spec, d.ledger, whole, v.next, func(string) bool { return false })
}
