package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/telemetry"
	"github.com/mapsweep/mapsweep/trials"
)

// Engine runs studies. The zero value of every field but Store, Backend and Dir has a meaning.
type Engine struct {
	Store    trials.Store
	Backend  trainer.Backend
	Samplers map[string]NewSampler // by the name that a study file uses
	Pruners  map[string]NewPruner  // "none" needs no entry

	Dir      string // directory of the study, runs/<study>; trials get trial-0007/ in it
	Worker   string // names this process in the store; "": local.Self()
	Parallel int    // trials at once; 0: the study's budget, else one per core or device
	Threads  int    // cores for each; 0: shared out evenly

	// Devices are what trials may lease beside cores, of which the study's trainer.device and trainer.gpus choose;
	// zero: the CPU alone.
	Devices local.Devices
	// Sampler measures how trials use the machine, for every measurement; nil: measurements are the trainer's alone.
	Sampler *telemetry.Sampler

	// Stop, when closed, asks for a graceful end: nothing new is claimed, and running trials are
	// finished or, where they can be resumed (trainer.Stopper), checkpointed and put back.
	// Cancelling Run's context ends them at once.
	Stop <-chan struct{}
	// Events, if not nil, gets every Event, one at a time; it must not block for long.
	Events func(Event)
	// AfterTrial, if not nil, is called after each finished trial, one call at a time.
	AfterTrial func(ctx context.Context, study trials.Study, t trials.Trial)

	// Attrs are attributes that the study gets when it is opened.
	Attrs map[string]json.RawMessage
	// Register are attributes that the study gets with its creation, before it has any trial; one that exists
	// already keeps its own.
	Register map[string]json.RawMessage
	// Derive, if not nil, makes the objective from what a finished run left behind, where the trainer does not report
	// it. known is false for a metric that is not made this way.
	Derive func(metric string, left []trials.Artifact) (value float64, known bool, err error)

	Version, Commit string // of the program, for provenance
	Log             *slog.Logger
	Limits          Limits
	// Probe says whether another worker lives; nil: local.Probe.
	Probe func(worker string) local.Life
	// Now is the clock; nil: trials.Now.
	Now func() time.Time
}

// DefaultLost is the silence after which a worker that cannot be seen counts as gone.
const DefaultLost = 2 * time.Minute

// Limits are the engine's time limits. Zero means the default.
type Limits struct {
	Heartbeat time.Duration // signs of life, and looking for stop requests: 5 s
	Lost      time.Duration // silence after which a worker that cannot be seen is given up: DefaultLost
	Poll      time.Duration // waiting for trials of other processes: 1 s
	Grace     time.Duration // for a backend to return after a hard stop: 3 s
	Hang      time.Duration // for a backend to return after any other cancellation: 1 min
	Attempts  int           // starts after which a trial whose workers vanish is given up: 5
}

func (l Limits) orDefaults() Limits {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&l.Heartbeat, 5*time.Second)
	def(&l.Lost, DefaultLost)
	def(&l.Poll, time.Second)
	def(&l.Grace, 3*time.Second)
	def(&l.Hang, time.Minute)
	if l.Attempts <= 0 {
		l.Attempts = 5
	}
	return l
}

// maxParallel bounds the trials at once: more is a slip.
const maxParallel = 4096

// run is one call of Engine.Run.
type run struct {
	*Engine
	spec     studies.Spec
	study    trials.Study
	sampler  Sampler
	pruner   Pruner
	pool     *local.Pool
	timeout  time.Duration
	begun    time.Time
	epochs   int
	ledger   *ledger
	counted  *counter      // finished trials of the ledger, under its lock
	driver   *Driver       // of a search
	layout   layout        // of a fixed design
	settling *settling     // nil: the number of replicates is fixed
	news     chan struct{} // closed when something has changed that an idle worker may wait for

	asking   sync.Mutex     // one suggestion at a time
	emitting sync.Mutex     // one event at a time
	after    sync.Mutex     // one AfterTrial at a time, and what it guards:
	cleaned  map[int64]bool // ended trials whose checkpoints were deleted

	mu       sync.Mutex
	active   map[int64]*active
	stopping chan struct{} // closed when nothing new may start
	stopOnce sync.Once
	budget   string // how the budget is used up, or ""
	ended    string // why the search ended before all its trials, or ""
}

// Run creates the study that spec describes, or goes on with it, until every planned trial has
// ended; file is the study file as the user wrote it. Results already stored stay, trials
// of vanished workers and failed trials of earlier runs are repeated.
//
// A stored study with the same resolved spec continues, one that spec extends is extended, and
// any other is refused with a *ChangedError. A bad trial is recorded and the study goes on;
// an error of the store, the data or the device ends it. ErrStopped: asked to stop.
// ErrBudget: the rest was skipped. The summary is right in each of these cases.
func (e *Engine) Run(ctx context.Context, spec studies.Spec, file []byte) (Summary, error) {
	r, err := e.newRun(spec)
	if err != nil {
		return Summary{}, fmt.Errorf("run study %q: %w", spec.Name, err)
	}
	sum, err := r.run(ctx, file)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) && !errors.Is(err, ErrStopped) { // while it read or wrote
		err = fmt.Errorf("%w: %w", ErrStopped, err)
	}
	if err != nil {
		err = fmt.Errorf("run study %q: %w", spec.Name, err)
	}
	r.emit(StudyDone{Summary: sum, Err: err})
	return sum, err
}

// newRun fills in defaults and makes the study's sampler, pruner and pool.
func (e *Engine) newRun(spec studies.Spec) (*run, error) {
	c := *e
	c.Limits = c.Limits.orDefaults()
	if c.Worker == "" {
		c.Worker = local.Self()
	}
	if c.Probe == nil {
		c.Probe = local.Probe
	}
	if c.Now == nil {
		c.Now = trials.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Dir == "" {
		return nil, errors.New("no directory for its trials")
	}
	r := &run{Engine: &c, spec: spec, epochs: spec.Trainer.Epochs, begun: c.Now(),
		active: map[int64]*active{}, cleaned: map[int64]bool{}, stopping: make(chan struct{}), news: make(chan struct{})}
	if spec.Trainer.Timeout != "" {
		d, err := time.ParseDuration(spec.Trainer.Timeout)
		if err != nil {
			return nil, fmt.Errorf("read trainer.timeout: %w", err)
		}
		r.timeout = d
	}
	if c.Parallel < 0 || c.Parallel > maxParallel {
		return nil, invalidf("%d trials at once: give a number from 1 to %d, or 0 for the study's own", c.Parallel, maxParallel)
	}
	if c.Threads < 0 {
		return nil, invalidf("%d cores for each trial: give a number from 1, or 0 to share them out", c.Threads)
	}
	parallel := c.Parallel
	if parallel == 0 {
		parallel = min(spec.Budget.Parallel, maxParallel)
	}
	var err error
	d := c.Devices
	d.Want, d.PerTrial = spec.Trainer.Device, spec.Trainer.GPUs
	d.Pack = d.Pack && !timed(spec) // neighbours on a device cost time
	if r.pool, err = local.NewPool(parallel, c.Threads, d, c.Log); err != nil {
		return nil, err
	}
	return r, r.search()
}

// search makes sampler and pruner of a search.
func (r *run) search() error {
	s := r.spec.Search
	if r.spec.Design != studies.DesignSearch {
		return nil
	}
	if s == nil {
		return errors.New("design is search, but search: is missing")
	}
	var err error
	if r.sampler, err = makeSampler(r.Samplers, r.spec, s.Trials); err != nil {
		return err
	}
	if s.Pruner == "" || s.Pruner == "none" {
		return nil
	}
	newPruner, ok := r.Pruners[s.Pruner]
	if !ok {
		return fmt.Errorf("no pruner %q", s.Pruner)
	}
	if r.pruner, err = newPruner(PrunerConfig{Seed: r.spec.Seed, Epochs: r.epochs, Trials: s.Trials, Options: s.PrunerOptions}); err != nil {
		return fmt.Errorf("make pruner %s: %w", s.Pruner, err)
	}
	return CheckPromotion(r.spec, r.pruner, r.Backend)
}

// run opens, recovers, works and accounts.
func (r *run) run(ctx context.Context, file []byte) (Summary, error) {
	started, err := r.open(ctx, file)
	if err != nil {
		return Summary{}, err
	}
	if len(r.Attrs) > 0 {
		if err := r.Store.SetStudyAttrs(ctx, r.study.ID, r.Attrs); err != nil {
			return Summary{}, err
		}
	}
	if err := r.layOut(&started); err != nil {
		return Summary{}, err
	}
	if err := r.keepBooks(ctx); err != nil {
		return Summary{}, err
	}
	if err := r.recoverTrials(ctx, &started); err != nil {
		return Summary{}, err
	}
	if err := r.enqueueDesign(ctx, &started); err != nil {
		return Summary{}, err
	}
	if err := r.completeSuggestions(ctx); err != nil {
		return Summary{}, err
	}
	if started.Summary, err = r.count(ctx); err != nil {
		return Summary{}, err
	}
	r.emit(started)
	err = r.work(ctx)
	return r.account(ctx, err)
}

// account ends a run: it skips what the budget left out, and checks the sum. A file that is gone
// comes first: whatever else happened, nothing of it was kept.
func (r *run) account(ctx context.Context, worked error) (Summary, error) {
	keep := context.WithoutCancel(ctx)
	if gone := r.alive(keep); gone != nil {
		return Summary{}, gone
	}
	over := r.overBudget()
	if worked == nil && over != "" {
		worked = r.skipWaiting(keep)
	}
	sum, err := r.recount(keep)
	switch {
	case worked != nil && !errors.Is(worked, context.Canceled):
		return sum, worked
	case err != nil:
		return sum, err
	case ctx.Err() != nil:
		return sum, fmt.Errorf("%w at once", ErrStopped)
	case over != "":
		return sum, fmt.Errorf("%w: %s", ErrBudget, over)
	case r.isStopping() && sum.Running+sum.Waiting > 0:
		return sum, fmt.Errorf("%w with %d of %d trials finished", ErrStopped, sum.Finished(), sum.Planned)
	}
	return sum, sum.Check()
}

// recount reads every trial once more and accounts for the study: what a run ends with does not rest on what it remembers.
func (r *run) recount(ctx context.Context) (Summary, error) {
	ts, err := r.Store.Trials(ctx, r.study.ID)
	if err != nil {
		return Summary{}, err
	}
	return tally(r.spec, r.layout, ts, r.Now(), r.hasEnded()), nil
}

// count brings the ledger up to date and accounts for the study.
func (r *run) count(ctx context.Context) (Summary, error) {
	if _, err := r.ledger.look(ctx); err != nil {
		return Summary{}, err
	}
	return r.tally(), nil
}

func (r *run) emit(ev Event) {
	if r.Events == nil {
		return
	}
	r.emitting.Lock()
	defer r.emitting.Unlock()
	r.Events(ev)
}

// halt asks every worker to start nothing new. Running trials that can go on later are cancelled so that
// they leave a checkpoint; the others are finished.
func (r *run) halt() {
	r.stopOnce.Do(func() { close(r.stopping) })
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.active {
		if r.canStop(a) {
			a.cancel(ErrStopped)
		}
	}
}

// canStop says whether a trial that is stopped now goes on later from a checkpoint, rather than from nothing.
func (r *run) canStop(a *active) bool {
	if b, ok := r.Backend.(trainer.Stopper); ok {
		return b.CanStop(a.dir)
	}
	_, ok := r.Backend.(trainer.Resumer)
	return ok
}

func (r *run) isStopping() bool {
	select {
	case <-r.stopping:
		return true
	default:
		return false
	}
}

func (r *run) overBudget() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.budget
}
