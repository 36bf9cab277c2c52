package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/telemetry"
	"github.com/mapsweep/mapsweep/trials"
)

// errTaken is the cause for a trial that another process took over.
var errTaken = errors.New("taken over by another process")

// taken says that a write was refused because the trial is not this process's any more: another one took it for lost, or has ended it.
func taken(err error) bool {
	return errors.Is(err, trials.ErrTaken) || errors.Is(err, trials.ErrNotRunning) || errors.Is(err, trials.ErrFinished)
}

// holding binds writes to the attempt that a makes: what another process does with the trial is left alone.
func (a *active) holding(ctx context.Context) context.Context { return trials.Holding(ctx, a.trial) }

// storeError is the cause for a trial whose measurements can no longer be stored; it ends the study.
type storeError struct{ err error }

func (e storeError) Error() string { return e.err.Error() }
func (e storeError) Unwrap() error { return e.err }

// active is a trial that runs in this process.
type active struct {
	trial  trials.Trial
	dir    string
	cancel context.CancelCauseFunc

	watch    *telemetry.Watch // how it uses the machine, or nil
	note     string           // what has to be said of where it began
	mu       sync.Mutex
	measured []trials.Measurement // of this attempt and those that it continues, by epoch
	closed   bool                 // Train has returned or was given up: reports no longer count
	shown    time.Time            // last progress event
}

// begin sets what earlier attempts, and the trials that it continues, measured that this one goes on from.
func (a *active) begin(ms []trials.Measurement) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.measured = ms
}

func (a *active) ending() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.closed
}

func (a *active) close() []trials.Measurement {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	return a.measured
}

// enter notes that a runs. An attempt of this process at the same trial, which was taken for dead and has not noticed yet, ends.
func (r *run) enter(a *active) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old := r.active[a.trial.ID]; old != nil {
		old.cancel(errTaken)
	}
	r.active[a.trial.ID] = a
}

// exit notes that a has ended, and leaves a later attempt at its trial alone.
func (r *run) exit(a *active) {
	r.mu.Lock()
	if r.active[a.trial.ID] == a {
		delete(r.active, a.trial.ID)
	}
	r.mu.Unlock()
	r.wake()
}

// trialDir is the directory of trial number n below the study's.
func trialDir(dir string, n int) string { return filepath.Join(dir, fmt.Sprintf("trial-%04d", n)) }

// runTrial runs a claimed trial to its end. It returns only errors that end the study.
func (r *run) runTrial(ctx, accept context.Context, h *holding, t trials.Trial) error {
	keep := context.WithoutCancel(ctx)
	tctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a := &active{trial: t, dir: trialDir(r.Dir, t.Number), cancel: cancel}
	r.enter(a)
	defer r.exit(a)
	if how := needs(t); how != local.Shared {
		if err := r.exchange(tctx, accept, h, how); err != nil {
			if fatal := context.Cause(tctx); fatal == nil && accept.Err() == nil {
				return r.giveBack(keep, a, fmt.Errorf("lease devices for trial %d: %w", t.Number, err))
			}
			return r.settle(keep, a, h.lease, trainer.Job{}, trainer.Result{}, err, cmp.Or(context.Cause(tctx), ErrStopped))
		}
	}
	links, err := r.chain(ctx, t)
	if err != nil {
		return r.giveBack(keep, a, err)
	}
	job, begin, err := r.job(t, links, h.lease)
	if err != nil {
		return r.giveBack(keep, a, err)
	}
	a.begin(begin.known)
	a.note = begin.note
	job.Progress = func(p trainer.Progress) { r.progress(a, p) }
	if a.watch = r.watchUse(job, h.lease); a.watch != nil {
		defer a.watch.Close()
	}
	if r.isStopping() {
		cancel(ErrStopped)
	}
	if r.timeout > 0 { // it counts from here: waiting for a device is not the trial's fault
		var stop context.CancelFunc
		tctx, stop = context.WithTimeoutCause(tctx, r.timeout, ErrTimeout)
		defer stop()
	}
	r.emit(TrialStarted{Trial: t, Lease: h.lease, Dir: job.Dir, Epochs: job.Epochs, Resume: lastEpoch(begin.known)})
	if r.overdue(tctx, a) {
		return r.settle(keep, a, h.lease, job, trainer.Result{}, context.Cause(tctx), context.Cause(tctx))
	}
	res, err := r.train(tctx, ctx, a, job)
	return r.settle(keep, a, h.lease, job, res, err, context.Cause(tctx))
}

// overdue asks the pruner about the last epoch of an attempt before, which may have ended before the pruner was asked, and
// cancels the trial if it is to be pruned.
func (r *run) overdue(ctx context.Context, a *active) bool {
	if len(a.trial.Attempts) > 1 && len(a.measured) > 0 && ctx.Err() == nil {
		r.judge(ctx, a)
	}
	return ctx.Err() != nil
}

// judge asks the pruner about a trial's last epoch, and cancels the trial if it is to be pruned.
func (r *run) judge(ctx context.Context, a *active) {
	if r.pruner == nil {
		return
	}
	prune, err := r.prune(ctx, a)
	if err != nil {
		a.cancel(storeError{fmt.Errorf("prune trial %d: %w", a.trial.Number, err)})
	} else if prune {
		a.cancel(ErrPruned)
	}
}

// exchange trades the lease for one that the trial shares with nobody. It ends when the trial is taken away
// or nothing new may start.
func (r *run) exchange(ctx, accept context.Context, h *holding, how local.Alone) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(accept, func() { cancel(context.Cause(accept)) })()
	return h.change(ctx, r.pool, how)
}

// train calls the backend, turns a panic into a failure, and gives up on a backend that
// does not return after its context has ended. hard is the context of the whole run.
func (r *run) train(ctx, hard context.Context, a *active, job trainer.Job) (trainer.Result, error) {
	type answer struct {
		res trainer.Result
		err error
	}
	done := make(chan answer, 1)
	go func() {
		var ans answer
		defer func() {
			if p := recover(); p != nil {
				ans.err = panicked(job.Dir, p, debug.Stack())
			}
			done <- ans
		}()
		ans.res, ans.err = r.Backend.Train(ctx, job, func(m trials.Measurement) { r.report(ctx, a, m) })
	}()
	select {
	case ans := <-done:
		return ans.res, ans.err
	case <-ctx.Done():
	}
	patience := time.NewTimer(r.Limits.Hang)
	defer patience.Stop()
	hardStop := hard.Done()
	for {
		select {
		case ans := <-done:
			return ans.res, ans.err
		case <-hardStop:
			hardStop = nil
			patience.Reset(r.Limits.Grace)
		case <-patience.C:
			return trainer.Result{}, fmt.Errorf("trainer did not stop in time: %w", context.Cause(ctx))
		}
	}
}

// panicked keeps the stack in the trial's directory and makes a failure of it.
func panicked(dir string, p any, stack []byte) error {
	text := fmt.Sprintf("panic: %v\n\n%s", p, stack)
	f := &trainer.Failure{Class: trials.ClassError, Reason: fmt.Sprintf("trainer panicked: %v", p), LogTail: text}
	if err := os.WriteFile(filepath.Join(dir, "panic.log"), []byte(text), 0o644); err != nil {
		f.Err = err
	}
	return f
}

// report stores a measurement and asks the pruner.
func (r *run) report(ctx context.Context, a *active, m trials.Measurement) {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return
	}
	if m.At.IsZero() {
		m.At = r.Now()
	}
	if a.watch != nil {
		var before *trials.Measurement
		if n := len(a.measured); n > 0 && a.measured[n-1].Epoch == m.Epoch {
			before = &a.measured[n-1]
		}
		m = withUse(m, a.watch.Take(), before)
	}
	m = trained(m, a.measured)
	err := r.Store.Record(a.holding(context.WithoutCancel(ctx)), a.trial.ID, m)
	if err == nil {
		a.measured = append(slices.DeleteFunc(a.measured, func(o trials.Measurement) bool { return o.Epoch >= m.Epoch }), m)
	}
	a.mu.Unlock()
	switch {
	case taken(err):
		a.cancel(errTaken)
		return
	case err != nil:
		a.cancel(storeError{fmt.Errorf("trial %d: %w", a.trial.Number, err)})
		return
	}
	r.emit(TrialMeasured{Trial: a.trial, Measurement: m})
	if r.epochs > 0 && m.Epoch >= r.epochs || ctx.Err() != nil {
		return
	}
	if r.isStopping() && r.canStop(a) { // it could not before it had this epoch's checkpoint
		a.cancel(ErrStopped)
		return
	}
	r.judge(ctx, a)
}

// prune asks the pruner; a panic in it is an error.
func (r *run) prune(ctx context.Context, a *active) (prune bool, err error) {
	v, err := r.ledger.look(context.WithoutCancel(ctx))
	if err != nil {
		return false, err
	}
	t := a.trial
	a.mu.Lock()
	t.Measurements = slices.Clone(a.measured)
	a.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("pruner panicked: %v", p)
		}
	}()
	return r.pruner.Prune(r.driver.whole(v), t)
}

// progress passes on where a trial stands, at most five times per second.
func (r *run) progress(a *active, p trainer.Progress) {
	if r.Events == nil {
		return
	}
	a.mu.Lock()
	now := time.Now()
	show := !a.closed && now.Sub(a.shown) >= 200*time.Millisecond
	if show {
		a.shown = now
	}
	a.mu.Unlock()
	if show {
		r.emit(TrialProgress{Trial: a.trial, Progress: p})
	}
}
