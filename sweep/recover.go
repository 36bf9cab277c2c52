package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trials"
)

// Outcomes of attempts that did not end their trial.
const (
	outcomeLost        = "lost"
	outcomeInterrupted = "interrupted"
)

// AttrSkippedBy says what left a skipped trial out: "budget". A study with a larger budget runs it after all.
const AttrSkippedBy = "mapsweep:skipped_by"

// recoverTrials puts trials of vanished workers back, repeats failed ones and mends half-made links.
func (r *run) recoverTrials(ctx context.Context, ev *StudyStarted) error {
	if _, err := r.ledger.look(ctx); err != nil {
		return err
	}
	mended, err := mendLinks(ctx, r.Store, r.ledger.list(), func(trials.Trial) bool { return false })
	if err == nil && len(mended) > 0 {
		_, err = r.ledger.look(ctx)
	}
	if err != nil {
		return err
	}
	ts := r.ledger.list()
	r.learnPeaks(ts)
	affordable, stopped := r.affordable(), r.stopped(ts)
	for _, t := range ts {
		switch {
		case t.State == trials.Running:
			lost, err := r.reclaim(ctx, t)
			if err != nil {
				return err
			}
			if lost {
				ev.Lost = append(ev.Lost, t.Number)
			}
		case stopped(t): // what it could still say would not be read
		case repeats(t), affordable && t.Text(AttrSkippedBy) == "budget" && !t.Superseded():
			n, err := repeat(ctx, r.Store, t)
			if err != nil {
				return err
			}
			r.Log.Info("repeating failed trial", "trial", t.Number, "class", t.Text(trials.AttrClass), "as", n.Number)
			ev.Retried = append(ev.Retried, t.Number)
		}
	}
	return nil
}

// repeats says whether the next run tries t again: it broke, rather than showed that the point is bad.
func repeats(t trials.Trial) bool {
	if t.State != trials.Fail || t.Superseded() {
		return false
	}
	switch t.Text(trials.AttrClass) {
	case trials.ClassError, trials.ClassTimeout, trials.ClassMemory, trials.ClassHostMemory, trials.ClassDevice, trials.ClassLost,
		trials.ClassData, trials.ClassUsage, trials.ClassScript, trials.ClassPackage: // the last four may be mended by now
		return true
	}
	return false
}

// reclaim requeues a running trial if its worker has vanished, or gives it up after too many starts.
func (r *run) reclaim(ctx context.Context, t trials.Trial) (bool, error) {
	why := r.vanished(t)
	if why == "" {
		return false, nil
	}
	lost := 1
	for _, a := range t.Attempts {
		if a.Outcome == outcomeLost {
			lost++
		}
	}
	var err error
	if lost >= r.Limits.Attempts {
		err = r.Store.GiveUp(ctx, t, trials.Outcome{State: trials.Fail, Attrs: map[string]json.RawMessage{
			trials.AttrClass:  trials.Attr(trials.ClassLost),
			trials.AttrReason: trials.Attr(fmt.Sprintf("its worker vanished %d times: %s", lost, why)),
		}})
	} else {
		counts := Retries(t)
		counts[trials.ClassLost] = lost
		err = r.Store.Reclaim(ctx, t, why, map[string]json.RawMessage{trials.AttrRetries: trials.Attr(counts)})
	}
	if errors.Is(err, trials.ErrNotRunning) {
		return false, nil // another process did it, or it finished after all
	}
	if err == nil {
		r.Log.Info("worker of trial vanished", "trial", t.Number, "reason", why)
	}
	return err == nil, err
}

// vanished says why the worker of a running trial counts as gone, or "".
func (r *run) vanished(t trials.Trial) string {
	r.mu.Lock()
	_, ours := r.active[t.ID]
	r.mu.Unlock()
	if ours {
		return ""
	}
	if elsewhere(t) {
		return ""
	}
	last := t.Attempts[len(t.Attempts)-1]
	worker, seen := last.Worker, t.Heartbeat
	if last.Started.After(seen) {
		seen = last.Started
	}
	silent := r.Now().Sub(seen)
	if worker != r.Worker {
		switch r.Probe(worker) {
		case local.Alive:
			return ""
		case local.Dead:
			return fmt.Sprintf("process %s is gone", worker)
		}
	}
	if silent > r.Limits.Lost {
		return fmt.Sprintf("no sign of life from %s for %s", worker, silent.Round(time.Second))
	}
	return ""
}

// elsewhere says that another program, Optuna, runs t: no worker of ours has claimed it. Nobody can say whether that
// program lives, so that its trials are left to it.
func elsewhere(t trials.Trial) bool {
	n := len(t.Attempts)
	return t.State == trials.Running && (n == 0 || !t.Attempts[n-1].Ended.IsZero())
}

// WaitsForOther says that another program, Optuna, runs a trial that its study counts: a run waits for it for as long as it takes.
// If that program has died, Retry takes the trial from it.
func WaitsForOther(t trials.Trial) bool { return elsewhere(t) && !foreign(t) }

// foreign says that another program runs a trial of its own, which this study did not plan.
func foreign(t trials.Trial) bool {
	_, enqueued := t.Attrs[trials.AttrKey]
	return elsewhere(t) && !enqueued
}

var repetition = regexp.MustCompile(`#(\d+)$`)

// repeatKey is the key of the trial that repeats t: key#2, then key#3.
func repeatKey(t trials.Trial) string {
	if _, again := t.Integer(trials.AttrRetryOf); again {
		if m := repetition.FindStringSubmatchIndex(t.Key); m != nil {
			n, _ := strconv.Atoi(t.Key[m[2]:m[3]])
			return t.Key[:m[0]] + "#" + strconv.Itoa(n+1)
		}
	}
	key := t.Key
	if key == "" {
		key = "trial-" + strconv.Itoa(t.Number)
	}
	return key + "#2"
}

// outcomeAttrs are the attributes that a repetition does not inherit.
var outcomeAttrs = []string{trials.AttrKey, trials.AttrClass, trials.AttrReason, trials.AttrLogTail, trials.AttrRetriedBy, trials.AttrContinued,
	trials.AttrEffective, trials.AttrMismatch, trials.AttrScoreEpoch, trials.AttrFinal, trials.AttrBest, trials.AttrNote, trials.AttrRetries, trials.AttrPeakMiB, trials.AttrDevices,
	trials.AttrCores, AttrSkippedBy, AttrCheckpoint}

// inherited copies what attributes say about the point, and not about how its trial went.
func inherited(attrs map[string]json.RawMessage) map[string]json.RawMessage {
	c := trials.CloneAttrs(attrs)
	maps.DeleteFunc(c, func(k string, _ json.RawMessage) bool { return slices.Contains(outcomeAttrs, k) })
	return c
}

// repeat enqueues a copy of an ended trial and takes the old one out of the count. A crash between
// the two steps does no harm: the next call finds the copy by its key, and mendLinks mends it.
func repeat(ctx context.Context, store trials.Store, t trials.Trial) (trials.Trial, error) {
	attrs := inherited(t.Attrs)
	attrs[trials.AttrRetryOf] = trials.Attr(t.Number)
	n, err := store.Enqueue(ctx, t.StudyID, trials.Suggestion{Key: repeatKey(t), Space: t.Space, Params: t.Params, Attrs: attrs})
	if err != nil {
		return n, fmt.Errorf("repeat trial %d: %w", t.Number, err)
	}
	err = store.SetAttrs(ctx, t.ID, map[string]json.RawMessage{trials.AttrRetriedBy: trials.Attr(n.Number)})
	if err != nil {
		return n, fmt.Errorf("repeat trial %d: %w", t.Number, err)
	}
	return n, nil
}

// ErrNotRepeatable: only trials that failed, and that nothing repeats yet, can be repeated.
var ErrNotRepeatable = errors.New("cannot be repeated")

// Retry enqueues copies of the study's failed trials of those numbers, of whatever class, and returns the
// copies; the next Run runs them. A trial that another program runs (WaitsForOther) and that is named by its number is taken
// from it: it fails as lost. Without numbers Retry takes all failed trials but skipped ones. It changes nothing if one of the numbers
// cannot be repeated.
func Retry(ctx context.Context, store trials.Store, study string, numbers []int) ([]trials.Trial, error) {
	st, err := store.Study(ctx, study)
	if err != nil {
		return nil, err
	}
	if IsImported(st) {
		return nil, fmt.Errorf("retry trials of study %q: %w: %w", study, ErrInvalid, ErrImported)
	}
	l := newLedger(store, st.ID)
	if _, err := l.look(ctx); err != nil {
		return nil, err
	}
	ts := l.list()
	if len(numbers) == 0 {
		for _, t := range ts {
			if t.State == trials.Fail && !t.Superseded() && t.Text(trials.AttrClass) != trials.ClassSkipped {
				numbers = append(numbers, t.Number)
			}
		}
	}
	// A copy that ran already was made by a call that was killed: what it repeats is not repeated once more.
	mended, err := mendLinks(ctx, store, ts, func(by trials.Trial) bool { return by.State == trials.Waiting })
	if err != nil {
		return nil, fmt.Errorf("retry trials of study %q: %w", study, err)
	}
	var old []trials.Trial
	for _, n := range slices.Compact(slices.Sorted(slices.Values(numbers))) {
		i := slices.IndexFunc(ts, func(t trials.Trial) bool { return t.Number == n })
		if i < 0 {
			return nil, fmt.Errorf("retry trial %d of study %q: %w", n, study, trials.ErrNoTrial)
		}
		t := ts[i]
		if slices.Contains(mended, n) {
			continue
		}
		if by, ok := t.Integer(trials.AttrRetriedBy); ok {
			return nil, fmt.Errorf("retry trial %d of study %q: %w: trial %d repeats it already", n, study, ErrNotRepeatable, by)
		}
		if t.State != trials.Fail && !WaitsForOther(t) {
			return nil, fmt.Errorf("retry trial %d of study %q: %w: it is %s, not failed", n, study, ErrNotRepeatable, t.State)
		}
		old = append(old, t)
	}
	var copies []trials.Trial
	for _, t := range old {
		if t.State != trials.Fail {
			if err := takeAway(ctx, store, t); err != nil {
				return copies, err
			}
		}
		c, err := repeat(ctx, store, t)
		if err != nil {
			return copies, err
		}
		copies = append(copies, c)
	}
	return copies, nil
}

// takeAway ends a trial that another program runs.
func takeAway(ctx context.Context, store trials.Writer, t trials.Trial) error {
	err := store.GiveUp(ctx, t, trials.Outcome{State: trials.Fail, Attrs: map[string]json.RawMessage{
		trials.AttrClass:  trials.Attr(trials.ClassLost),
		trials.AttrReason: trials.Attr("taken from another program, which had run it since " + t.Started.Format(time.RFC3339)),
	}})
	if errors.Is(err, trials.ErrNotRunning) {
		return fmt.Errorf("retry trial %d: %w: it has gone on, or ended, just now", t.Number, ErrNotRepeatable)
	}
	if err != nil {
		return fmt.Errorf("retry trial %d: %w", t.Number, err)
	}
	return nil
}
