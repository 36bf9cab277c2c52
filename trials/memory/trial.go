package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// study finds a study by ID; the caller holds the lock.
func (s *Store) study(id int64) (*study, error) {
	if id < 1 || id > int64(len(s.studies)) {
		return nil, fmt.Errorf("study with ID %d: %w", id, trials.ErrNoStudy)
	}
	return s.studies[id-1], nil
}

// trial finds a trial by ID; the caller holds the lock.
func (s *Store) trial(id int64) (*trial, error) {
	if id < 1 || id > int64(len(s.trials)) {
		return nil, fmt.Errorf("trial with ID %d: %w", id, trials.ErrNoTrial)
	}
	return s.trials[id-1], nil
}

// change runs do on a trial under the lock; do changes nothing if it returns an error.
func (s *Store) change(ctx context.Context, what string, id int64, do func(*trial) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.trial(id)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := trials.CheckHold(ctx, id, t.State, t.Open()); err != nil {
		return fmt.Errorf("%s: trial %d: %w", what, t.Number, err)
	}
	if err := do(t); err != nil {
		return fmt.Errorf("%s: trial %d: %w", what, t.Number, err)
	}
	return nil
}

// running is change for trials that must be running.
func (s *Store) running(ctx context.Context, what string, id int64, do func(*trial)) error {
	return s.change(ctx, what, id, func(t *trial) error {
		if t.State.Finished() {
			return trials.ErrFinished
		}
		if t.State != trials.Running {
			return trials.ErrNotRunning
		}
		do(t)
		return nil
	})
}

// setAttrs lays attributes over those of t.
func (t *trial) setAttrs(attrs map[string]json.RawMessage) error {
	if err := trials.CheckAttrs(attrs); err != nil {
		return err
	}
	for k, v := range trials.CloneAttrs(attrs) {
		t.Attrs[k] = v
	}
	return nil
}

// endAttempt closes the open attempt, if there is one.
func (t *trial) endAttempt(outcome, reason string, at time.Time) {
	n := len(t.Attempts)
	if n == 0 || !t.Attempts[n-1].Ended.IsZero() {
		return
	}
	a := &t.Attempts[n-1]
	a.Ended, a.Outcome, a.Reason = at, outcome, reason
}

// enterLog appends a finished trial, as it is now, to its study's log. Who got it before keeps what it was.
func (t *trial) enterLog() {
	snapshot := t.Clone()
	t.snapshot = &snapshot
	t.study.log = append(t.study.log, t)
	t.entry = len(t.study.log)
	if t.ended == 0 {
		t.ended = t.entry
	}
}
