package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// settle records how a trial ended, or puts it back.
func (r *run) settle(ctx context.Context, a *active, lease local.Lease, job trainer.Job, res trainer.Result, err, cause error) error {
	ms := a.close()
	if err == nil {
		if ms, err = r.derive(ctx, a, res, ms); errors.As(err, new(storeError)) || errors.Is(err, errTaken) {
			cause = err
		}
	}
	v := judge(r.spec, r.epochs, ms, err, cause)
	if fatal := endsStudy(err, cause); fatal != nil {
		r.stopOnce.Do(func() { close(r.stopping) })
		return r.giveBack(ctx, a, fatal)
	}
	if v.taken {
		return r.leave(a)
	}
	if v.requeue != "" {
		return r.requeue(ctx, a, outcomeInterrupted, v.requeue)
	}
	if again, err := r.tryAgain(ctx, a, lease, v); again || err != nil {
		return err
	}
	var failure *trainer.Failure
	errors.As(err, &failure)
	held, known := peak(a.watch, res, failure)
	if v.class == trials.ClassMemory && len(lease.GPUs) > 0 {
		v = outOfMemory(v, lease, held)
	}
	if len(lease.GPUs) > 0 {
		v.outcome.Attrs[trials.AttrDevices] = trials.Attr(strings.Join(lease.Devices, ", "))
	}
	if known && len(lease.GPUs) > 0 {
		v.outcome.Attrs[trials.AttrPeakMiB] = trials.Attr(held)
		if v.outcome.State != trials.Fail {
			r.learn(held)
		}
	}
	for _, art := range res.Artifacts {
		switch err := r.Store.Attach(a.holding(ctx), a.trial.ID, art); {
		case taken(err):
			return r.leave(a)
		case err != nil:
			return fmt.Errorf("attach %s to trial %d: %w", art.Name, a.trial.Number, err)
		}
	}
	r.describe(job, res, v.outcome.Attrs)
	if a.note != "" {
		addNote(v.outcome.Attrs, a.note)
	}
	switch err := r.Store.Finish(a.holding(ctx), a.trial.ID, v.outcome); {
	case taken(err):
		return r.leave(a)
	case err != nil:
		return fmt.Errorf("finish trial %d: %w", a.trial.Number, err)
	}
	return r.finished(ctx, a.trial, v.reason)
}

// endsStudy is the error that ends the study, if there is one: of the store, of data or device, or a full disk.
func endsStudy(err, cause error) error {
	var store storeError
	if errors.As(cause, &store) {
		return store.err
	}
	for _, e := range []error{trainer.ErrNoData, trainer.ErrNoDevice, syscall.ENOSPC, syscall.EROFS} {
		if errors.Is(err, e) {
			return err
		}
	}
	return nil
}

// leave leaves a trial to the process that has it now.
func (r *run) leave(a *active) error {
	r.Log.Warn("trial was taken over by another process, and is left to it", "trial", a.trial.Number)
	return nil
}

// giveBack puts a trial back that fatal, which ends the study, has interrupted.
func (r *run) giveBack(ctx context.Context, a *active, fatal error) error {
	err := r.Store.Requeue(a.holding(ctx), a.trial.ID, outcomeInterrupted, fatal.Error())
	if taken(err) {
		return fatal
	}
	return errors.Join(fatal, err)
}

// requeue puts a trial back that was interrupted, or that is tried again.
func (r *run) requeue(ctx context.Context, a *active, outcome, reason string) error {
	err := r.Store.Requeue(a.holding(ctx), a.trial.ID, outcome, reason)
	if taken(err) {
		return r.leave(a)
	}
	if err != nil {
		return fmt.Errorf("put trial %d back: %w", a.trial.Number, err)
	}
	t := a.trial
	t.State = trials.Waiting
	sum, err := r.count(ctx)
	if err != nil {
		return err
	}
	r.emit(TrialFinished{Trial: t, Reason: reason, Summary: sum})
	return nil
}

// canResume says whether a trial goes on from a checkpoint, and notes why it starts anew instead.
func (r *run) canResume(t trials.Trial, path string) bool {
	c, ok := r.Backend.(trainer.ResumeChecker)
	if !ok {
		return true
	}
	if err := c.CanResume(path); err != nil {
		r.Log.Warn("trial starts anew, its checkpoint does not fit here", "trial", t.Number, "checkpoint", path, "error", err)
		return false
	}
	return true
}

// describe adds the cores, the effective configuration and the checkpoint to a trial's attributes, and the
// configuration to its directory where the backend has not written one of its own, which says more.
func (r *run) describe(job trainer.Job, res trainer.Result, attrs map[string]json.RawMessage) {
	if job.Threads > 0 {
		attrs[trials.AttrCores] = trials.Attr(job.Threads)
	}
	if res.Checkpoint != "" {
		path := res.Checkpoint
		if rel, err := filepath.Rel(job.Dir, path); err == nil && filepath.IsLocal(rel) {
			path = rel
		}
		attrs[AttrCheckpoint] = trials.Attr(path)
	}
	if res.Note != "" {
		addNote(attrs, res.Note)
	}
	if len(res.Effective) == 0 {
		return
	}
	attrs[trials.AttrEffective] = trials.Attr(res.Effective)
	r.mismatch(job, res.Effective, attrs)
	path := filepath.Join(job.Dir, "effective.json")
	if _, err := os.Stat(path); err == nil {
		return
	}
	if err := writeJSON(path, res.Effective); err != nil {
		r.Log.Warn("effective configuration is in the database only", "trial", job.Number, "error", err)
	}
}

// mismatch records where the trainer used another configuration than it was asked for, among the notes, too.
func (r *run) mismatch(job trainer.Job, effective trials.Params, attrs map[string]json.RawMessage) {
	list := trials.Mismatches(job.Params, effective)
	if len(list) == 0 {
		return
	}
	attrs[trials.AttrMismatch] = trials.Attr(list)
	addNote(attrs, trials.MismatchText(list))
	r.Log.Warn("trial ran with another configuration than asked for", "trial", job.Number, "mismatch", trials.MismatchText(list))
}

// addNote puts a text behind what is noted already.
func addNote(attrs map[string]json.RawMessage, text string) {
	var note string
	if json.Unmarshal(attrs[trials.AttrNote], &note) == nil && note != "" {
		text = note + "; " + text
	}
	attrs[trials.AttrNote] = trials.Attr(text)
}

// finished does what follows each ended trial: further replicates, retention, the hook, the events.
func (r *run) finished(ctx context.Context, t trials.Trial, reason string) error {
	r.after.Lock()
	defer r.after.Unlock()
	_, settled, err := r.advance(ctx)
	if err != nil {
		return err
	}
	sum, err := r.count(ctx)
	if err != nil {
		return err
	}
	ranked := r.ranking()
	if err := r.retain(ranked); err != nil {
		r.Log.Warn("old checkpoints stay on disk", "error", err)
	}
	if now, ok := r.ledger.byNumber(t.Number); ok {
		t = now
	}
	if r.AfterTrial != nil {
		r.AfterTrial(ctx, r.study, t)
	}
	ev := TrialFinished{Trial: t, Reason: reason, Summary: sum}
	if len(ranked) > 0 {
		ev.Incumbent = &ranked[0]
	}
	r.emit(ev)
	r.tell(settled)
	return hopeless(r.spec, t, r.ledger.list)
}
