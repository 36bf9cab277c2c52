package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/internal/optuna"
)

// OpenPatient is Open with another patience.
func OpenPatient(ctx context.Context, path string, patience time.Duration) (*DB, error) {
	return patiently(ctx, path, patience, (*DB).open)
}

// OpenReadOnlyPatient is OpenReadOnly with another patience.
func OpenReadOnlyPatient(ctx context.Context, path string, patience time.Duration) (*DB, error) {
	return patiently(ctx, path, patience, (*DB).openReadOnly)
}

func patiently(ctx context.Context, path string, patience time.Duration, open func(*DB, context.Context) error) (*DB, error) {
	d, err := newDB(path)
	if err != nil {
		return nil, err
	}
	d.patience = patience
	return d, open(d, ctx)
}

// LimitPages lets the file grow by at most n more pages of 4096 bytes, as a full disk would; n < 0 lifts the limit.
func (d *DB) LimitPages(ctx context.Context, n int) error {
	limit := int64(1) << 30
	if n >= 0 {
		var pages int64
		if err := d.writer.one(ctx, "PRAGMA page_count", nil, &pages); err != nil {
			return err
		}
		limit = pages + int64(n)
	}
	_, err := d.writer.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", limit))
	return err
}

// StartAsking is what Open does to a file before it reads it, with ask called at every point where SQLite is about to compile
// a part of a statement, and before each commit: between any two statements at least once. What ask refuses fails.
func StartAsking(ctx context.Context, path string, ask func() bool) (err error) {
	d, err := newDB(path)
	if err != nil {
		return err
	}
	if d.writer, err = newSession(ctx, d.dsn("rwc", "_foreign_keys=1&_busy_timeout=100&_synchronous=NORMAL")); err != nil {
		return err
	}
	err = d.writer.conn.Raw(func(c any) error {
		c.(*sqlite3.SQLiteConn).RegisterAuthorizer(func(op int, _, _, _ string) int {
			// SQLite may not be refused the end of a transaction, which its own recovery needs.
			if !ask() && op != sqlite3.SQLITE_TRANSACTION {
				return sqlite3.SQLITE_DENY
			}
			return sqlite3.SQLITE_OK
		})
		c.(*sqlite3.SQLiteConn).RegisterCommitHook(func() int {
			if !ask() {
				return 1
			}
			return 0
		})
		return nil
	})
	if err == nil {
		err = d.start(ctx)
	}
	return errors.Join(err, d.Close())
}

// CountCommits calls count at every commit of the writing connection from now on.
func (d *DB) CountCommits(count func()) error {
	return d.writer.conn.Raw(func(c any) error {
		c.(*sqlite3.SQLiteConn).RegisterCommitHook(func() int { count(); return 0 })
		return nil
	})
}

// Prefill writes n finished trials in one transaction, as their whole lives would have.
func (d *DB) Prefill(ctx context.Context, studyID int64, n int, suggest func(int) trials.Suggestion) error {
	return d.write(ctx, "prefill", func(ctx context.Context, s *session) error {
		f, err := s.study(ctx, studyID)
		for i := 0; i < n && err == nil; i++ {
			err = prefill(ctx, s, studyID, f, suggest(i))
		}
		return err
	})
}

func prefill(ctx context.Context, s *session, studyID int64, f *facts, sg trials.Suggestion) error {
	sg, err := sg.Clean()
	if err != nil {
		return err
	}
	t, _, err := enqueue(ctx, s, studyID, f, sg, &start{worker: "host/1/0", at: trials.Now()})
	if err != nil {
		return err
	}
	delete(s.memo.running, t.ID)
	at, err := where(ctx, s, t.ID)
	if err != nil {
		return err
	}
	score := math.Mod(float64(t.Number)*0.618, 1)
	metrics := map[string]float64{f.objective: score, "mAP50": score, "precision": score, "recall": score, "loss/box": 1 - score}
	if err := saveMeasurement(ctx, s, t.ID, at, trials.Measurement{Epoch: 1, Metrics: metrics, At: trials.Now()}); err != nil {
		return err
	}
	now := optuna.FormatTime(trials.Now())
	if err := saveOutcome(ctx, s, t.ID, trials.Outcome{State: trials.Complete, Values: []float64{score}}, now); err != nil {
		return err
	}
	return endAttempt(ctx, s, t.ID, "complete", "", now)
}

// Flushes reads how the writing connection commits: 1 without a flush of the disk (normal), 2 with one (full).
func (d *DB) Flushes(ctx context.Context) (level int, err error) {
	err = d.writer.conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&level)
	return level, err
}
