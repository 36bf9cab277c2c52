package sqlite

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/internal/optuna"
)

// standing is where a trial stands before a change.
type standing struct {
	number     int
	state      trials.State
	objectives int
	objective  string
	attempt    int // number of its last attempt, 0 if it never ran
}

func where(ctx context.Context, s *session, trialID int64) (standing, error) {
	var at standing
	var state, ours string
	var names sql.NullString
	err := s.one(ctx, `SELECT COALESCE(t.number, -1), t.state, COALESCE(m.objective, ''), a.value_json,
		(SELECT COUNT(*) FROM study_directions d WHERE d.study_id = t.study_id),
		(SELECT COALESCE(MAX(number), 0) FROM mapsweep_attempts p WHERE p.trial_id = t.trial_id)
		FROM trials t LEFT JOIN mapsweep_studies m USING (study_id)
		LEFT JOIN study_system_attributes a ON a.study_id = t.study_id AND a."key" = '`+optuna.MetricNames+`'
		WHERE t.trial_id = ?`, []any{trialID}, &at.number, &state, &ours, &names, &at.objectives, &at.attempt)
	if errors.Is(err, sql.ErrNoRows) {
		return at, fmt.Errorf("trial with ID %d: %w", trialID, trials.ErrNoTrial)
	}
	if err != nil {
		return at, err
	}
	var ok bool
	if at.state, ok = trials.ParseState(state); !ok {
		return at, fmt.Errorf("trial %d has the unknown state %q", at.number, state)
	}
	at.objective = objective(ours, names.String)
	return at, nil
}

// running is where for changes that need a running trial.
func running(ctx context.Context, s *session, trialID int64) (standing, error) {
	at, err := where(ctx, s, trialID)
	switch {
	case err != nil:
		return at, err
	case at.state.Finished():
		return at, fmt.Errorf("trial %d: %w", at.number, trials.ErrFinished)
	case at.state != trials.Running:
		return at, fmt.Errorf("trial %d: %w", at.number, trials.ErrNotRunning)
	}
	return at, nil
}

// Record implements trials.Writer.
func (d *DB) Record(ctx context.Context, trialID int64, m trials.Measurement) error {
	if err := m.Check(); err != nil {
		return fmt.Errorf("record measurement: %w", err)
	}
	return d.write(ctx, "record measurement", func(ctx context.Context, s *session) error {
		at, err := running(ctx, s, trialID)
		if err != nil {
			return err
		}
		if err := clearEpochs(ctx, s, trialID, m.Epoch, at.attempt); err != nil {
			return err
		}
		var date any
		if !m.At.IsZero() {
			date = optuna.FormatTime(m.At)
		}
		err = s.exec(ctx, "INSERT INTO mapsweep_epochs (trial_id, epoch, attempt, at) VALUES (?, ?, ?, ?)", trialID, m.Epoch, at.attempt, date)
		if err != nil {
			return err
		}
		for name, v := range m.Metrics {
			column, kind := optuna.EncodeValue(v)
			err := s.exec(ctx, "INSERT INTO mapsweep_measurements (trial_id, epoch, metric, value, value_type) VALUES (?, ?, ?, ?, ?)",
				trialID, m.Epoch, name, column, kind)
			if err != nil {
				return err
			}
		}
		v, ok := m.Metrics[at.objective]
		if !ok {
			return nil
		}
		column, kind := optuna.EncodeValue(v)
		return s.exec(ctx, "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type) VALUES (?, ?, ?, ?)",
			trialID, m.Epoch, column, kind)
	})
}

// clearEpochs removes the measurement of epoch, and later ones of earlier attempts.
func clearEpochs(ctx context.Context, s *session, trialID int64, epoch, attempt int) error {
	err := s.exec(ctx, `DELETE FROM trial_intermediate_values WHERE trial_id = ?1 AND (step = ?2 OR step > ?2 AND step IN
		(SELECT epoch FROM mapsweep_epochs WHERE trial_id = ?1 AND epoch > ?2 AND attempt < ?3))`, trialID, epoch, attempt)
	if err != nil {
		return err
	}
	const stale = "trial_id = ?1 AND (epoch = ?2 OR epoch > ?2 AND attempt < ?3)"
	err = s.exec(ctx, "DELETE FROM mapsweep_measurements WHERE trial_id = ?1 AND epoch IN (SELECT epoch FROM mapsweep_epochs WHERE "+stale+")", trialID, epoch, attempt)
	if err != nil {
		return err
	}
	return s.exec(ctx, "DELETE FROM mapsweep_epochs WHERE "+stale, trialID, epoch, attempt)
}

// Heartbeat implements trials.Writer.
func (d *DB) Heartbeat(ctx context.Context, trialID int64) error {
	return d.write(ctx, "record heartbeat", func(ctx context.Context, s *session) error {
		if _, err := running(ctx, s, trialID); err != nil {
			return err
		}
		return beat(ctx, s, trialID, optuna.FormatTime(trials.Now()))
	})
}

func beat(ctx context.Context, s *session, trialID int64, now string) error {
	return s.exec(ctx, `INSERT INTO trial_heartbeats (trial_id, heartbeat) VALUES (?, ?)
		ON CONFLICT (trial_id) DO UPDATE SET heartbeat = excluded.heartbeat`, trialID, now)
}

// SetAttrs implements trials.Writer.
func (d *DB) SetAttrs(ctx context.Context, trialID int64, attrs map[string]json.RawMessage) error {
	if err := trials.CheckAttrs(attrs); err != nil {
		return fmt.Errorf("set attributes: %w", err)
	}
	return d.write(ctx, "set attributes", func(ctx context.Context, s *session) error {
		at, err := where(ctx, s, trialID)
		if err != nil {
			return err
		}
		if at.state.Finished() {
			err := s.exec(ctx, "INSERT INTO mapsweep_log (study_id, trial_id) SELECT study_id, trial_id FROM trials WHERE trial_id = ?", trialID)
			if err != nil {
				return err
			}
		}
		return saveAttrs(ctx, s, trialID, attrs)
	})
}

// saveAttrs writes attributes as Optuna's user attributes.
func saveAttrs(ctx context.Context, s *session, trialID int64, attrs map[string]json.RawMessage) error {
	for name, v := range attrs {
		err := s.exec(ctx, `INSERT INTO trial_user_attributes (trial_id, "key", value_json) VALUES (?, ?, ?)
			ON CONFLICT (trial_id, "key") DO UPDATE SET value_json = excluded.value_json`, trialID, name, string(v))
		if err != nil {
			return err
		}
	}
	return nil
}

// Finish implements trials.Writer.
func (d *DB) Finish(ctx context.Context, trialID int64, o trials.Outcome) error {
	return d.write(ctx, "finish trial", func(ctx context.Context, s *session) error {
		at, err := where(ctx, s, trialID)
		if err != nil {
			return err
		}
		if err := o.Check(at.objectives); err != nil {
			return fmt.Errorf("trial %d: %w", at.number, err)
		}
		if at.state.Finished() {
			return fmt.Errorf("trial %d: %w", at.number, trials.ErrFinished)
		}
		told, finished := trials.Trial{Attrs: o.Attrs}, trials.Now()
		ended, err := attemptEnd(ctx, s, trialID, told.Text(trials.AttrClass), finished)
		if err != nil {
			return err
		}
		now := optuna.FormatTime(finished)
		err = s.exec(ctx, "UPDATE trials SET state = ?1, datetime_start = COALESCE(datetime_start, ?2), datetime_complete = ?2 WHERE trial_id = ?3",
			o.State.String(), now, trialID)
		if err != nil {
			return err
		}
		for i, v := range o.Scores() {
			column, kind := optuna.EncodeValue(v)
			err := s.exec(ctx, "INSERT OR REPLACE INTO trial_values (trial_id, objective, value, value_type) VALUES (?, ?, ?, ?)", trialID, i, column, kind)
			if err != nil {
				return err
			}
		}
		if violations := o.Violations(); len(violations) > 0 {
			text, err := optuna.EncodeConstraints(violations)
			if err != nil {
				return err
			}
			err = s.exec(ctx, `INSERT INTO trial_system_attributes (trial_id, "key", value_json) VALUES (?1, ?2, ?3)
				ON CONFLICT (trial_id, "key") DO UPDATE SET value_json = ?3`, trialID, optuna.Constraints, text)
			if err != nil {
				return err
			}
		}
		if err := saveAttrs(ctx, s, trialID, o.Attrs); err != nil {
			return err
		}
		return endAttempt(ctx, s, trialID, trials.OutcomeName(o.State), told.Text(trials.AttrReason), optuna.FormatTime(ended))
	})
}

// attemptEnd is when the open attempt ended that is closed now: that of a vanished worker ended before. what is an outcome or a class.
func attemptEnd(ctx context.Context, s *session, trialID int64, what string, now time.Time) (time.Time, error) {
	if what != trials.ClassLost {
		return now, nil
	}
	t, err := oneTrial(ctx, s, trialID)
	if err != nil {
		return now, err
	}
	return t.LostAt(now), nil
}

// endAttempt closes the open attempt, if there is one.
func endAttempt(ctx context.Context, s *session, trialID int64, outcome, reason, ended string) error {
	return s.exec(ctx, "UPDATE mapsweep_attempts SET ended = ?, outcome = ?, reason = ? WHERE trial_id = ? AND ended IS NULL",
		ended, outcome, reason, trialID)
}

// Attach implements trials.Writer. Data that gzip makes smaller is stored compressed.
func (d *DB) Attach(ctx context.Context, trialID int64, a trials.Artifact) error {
	if a.Name == "" {
		return fmt.Errorf("attach artifact: %w: it needs a name", trials.ErrInvalid)
	}
	data, encoding, err := compress(a.Data)
	if err != nil {
		return fmt.Errorf("attach artifact %q: %w", a.Name, err)
	}
	return d.write(ctx, "attach artifact", func(ctx context.Context, s *session) error {
		if _, err := where(ctx, s, trialID); err != nil {
			return err
		}
		return s.exec(ctx, `INSERT INTO mapsweep_artifacts (trial_id, name, media_type, encoding, size, data) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (trial_id, name) DO UPDATE SET media_type = excluded.media_type, encoding = excluded.encoding,
			size = excluded.size, data = excluded.data`, trialID, a.Name, a.MediaType, encoding, len(a.Data), data)
	})
}

// compress packs data with gzip where that makes it smaller.
func compress(data []byte) (packed []byte, encoding string, err error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		return nil, "", err
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	if b.Len() >= len(data) {
		return append([]byte{}, data...), "identity", nil
	}
	return b.Bytes(), "gzip", nil
}

// Artifact implements trials.Reader.
func (d *DB) Artifact(ctx context.Context, trialID int64, name string) (trials.Artifact, error) {
	a := trials.Artifact{Name: name}
	var encoding string
	var packed []byte
	found := false
	err := d.read(ctx, "read artifact", func(ctx context.Context, q *session) error {
		err := each(ctx, q, func(r *sql.Rows) error {
			found = true
			return r.Scan(&a.MediaType, &encoding, &packed)
		}, "SELECT media_type, encoding, data FROM mapsweep_artifacts WHERE trial_id = ? AND name = ?", trialID, name)
		if err == nil && !found {
			err = fmt.Errorf("%q of trial with ID %d: %w", name, trialID, trials.ErrNoArtifact)
		}
		return err
	})
	if err != nil {
		return trials.Artifact{}, err
	}
	if a.Data, err = expand(packed, encoding); err != nil {
		return trials.Artifact{}, fmt.Errorf("read artifact %q of trial with ID %d: %w", name, trialID, err)
	}
	return a, nil
}

func expand(packed []byte, encoding string) ([]byte, error) {
	switch encoding {
	case "identity":
		return append([]byte{}, packed...), nil
	case "gzip":
		r, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	}
	return nil, fmt.Errorf("unknown encoding %q: %w", encoding, trials.ErrNewer)
}
