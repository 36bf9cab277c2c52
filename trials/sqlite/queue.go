package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/internal/optuna"
)

// Enqueue implements trials.Writer. The parameters also become Optuna's fixed_params,
// so that Optuna takes the trial as one of its own enqueued trials.
func (d *DB) Enqueue(ctx context.Context, studyID int64, sg trials.Suggestion) (trials.Trial, error) {
	sg, err := sg.Clean()
	if err != nil {
		return trials.Trial{}, fmt.Errorf("enqueue trial: %w", err)
	}
	var t trials.Trial
	err = d.write(ctx, "enqueue trial", func(ctx context.Context, s *session) error {
		f, err := s.study(ctx, studyID)
		if err == nil {
			t, _, err = enqueue(ctx, s, studyID, f, sg, nil)
		}
		return err
	})
	return t, err
}

// start is a worker that takes a trial.
type start struct {
	worker string
	at     time.Time
}

// enqueue adds a trial, running if there is a start, or finds the one that has its key.
func enqueue(ctx context.Context, s *session, studyID int64, f *facts, sg trials.Suggestion, by *start) (t trials.Trial, added bool, err error) {
	identity := sg.Identity()
	var id int64
	var number int
	var key string
	err = s.one(ctx, `SELECT trial_id, number, key FROM mapsweep_trials m JOIN trials USING (trial_id)
		WHERE m.study_id = ?1 AND (key = ?2 OR identity = ?3) ORDER BY key = ?2 DESC`, []any{studyID, sg.Key, identity}, &id, &number, &key)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		t, err = addTrial(ctx, s, studyID, f, sg, identity, by)
		return t, true, err
	case err != nil:
		return t, false, err
	case key != sg.Key:
		return t, false, fmt.Errorf("%s is trial %d (%s): %w", sg.Key, number, key, trials.ErrDuplicate)
	}
	t, err = oneTrial(ctx, s, id, f)
	return t, false, err
}

func needStudy(ctx context.Context, s *session, id int64) error {
	_, err := s.study(ctx, id)
	return err
}

// addTrial writes a trial with the next number. The write lock is held, so
// numbers are dense and IDs grow in the order of commits.
func addTrial(ctx context.Context, s *session, studyID int64, f *facts, sg trials.Suggestion, identity []byte, by *start) (trials.Trial, error) {
	sg.Attrs[trials.AttrKey] = trials.Attr(sg.Key)
	t := trials.Trial{StudyID: studyID, Number: f.next, State: trials.Waiting, Key: sg.Key, Space: sg.Space, Params: sg.Params, Attrs: sg.Attrs}
	var began any
	if by != nil {
		t.State, t.Started, t.Heartbeat, began = trials.Running, by.at, by.at, optuna.FormatTime(by.at)
	}
	var err error
	t.ID, err = s.insert(ctx, "INSERT INTO trials (number, study_id, state, datetime_start) VALUES (?, ?, ?, ?)", t.Number, studyID, t.State.String(), began)
	if err != nil {
		return t, err
	}
	f.next++
	params, err := trials.EncodeParams(t.Params)
	if err != nil {
		return t, err
	}
	stored, err := saveSpace(ctx, s, studyID, f, t.Space)
	if err != nil {
		return t, err
	}
	err = s.exec(ctx, "INSERT INTO mapsweep_trials (trial_id, study_id, key, params, space_id, identity) VALUES (?, ?, ?, ?, ?, ?)",
		t.ID, studyID, t.Key, params, stored.id, identity)
	if err != nil {
		return t, err
	}
	if err := saveParams(ctx, s, f, t); err != nil {
		return t, err
	}
	err = s.exec(ctx, `INSERT INTO trial_system_attributes (trial_id, "key", value_json) VALUES (?, ?, ?)`, t.ID, optuna.FixedParams, params)
	if err != nil {
		return t, err
	}
	if err := saveAttrs(ctx, s, t.ID, t.Attrs); err != nil || by == nil {
		return t, err
	}
	t.Attempts = []trials.Attempt{{Number: 1, Worker: by.worker, Started: by.at}}
	if err := saveAttempt(ctx, s, t.ID, t.Attempts[0]); err != nil {
		return t, err
	}
	s.memo.follow(t, stored.space)
	return t, beat(ctx, s, t.ID, optuna.FormatTime(by.at))
}

func saveAttempt(ctx context.Context, s *session, trialID int64, a trials.Attempt) error {
	return s.exec(ctx, "INSERT INTO mapsweep_attempts (trial_id, number, worker, started) VALUES (?, ?, ?, ?)",
		trialID, a.Number, a.Worker, optuna.FormatTime(a.Started))
}

// Start implements trials.Writer.
func (d *DB) Start(ctx context.Context, studyID int64, worker string, sgs ...trials.Suggestion) (trials.Trial, error) {
	clean := make([]trials.Suggestion, len(sgs))
	for i, sg := range sgs {
		var err error
		if clean[i], err = sg.Clean(); err != nil {
			return trials.Trial{}, fmt.Errorf("start trial: %w", err)
		}
	}
	var t trials.Trial
	err := d.write(ctx, "start trial", func(ctx context.Context, s *session) error {
		f, err := s.study(ctx, studyID)
		if err != nil {
			return err
		}
		waiting, err := nextWaiting(ctx, s, studyID)
		if err != nil {
			return err
		}
		for _, sg := range clean {
			var by *start
			if waiting == 0 { // then the first new one is the one to claim
				by = &start{worker: worker, at: trials.Now()}
			}
			one, added, err := enqueue(ctx, s, studyID, f, sg, by)
			if err != nil {
				return err
			}
			if added && by != nil {
				t, waiting = one, one.ID
			}
		}
		if t.ID == 0 {
			t, err = claim(ctx, s, studyID, f, worker)
		}
		return err
	})
	return t, err
}

// Claim implements trials.Writer.
func (d *DB) Claim(ctx context.Context, studyID int64, worker string) (trials.Trial, error) {
	var t trials.Trial
	err := d.write(ctx, "claim trial", func(ctx context.Context, s *session) error {
		f, err := s.study(ctx, studyID)
		if err == nil {
			t, err = claim(ctx, s, studyID, f, worker)
		}
		return err
	})
	return t, err
}

// nextWaiting is the ID of the waiting trial with the lowest number, or 0.
func nextWaiting(ctx context.Context, s *session, studyID int64) (id int64, err error) {
	err = s.one(ctx, `SELECT trial_id FROM trials WHERE study_id = ? AND state IN ('RUNNING', 'WAITING') AND state = 'WAITING'
		ORDER BY number LIMIT 1`, []any{studyID}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// claim takes the waiting trial with the lowest number.
func claim(ctx context.Context, s *session, studyID int64, f *facts, worker string) (trials.Trial, error) {
	id, err := nextWaiting(ctx, s, studyID)
	if err == nil && id == 0 {
		err = trials.ErrNoneWaiting
	}
	if err != nil {
		return trials.Trial{}, err
	}
	t, err := oneTrial(ctx, s, id, f)
	if err != nil {
		return t, err
	}
	a := trials.Attempt{Number: 1, Worker: worker, Started: trials.Now()}
	if n := len(t.Attempts); n > 0 {
		a.Number = t.Attempts[n-1].Number + 1
	}
	t.State, t.Started, t.Heartbeat, t.Attempts = trials.Running, a.Started, a.Started, append(t.Attempts, a)
	now := optuna.FormatTime(a.Started)
	if err := s.exec(ctx, "UPDATE trials SET state = 'RUNNING', datetime_start = ? WHERE trial_id = ?", now, id); err != nil {
		return t, err
	}
	if err := saveAttempt(ctx, s, id, a); err != nil {
		return t, err
	}
	if err := beat(ctx, s, id, now); err != nil {
		return t, err
	}
	s.memo.follow(t, t.Space)
	t.Space = t.Space.Clone()
	return t, nil
}

// Requeue implements trials.Writer.
func (d *DB) Requeue(ctx context.Context, trialID int64, outcome, reason string) error {
	return d.write(ctx, "requeue trial", func(ctx context.Context, s *session) error {
		at, err := where(ctx, s, trialID)
		if err != nil {
			return err
		}
		return requeue(ctx, s, trialID, at, outcome, reason)
	})
}

// Reclaim implements trials.Writer.
func (d *DB) Reclaim(ctx context.Context, t trials.Trial, reason string, attrs map[string]json.RawMessage) error {
	if err := trials.CheckAttrs(attrs); err != nil {
		return fmt.Errorf("reclaim trial: %w", err)
	}
	return d.write(ctx, "reclaim trial", func(ctx context.Context, s *session) error {
		at, err := silent(ctx, s, t)
		if err == nil {
			err = requeue(ctx, s, t.ID, at, trials.ClassLost, reason)
		}
		if err != nil {
			return err
		}
		return saveAttrs(ctx, s, t.ID, attrs)
	})
}

// silent is where for a running trial of which nothing was heard since the caller read it as t.
func silent(ctx context.Context, s *session, t trials.Trial) (standing, error) {
	at, err := where(ctx, s, t.ID)
	if err != nil {
		return at, err
	}
	if at.state != trials.Running {
		return at, fmt.Errorf("trial %d: %w", at.number, trials.ErrNotRunning)
	}
	now, err := oneTrial(ctx, s, t.ID, at.study)
	if err == nil && !now.Silent(t) {
		err = fmt.Errorf("trial %d: its worker gave a sign of life, or another one took it: %w", at.number, trials.ErrNotRunning)
	}
	return at, err
}

// requeue puts a running trial back and closes its attempt.
func requeue(ctx context.Context, s *session, trialID int64, at standing, outcome, reason string) error {
	if at.state != trials.Running {
		return fmt.Errorf("trial %d: %w", at.number, trials.ErrNotRunning)
	}
	delete(s.memo.running, trialID)
	ended, err := attemptEnd(ctx, s, trialID, at.study, outcome, trials.Now())
	if err != nil {
		return err
	}
	if err := s.exec(ctx, "UPDATE trials SET state = 'WAITING', datetime_start = NULL WHERE trial_id = ?", trialID); err != nil {
		return err
	}
	if err := s.exec(ctx, "DELETE FROM trial_heartbeats WHERE trial_id = ?", trialID); err != nil {
		return err
	}
	return endAttempt(ctx, s, trialID, outcome, reason, optuna.FormatTime(ended))
}
