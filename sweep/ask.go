package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// Driver runs the search of a stored study by ask and tell, without a trainer: Ask claims a trial, Record stores
// what it measures, Tell ends it. The engine asks through it. Any number of goroutines may use a driver, and any
// number of processes may have drivers of one study: no two trials have the same parameters, seed, data set and epochs.
type Driver struct {
	store    trials.Store
	study    trials.Study
	spec     studies.Spec
	space    trials.Space  // what is searched
	base     trials.Params // what is not: the baseline and search.fix
	goals    []trials.Goal
	tries    []trials.Suggestion // the points of search.try
	warmed   []*trials.Trial     // of the studies that the search starts from
	sampler  Sampler
	pruner   Pruner
	proposer trials.Proposer
	log      *slog.Logger
	ledger   *ledger

	asking sync.Mutex      // one suggestion at a time, and what it guards:
	joined []*trials.Trial // warmed, and the log so far
	stale  staleness
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

// SearchSpace is what a search varies: the factors of its study but those that search.fix holds.
func SearchSpace(spec studies.Spec) trials.Space {
	if spec.Search == nil {
		return spec.Space()
	}
	return slices.DeleteFunc(spec.Space(), func(p trials.Param) bool { _, fixed := spec.Search.Fix[p.Name]; return fixed })
}

// NewDriver makes a driver for a stored study. ErrInvalid: what its search asks for cannot be.
func NewDriver(ctx context.Context, store trials.Store, study trials.Study, c DriverConfig) (*Driver, error) {
	d, err := newDriver(study, c)
	if err != nil {
		return nil, err
	}
	d.store, d.ledger = store, newLedger(store, study.ID)
	if err := d.checkStop(); err != nil {
		return nil, err
	}
	return d, d.startWarm(ctx)
}

// newDriver makes what suggests.
func newDriver(study trials.Study, c DriverConfig) (*Driver, error) {
	if c.Sampler == nil || c.Spec.Search == nil {
		return nil, errors.New("a driver needs a search and its sampler")
	}
	search := c.Spec.Search
	d := &Driver{study: study, spec: c.Spec, space: SearchSpace(c.Spec), base: c.Spec.Baseline.With(search.Fix),
		goals: c.Spec.Objective.Goals(), sampler: c.Sampler, pruner: c.Pruner, log: c.Log,
		proposer: trials.Proposer{Name: search.Sampler, Version: versionOf(c.Sampler), Trials: search.Trials}}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	return d, d.readTries()
}

// startWarm reads what the search starts from, as the study has it noted, or notes it.
func (d *Driver) startWarm(ctx context.Context) error {
	all, err := warmOf(d.study)
	if err == nil && len(all) == 0 && len(d.spec.Search.WarmStart) > 0 {
		if all, err = WarmStart(ctx, d.store, d.spec); err == nil {
			err = d.store.SetStudyAttrs(ctx, d.study.ID, map[string]json.RawMessage{AttrWarm: trials.Attr(all)})
		}
	}
	if err == nil {
		err = d.warm(ctx, d.store, all)
	}
	return err
}

func versionOf(s Sampler) int {
	if v, ok := s.(Versioned); ok {
		return v.Version()
	}
	return 1
}

// maxAsked bounds how often a suggestion is made anew because other processes were faster.
const maxAsked = 1000

// Ask claims a waiting trial for worker, or suggests a point and claims that. trials.ErrNoneWaiting: the search has all
// the trials that it asks for, or has ended before (*Ended), and none of them waits.
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

// Record stores a measurement of a trial that Ask gave. Where other processes may take the trial for lost and put it back, ctx
// is to come from trials.Holding: the call is then refused with trials.ErrTaken.
func (d *Driver) Record(ctx context.Context, trialID int64, m trials.Measurement) error {
	return d.store.Record(ctx, trialID, m)
}

// Tell ends a trial that Ask gave; ctx as for Record.
func (d *Driver) Tell(ctx context.Context, trialID int64, o trials.Outcome) error {
	return d.store.Finish(ctx, trialID, o)
}

// suggest makes the trials of the next suggestion. trials.ErrNoneWaiting: the search has all that it asks for.
func (d *Driver) suggest(ctx context.Context, v view) ([]trials.Suggestion, error) {
	if v.next >= d.spec.Search.Trials {
		return nil, trials.ErrNoneWaiting
	}
	if err := d.ends(ctx, v); err != nil {
		return nil, err
	}
	s, err := d.point(ctx, v)
	if errors.Is(err, ErrExhausted) {
		return nil, &Ended{ErrExhausted.Error()}
	}
	if err != nil {
		return nil, fmt.Errorf("suggest point %d with %s: %w", v.next, d.spec.Search.Sampler, err)
	}
	return d.trialsOf(s, v), nil
}

// trialsOf lays the fixed parameters around a suggestion, once per data set and replicate. A point that comes a second
// time gets further replicates, so that no two trials of one configuration have the same seed.
func (d *Driver) trialsOf(s trials.Suggestion, v view) []trials.Suggestion {
	attrs := trials.CloneAttrs(s.Attrs)
	attrs[trials.AttrSaw] = trials.Attr(v.saw)
	if n := d.spec.Trainer.Epochs; n > 0 {
		attrs[trials.AttrEpochs] = trials.Attr(n)
	}
	if b, ok := d.pruner.(Bracketer); ok {
		attrs[trials.AttrBracket] = trials.Attr(b.Bracket(v.next))
	}
	whole := trials.Suggestion{Space: s.Space, Params: d.base.With(s.Params), Attrs: attrs}
	return replicated(d.spec, d.ledger, whole, v.next, func(string) bool { return false })
}
