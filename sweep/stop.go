package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// AttrStop is a study attribute: the time (RFC 3339) at which someone asked all workers to stop.
// Runs that begin later take no notice of it.
const AttrStop = "mapsweep:stop"

// RequestStop asks every process that runs the study to stop gracefully. They notice within a heartbeat.
func RequestStop(ctx context.Context, store trials.Store, study string) error {
	st, err := store.Study(ctx, study)
	if err != nil {
		return err
	}
	return store.SetStudyAttrs(ctx, st.ID, map[string]json.RawMessage{AttrStop: trials.Attr(trials.Now().Format(time.RFC3339Nano))})
}

// stopRequested looks for a stop request that is younger than this run.
func (r *run) stopRequested(ctx context.Context) (bool, error) {
	st, err := r.Store.Study(ctx, r.study.Name)
	if err != nil {
		return false, err
	}
	var at time.Time
	if json.Unmarshal(st.Attrs[AttrStop], &at) != nil {
		return false, nil
	}
	return !at.Before(r.begun), nil
}

// affordable says whether what the trials used so far leaves room in the budget, as the ledger was last seen.
func (r *run) affordable() bool { return r.over() == "" }

// checkBudget notices that the budget is used up; from then on nothing new starts.
func (r *run) checkBudget(ctx context.Context) (ok bool, err error) {
	if b := r.spec.Budget; b.DeviceHours <= 0 && b.Epochs <= 0 && b.WallClock == "" {
		return true, nil
	}
	if _, err := r.ledger.look(ctx); err != nil {
		return false, err
	}
	over := r.over()
	if over == "" {
		return true, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.budget = over
	return false, nil
}

// endSearch ends the search for this run, and notes why with the study.
func (r *run) endSearch(ctx context.Context, why string) error {
	r.mu.Lock()
	r.ended = why
	r.mu.Unlock()
	if err := r.Store.SetStudyAttrs(ctx, r.study.ID, map[string]json.RawMessage{trials.AttrEnded: trials.Attr(why)}); err != nil {
		return fmt.Errorf("note the end of the search: %w", err)
	}
	r.emit(SearchEnded{Why: why})
	return nil
}

// hasEnded is why the search ended in this run, or "".
func (r *run) hasEnded() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

// skipWaiting ends the trials that the budget leaves out. It claims each first, so that none is
// ended under the hands of another process.
func (r *run) skipWaiting(ctx context.Context) error {
	for {
		t, err := r.Store.Claim(ctx, r.study.ID, r.Worker)
		if errors.Is(err, trials.ErrNoneWaiting) {
			return nil
		}
		if err != nil {
			return err
		}
		err = r.Store.Finish(trials.Holding(ctx, t), t.ID, trials.Outcome{State: trials.Fail, Attrs: map[string]json.RawMessage{
			trials.AttrClass:  trials.Attr(trials.ClassSkipped),
			trials.AttrReason: trials.Attr("the budget was used up before it began"),
			AttrSkippedBy:     trials.Attr("budget"),
		}})
		if err != nil && !taken(err) {
			return err
		}
	}
}
