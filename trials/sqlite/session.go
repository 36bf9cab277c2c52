package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// How long a write, and at most how long a read, waits for other processes.
const (
	patience     = 60 * time.Second
	readPatience = 10 * time.Second
)

// querier runs a SELECT: on the writing connection or in a reading transaction.
type querier interface {
	query(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// session is one connection with its prepared statements. It is not safe for several goroutines.
type session struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func (s *session) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if st := s.stmts[text]; st != nil {
		return st, nil
	}
	st, err := s.conn.PrepareContext(ctx, text)
	if err == nil {
		s.stmts[text] = st
	}
	return st, err
}

func (s *session) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st, err := s.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// exec runs a statement and returns an error only.
func (s *session) exec(ctx context.Context, text string, args ...any) error {
	_, err := s.insert(ctx, text, args...)
	return err
}

// insert runs a statement and returns the ID of the row that it inserted.
func (s *session) insert(ctx context.Context, text string, args ...any) (int64, error) {
	st, err := s.prepare(ctx, text)
	if err != nil {
		return 0, err
	}
	r, err := st.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

// one reads a single row into dest; sql.ErrNoRows if there is none.
func (s *session) one(ctx context.Context, text string, args []any, dest ...any) error {
	st, err := s.prepare(ctx, text)
	if err != nil {
		return err
	}
	return st.QueryRowContext(ctx, args...).Scan(dest...)
}

// texts reads a column of texts.
func (s *session) texts(ctx context.Context, text string) ([]string, error) {
	rows, err := s.conn.QueryContext(ctx, text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var t string
		if err := rows.Scan(&t); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, rows.Err()
}

func (s *session) close() error {
	var errs []error
	for _, st := range s.stmts {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, s.conn.Close())...)
}

// write runs do in one writing transaction and names what in its error.
func (d *DB) write(ctx context.Context, what string, do func(context.Context, *session) error) error {
	if d.session == nil {
		return fmt.Errorf("%s: database %s was opened for reading only: %w", what, d.path, trials.ErrReadOnly)
	}
	if err := d.transact(ctx, do); err != nil {
		return fmt.Errorf("%s: %w", what, d.explain(err))
	}
	return nil
}

// transact takes the connection and the file's write lock, both for as long as ctx
// allows, and runs do. From there on ctx no longer interrupts: a transaction holds
// wholly or not at all, and its caller learns which.
func (d *DB) transact(ctx context.Context, do func(context.Context, *session) error) error {
	select {
	case d.lock <- struct{}{}:
		defer func() { <-d.lock }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s, calm := d.session, context.WithoutCancel(ctx)
	if err := d.retry(ctx, func() error { return s.exec(calm, "BEGIN IMMEDIATE") }); err != nil {
		return err
	}
	err := do(calm, s)
	if err == nil {
		err = d.retry(calm, func() error { return s.exec(calm, "COMMIT") })
	}
	if err != nil {
		_ = s.exec(calm, "ROLLBACK") // fails if SQLite has rolled back by itself, which is as good
	}
	return err
}

// retry repeats do while another process holds the lock, until patience or ctx ends.
func (d *DB) retry(ctx context.Context, do func() error) error {
	deadline := time.Now().Add(d.patience)
	for {
		err := do()
		if !busy(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// snapshot is a reading transaction: all its queries see one state of the file.
type snapshot struct{ tx *sql.Tx }

func (s snapshot) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return s.tx.QueryContext(ctx, text, args...)
}

// read runs do in one reading transaction and names what in its error.
func (d *DB) read(ctx context.Context, what string, do func(snapshot) error) error {
	tx, err := d.readers.BeginTx(ctx, nil)
	if err == nil {
		err = do(snapshot{tx})
		_ = tx.Rollback() // nothing was written
	}
	if err != nil {
		if cause := ctx.Err(); cause != nil {
			err = cause
		}
		return fmt.Errorf("%s: %w", what, d.explain(err))
	}
	return nil
}

// each scans every row that a query finds.
func each(ctx context.Context, q querier, scan func(*sql.Rows) error, text string, args ...any) error {
	rows, err := q.query(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
