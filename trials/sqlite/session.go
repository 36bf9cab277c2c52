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

// session is one connection with its prepared statements. It is not safe for several goroutines: they take its lock.
type session struct {
	db    *sql.DB // of this connection alone
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	lock  chan struct{}
	memo  memo       // of the writer
	level Durability // PRAGMA synchronous of the writer, once it was set
}

// newSession opens a connection.
func newSession(ctx context.Context, dsn string) (*session, error) {
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return &session{db: db, conn: conn, stmts: map[string]*sql.Stmt{}, lock: make(chan struct{}, 1)}, nil
}

// hold takes the lock, or returns the error of ctx.
func (s *session) hold(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *session) release() { <-s.lock }

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
	return errors.Join(append(errs, s.conn.Close(), s.db.Close())...)
}

// write runs do in one writing transaction and names what in its error.
func (d *DB) write(ctx context.Context, what string, do func(context.Context, *session) error) error {
	return d.writeAt(ctx, what, Normal, do)
}

// writeAt is write with a durability of its own.
func (d *DB) writeAt(ctx context.Context, what string, level Durability, do func(context.Context, *session) error) error {
	if d.writer == nil {
		return fmt.Errorf("%s: database %s was opened for reading only: %w", what, d.path, trials.ErrReadOnly)
	}
	err := d.Alive(ctx) // else what is written would be lost without a word
	if err == nil {
		err = d.transact(ctx, level, do)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, d.explain(err))
	}
	return nil
}

// transact takes the connection and the file's write lock, both for as long as ctx
// allows, and runs do. From there on ctx no longer interrupts: a transaction holds
// wholly or not at all, and its caller learns which.
func (d *DB) transact(ctx context.Context, level Durability, do func(context.Context, *session) error) error {
	if err := d.writer.hold(ctx); err != nil {
		return err
	}
	defer d.writer.release()
	s, calm := d.writer, context.WithoutCancel(ctx)
	if err := s.sync(calm, level); err != nil {
		return err
	}
	if err := d.retry(ctx, func() error { return s.exec(calm, "BEGIN IMMEDIATE") }); err != nil {
		return err
	}
	err := s.recall(calm)
	if err == nil {
		err = do(calm, s)
	}
	if err == nil {
		err = d.retry(calm, func() error { return s.exec(calm, "COMMIT") })
	}
	if err != nil {
		s.memo.forget()
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

// read runs do in one reading transaction, whose queries see one state of the file, and names what in its error.
func (d *DB) read(ctx context.Context, what string, do func(context.Context, *session) error) error {
	err := d.reader.hold(ctx)
	if err == nil {
		defer d.reader.release()
		if err = d.renew(ctx); err == nil {
			err = d.look(ctx, do)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, d.explain(err))
	}
	return nil
}

// look runs do in a reading transaction; the caller holds the reader.
func (d *DB) look(ctx context.Context, do func(context.Context, *session) error) error {
	s, calm := d.reader, context.WithoutCancel(ctx)
	if err := s.exec(calm, "BEGIN"); err != nil {
		return err
	}
	err := do(ctx, s)
	_ = s.exec(calm, "ROLLBACK") // nothing was written
	if cause := ctx.Err(); err != nil && cause != nil {
		return cause
	}
	return err
}

// each scans every row that a query finds.
func each(ctx context.Context, q *session, scan func(*sql.Rows) error, text string, args ...any) error {
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
