package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

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
		if err := needStudy(ctx, s, studyID); err != nil {
			return err
		}
		t, err = enqueue(ctx, s, studyID, sg)
		return err
	})
	return t, err
}

// enqueue adds a trial, or finds the one that has its key.
func enqueue(ctx context.Context, s *session, studyID int64, sg trials.Suggestion) (trials.Trial, error) {
	identity := sg.Identity()
	var id int64
	var number int
	var key string
	err := s.one(ctx, `SELECT trial_id, number, key FROM mapsweep_trials m JOIN trials USING (trial_id)
		WHERE m.study_id = ?1 AND (key = ?2 OR identity = ?3) ORDER BY key = ?2 DESC`, []any{studyID, sg.Key, identity}, &id, &number, &key)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return addTrial(ctx, s, studyID, sg, identity)
	case err != nil:
		return trials.Trial{}, err
	case key != sg.Key:
		return trials.Trial{}, fmt.Errorf("%s is trial %d (%s): %w", sg.Key, number, key, trials.ErrDuplicate)
	}
	return oneTrial(ctx, s, id)
}

func needStudy(ctx context.Context, s *session, id int64) error {
	var one int
	err := s.one(ctx, "SELECT 1 FROM studies WHERE study_id = ?", []any{id}, &one)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("study with ID %d: %w", id, trials.ErrNoStudy)
	}
	return err
}

// addTrial writes a waiting trial with the next number. The write lock is held, so
// numbers are dense and IDs grow in the order of commits.
func addTrial(ctx context.Context, s *session, studyID int64, sg trials.Suggestion, identity []byte) (trials.Trial, error) {
	sg.Attrs[trials.AttrKey] = trials.Attr(sg.Key)
	t := trials.Trial{StudyID: studyID, State: trials.Waiting, Key: sg.Key, Space: sg.Space, Params: sg.Params, Attrs: sg.Attrs}
	err := s.one(ctx, "SELECT COALESCE(number, 0) + 1 FROM trials WHERE study_id = ? ORDER BY trial_id DESC LIMIT 1", []any{studyID}, &t.Number)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return t, err
	}
	t.ID, err = s.insert(ctx, "INSERT INTO trials (number, study_id, state) VALUES (?, ?, 'WAITING')", t.Number, studyID)
	if err != nil {
		return t, err
	}
	params, err := trials.EncodeParams(t.Params)
	if err != nil {
		return t, err
	}
	space, err := saveSpace(ctx, s, studyID, t.Space)
	if err != nil {
		return t, err
	}
	err = s.exec(ctx, "INSERT INTO mapsweep_trials (trial_id, study_id, key, params, space_id, identity) VALUES (?, ?, ?, ?, ?, ?)",
		t.ID, studyID, t.Key, params, space, identity)
	if err != nil {
		return t, err
	}
	if err := saveParams(ctx, s, t); err != nil {
		return t, err
	}
	err = s.exec(ctx, `INSERT INTO trial_system_attributes (trial_id, "key", value_json) VALUES (?, ?, ?)`, t.ID, optuna.FixedParams, params)
	if err != nil {
		return t, err
	}
	return t, saveAttrs(ctx, s, t.ID, t.Attrs)
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
	err := d.write(ctx, "start trial", func(ctx context.Context, s *session) (err error) {
		if err := needStudy(ctx, s, studyID); err != nil {
			return err
		}
		for _, sg := range clean {
			if _, err := enqueue(ctx, s, studyID, sg); err != nil {
				return err
			}
		}
		t, err = claim(ctx, s, studyID, worker)
		return err
	})
	return t, err
}

// Claim implements trials.Writer.
func (d *DB) Claim(ctx context.Context, studyID int64, worker string) (trials.Trial, error) {
	var t trials.Trial
	err := d.write(ctx, "claim trial", func(ctx context.Context, s *session) (err error) {
		if err := needStudy(ctx, s, studyID); err != nil {
			return err
		}
		t, err = claim(ctx, s, studyID, worker)
		return err
	})
	return t, err
}

// claim takes the waiting trial with the lowest number.
func claim(ctx context.Context, s *session, studyID int64, worker string) (trials.Trial, error) {
	var id int64
	err := s.one(ctx, `SELECT trial_id FROM trials WHERE study_id = ? AND state IN ('RUNNING', 'WAITING') AND state = 'WAITING'
		ORDER BY number LIMIT 1`, []any{studyID}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return trials.Trial{}, trials.ErrNoneWaiting
	}
	if err != nil {
		return trials.Trial{}, err
	}
	now := optuna.FormatTime(trials.Now())
	if err := s.exec(ctx, "UPDATE trials SET state = 'RUNNING', datetime_start = ? WHERE trial_id = ?", now, id); err != nil {
		return trials.Trial{}, err
	}
	err = s.exec(ctx, `INSERT INTO mapsweep_attempts (trial_id, number, worker, started)
		SELECT ?1, COALESCE(MAX(number), 0) + 1, ?2, ?3 FROM mapsweep_attempts WHERE trial_id = ?1`, id, worker, now)
	if err != nil {
		return trials.Trial{}, err
	}
	if err := beat(ctx, s, id, now); err != nil {
		return trials.Trial{}, err
	}
	return oneTrial(ctx, s, id)
}

// Requeue implements trials.Writer.
func (d *DB) Requeue(ctx context.Context, trialID int64, outcome, reason string) error {
	return d.write(ctx, "requeue trial", func(ctx context.Context, s *session) error {
		at, err := where(ctx, s, trialID)
		if err != nil {
			return err
		}
		if at.state != trials.Running {
			return fmt.Errorf("trial %d: %w", at.number, trials.ErrNotRunning)
		}
		ended, err := attemptEnd(ctx, s, trialID, outcome, trials.Now())
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
	})
}
