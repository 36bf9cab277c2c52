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
	number  int
	state   trials.State
	attempt int // number of its last attempt, 0 if it never ran
	study   *facts
	known   *trials.Trial // all of it, if this process started it and nobody else has written since; else nil
}

// where finds a trial, and refuses one that the context holds no longer (trials.Holding).
func where(ctx context.Context, s *session, trialID int64) (standing, error) {
	at, open, err := stand(ctx, s, trialID)
	if err != nil {
		return at, err
	}
	if err := trials.CheckHold(ctx, trialID, at.state, open); err != nil {
		return at, fmt.Errorf("trial %d: %w", at.number, err)
	}
	return at, nil
}

// stand is where a trial stands, and the number of its attempt that has not ended (0: none).
func stand(ctx context.Context, s *session, trialID int64) (at standing, open int, err error) {
	if t := s.memo.running[trialID]; t != nil {
		f, err := s.study(ctx, t.StudyID)
		return standing{number: t.Number, state: t.State, attempt: len(t.Attempts), study: f, known: t}, t.Open(), err
	}
	var state string
	var studyID int64
	err = s.one(ctx, `SELECT COALESCE(t.number, -1), t.state, t.study_id,
		(SELECT COALESCE(MAX(number), 0) FROM mapsweep_attempts p WHERE p.trial_id = t.trial_id),
		(SELECT COALESCE(MAX(number), 0) FROM mapsweep_attempts p WHERE p.trial_id = t.trial_id AND p.ended IS NULL)
		FROM trials t WHERE t.trial_id = ?`, []any{trialID}, &at.number, &state, &studyID, &at.attempt, &open)
	if errors.Is(err, sql.ErrNoRows) {
		return at, 0, fmt.Errorf("trial with ID %d: %w", trialID, trials.ErrNoTrial)
	}
	if err != nil {
		return at, 0, err
	}
	var ok bool
	if at.state, ok = trials.ParseState(state); !ok {
		return at, 0, fmt.Errorf("trial %d has the unknown state %q", at.number, state)
	}
	at.study, err = s.study(ctx, studyID)
	return at, open, err
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
		if at.known == nil || !at.appends(m.Epoch) {
			delete(s.memo.running, trialID)
			at.known = nil
			if err := clearEpochs(ctx, s, trialID, m.Epoch, at.attempt); err != nil {
				return err
			}
		}
		if err := saveMeasurement(ctx, s, trialID, at, m); err != nil {
			return err
		}
		if at.known != nil {
			s.memo.measured(at.known, m)
		}
		return nil
	})
}

// appends says that nothing is stored of that epoch and of later ones.
func (at standing) appends(epoch int) bool {
	n := len(at.known.Measurements)
	return n == 0 || at.known.Measurements[n-1].Epoch < epoch
}

// saveMeasurement writes a measurement of which nothing is stored yet.
func saveMeasurement(ctx context.Context, s *session, trialID int64, at standing, m trials.Measurement) error {
	var date any
	if !m.At.IsZero() {
		date = optuna.FormatTime(m.At)
	}
	err := s.exec(ctx, "INSERT INTO mapsweep_epochs (trial_id, epoch, attempt, at) VALUES (?, ?, ?, ?)", trialID, m.Epoch, at.attempt, date)
	if err != nil {
		return err
	}
	if err := saveMetrics(ctx, s, trialID, m.Epoch, m.Metrics); err != nil {
		return err
	}
	v, ok := m.Metrics[at.study.objective]
	if !ok {
		return nil
	}
	column, kind := optuna.EncodeValue(v)
	return s.exec(ctx, "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type) VALUES (?, ?, ?, ?)",
		trialID, m.Epoch, column, kind)
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
		at, err := running(ctx, s, trialID)
		if err != nil {
			return err
		}
		now := trials.Now()
		if at.known != nil {
			at.known.Heartbeat = now
		}
		return beat(ctx, s, trialID, optuna.FormatTime(now))
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
		if at.known != nil {
			s.memo.set(at.known, attrs)
		}
		return saveAttrs(ctx, s, trialID, attrs)
	})
}

// Finish implements trials.Writer.
func (d *DB) Finish(ctx context.Context, trialID int64, o trials.Outcome) error {
	return d.end(ctx, "finish trial", trialID, o, func(ctx context.Context, s *session) (standing, error) {
		return where(ctx, s, trialID)
	})
}

// GiveUp implements trials.Writer.
func (d *DB) GiveUp(ctx context.Context, t trials.Trial, o trials.Outcome) error {
	return d.end(ctx, "give trial up", t.ID, o, func(ctx context.Context, s *session) (standing, error) {
		return silent(ctx, s, t)
	})
}

// end ends a trial if find allows it.
func (d *DB) end(ctx context.Context, what string, trialID int64, o trials.Outcome, find func(context.Context, *session) (standing, error)) error {
	var done *hand
	err := d.writeAt(ctx, what, d.durability, func(ctx context.Context, s *session) error {
		at, err := find(ctx, s)
		if err == nil {
			done, err = finish(ctx, s, trialID, at, o)
		}
		return err
	})
	if err == nil && done != nil {
		d.offer(*done)
	}
	return err
}

// finish ends a trial that has not ended, and gives the finished trial if all of it is known.
func finish(ctx context.Context, s *session, trialID int64, at standing, o trials.Outcome) (*hand, error) {
	if err := o.Check(at.study.objectives); err != nil {
		return nil, fmt.Errorf("trial %d: %w", at.number, err)
	}
	if at.state.Finished() {
		return nil, fmt.Errorf("trial %d: %w", at.number, trials.ErrFinished)
	}
	told, finished := trials.Trial{Attrs: o.Attrs}, trials.Now()
	class, reason := told.Text(trials.AttrClass), told.Text(trials.AttrReason)
	ended, err := attemptEnd(ctx, s, trialID, at.study, class, finished)
	if err != nil {
		return nil, err
	}
	if err := saveOutcome(ctx, s, trialID, o, optuna.FormatTime(finished)); err != nil {
		return nil, err
	}
	if err := endAttempt(ctx, s, trialID, trials.OutcomeName(o.State), reason, optuna.FormatTime(ended)); err != nil {
		return nil, err
	}
	if at.known == nil {
		return nil, nil
	}
	delete(s.memo.running, trialID)
	s.memo.finish(at.known, o, finished, ended, reason)
	done := &hand{trial: at.known}
	return done, s.one(ctx, "SELECT MAX(seq) FROM mapsweep_log", nil, &done.seq) // the entry that the trigger has just made
}

// saveOutcome writes how a trial ended.
func saveOutcome(ctx context.Context, s *session, trialID int64, o trials.Outcome, now string) error {
	err := s.exec(ctx, "UPDATE trials SET state = ?1, datetime_start = COALESCE(datetime_start, ?2), datetime_complete = ?2 WHERE trial_id = ?3",
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
	return saveAttrs(ctx, s, trialID, o.Attrs)
}

// attemptEnd is when the open attempt ended that is closed now: that of a vanished worker ended before. what is an outcome or a class.
func attemptEnd(ctx context.Context, s *session, trialID int64, f *facts, what string, now time.Time) (time.Time, error) {
	if what != trials.ClassLost {
		return now, nil
	}
	t, err := oneTrial(ctx, s, trialID, f)
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
