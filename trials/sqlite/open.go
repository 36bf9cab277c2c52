package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"

	"github.com/mapsweep/mapsweep/trials"
)

// DB is an open database. Its methods may be called by several goroutines at once.
type DB struct {
	path    string
	reader  *session
	writer  *session    // nil if read-only
	file    os.FileInfo // the file that was opened for writing; nil if read-only
	cache   cache
	closing sync.Once
	// patience is how long a write waits for other processes.
	patience time.Duration

	durability Durability // of finished trials
	handing    sync.Mutex
	hands      map[int64]hand // by trial; under handing
}

var (
	_ trials.Store = (*DB)(nil)
	_ trials.Guard = (*DB)(nil)
)

// Open opens the database at path for reading and writing; a missing file and its
// directory are created, and a database of Optuna's gets our tables beside its own.
// Nothing is changed in a file that is refused: trials.ErrNotOurs for another kind of
// file or database, trials.ErrNewer for one of a later schema, trials.ErrCorrupt,
// trials.ErrReadOnly, trials.ErrDiskFull.
func Open(ctx context.Context, path string, options ...Option) (*DB, error) {
	d, err := newDB(path)
	if err == nil {
		for _, set := range options {
			set(d)
		}
		err = d.open(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return d, nil
}

func (d *DB) open(ctx context.Context) (err error) {
	if err := os.MkdirAll(filepath.Dir(d.path), 0o777); err != nil {
		return fmt.Errorf("%w: %w", trials.ErrReadOnly, err)
	}
	if err := checkHeader(d.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := checkLog(d.path); err != nil {
		return err
	}
	err = d.retry(ctx, func() (err error) { // setting up reads the file, which others may be recovering
		d.writer, err = newSession(ctx, d.dsn("rwc", "_foreign_keys=1&_busy_timeout=100&_synchronous=NORMAL"))
		return err
	})
	if err != nil {
		return d.explain(err)
	}
	if err := d.start(ctx); err != nil {
		d.Close()
		return d.explain(err)
	}
	err = d.retry(ctx, func() (err error) {
		d.reader, err = newSession(ctx, d.dsn("rw", "_query_only=1&"+busyTimeout(min(d.patience, readPatience))))
		return err
	})
	if err != nil {
		d.Close()
		return d.explain(err)
	}
	if d.file, err = os.Stat(d.path); err != nil {
		d.Close()
		return err
	}
	return nil
}

// Alive implements trials.Guard: it compares the file at the path with the one that was opened.
// A path that cannot be looked at for another reason (a network that stalls) is left to the next write.
func (d *DB) Alive(context.Context) error {
	if d.file == nil {
		return nil
	}
	now, err := os.Stat(d.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("database %s was deleted or moved while it was in use: %w: what was recorded in it is lost unless the file was only moved", d.path, trials.ErrGone)
	case err == nil && !os.SameFile(d.file, now):
		return fmt.Errorf("database %s was replaced by another file while it was in use: %w: what was recorded in the old one is lost unless it was only moved", d.path, trials.ErrGone)
	}
	return nil
}

// start checks whose database it is and lays missing tables.
func (d *DB) start(ctx context.Context) error {
	var found content
	err := d.retry(ctx, func() (err error) {
		found, err = d.inspect(ctx, d.writer)
		return err
	})
	if err != nil {
		return err
	}
	if err := d.setWAL(ctx); err != nil {
		return err
	}
	// Pages of 4 KiB: the log is copied back after 16 MB, and 16 MB of the file are kept in memory.
	if _, err := d.writer.conn.ExecContext(ctx, "PRAGMA wal_autocheckpoint=4000; PRAGMA cache_size=-16000"); err != nil || found.complete() {
		return err
	}
	return d.transact(ctx, Full, func(ctx context.Context, s *session) error { return d.layTables(ctx, s) })
}

// setWAL switches to a write-ahead log, which Optuna is content with. A file system
// that cannot do it keeps its journal: slower, and just as safe.
func (d *DB) setWAL(ctx context.Context) error {
	return d.retry(ctx, func() error {
		var mode string
		return d.writer.conn.QueryRowContext(ctx, "PRAGMA journal_mode=WAL").Scan(&mode)
	})
}

// OpenReadOnly opens an existing database for reading: it changes nothing, lays no
// tables, and works on a read-only disk. Writing methods return trials.ErrReadOnly.
// The error matches fs.ErrNotExist if there is no such file; otherwise as Open.
func OpenReadOnly(ctx context.Context, path string) (*DB, error) {
	d, err := newDB(path)
	if err == nil {
		err = d.openReadOnly(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return d, nil
}

func (d *DB) openReadOnly(ctx context.Context) error {
	if err := checkLog(d.path); err != nil {
		return err
	}
	if err := checkHeader(d.path); err != nil {
		return err
	}
	err := d.tryReadOnly(ctx, d.dsn("ro", busyTimeout(min(d.patience, readPatience))))
	if cannotOpen(err) && !hasLog(d.path) {
		// On a read-only disk a database with a write-ahead log opens only as one that nobody changes.
		err = d.tryReadOnly(ctx, d.dsn("ro", "immutable=1"))
	}
	return d.explain(err)
}

// tryReadOnly opens the reading connection. What is missing in a pure Optuna database, or
// in one of an older version of ours, has stand-ins there, so that every query finds its tables.
func (d *DB) tryReadOnly(ctx context.Context, dsn string) error {
	s, err := newSession(ctx, dsn)
	if err != nil {
		return err
	}
	if err := d.standIn(ctx, s); err != nil {
		_ = s.close()
		return err
	}
	d.reader = s
	return nil
}

func newDB(path string) (*DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return &DB{path: abs, patience: patience, cache: cache{views: map[int64]*view{}}, durability: Full, hands: map[int64]hand{}}, nil
}

// Path is the file's absolute path.
func (d *DB) Path() string { return d.path }

// Close closes the connections, after a write that is under way. The last process to
// close folds the write-ahead log into the file. A second call does nothing.
func (d *DB) Close() error {
	var err error
	d.closing.Do(func() { err = d.close() })
	return err
}

func (d *DB) close() error {
	var errs []error
	for _, s := range []*session{d.reader, d.writer} {
		if s != nil {
			s.lock <- struct{}{}
			errs = append(errs, s.close())
			<-s.lock
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close database: %w", d.explain(err))
	}
	return nil
}

// dsn is the file's URI with an access mode (ro, rw, rwc) and further options.
func (d *DB) dsn(mode, options string) string {
	u := url.URL{Scheme: "file", Path: d.path, RawQuery: "mode=" + mode + "&" + options}
	return u.String()
}

// busyTimeout is the option by which SQLite itself waits for a lock.
func busyTimeout(d time.Duration) string { return fmt.Sprintf("_busy_timeout=%d", d.Milliseconds()) }

// checkHeader refuses files that are no SQLite database; an empty file may become one.
func checkHeader(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: %w", trials.ErrReadOnly, err)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || st.IsDir() {
		return errors.Join(err, fmt.Errorf("%s is a directory: name a file in it: %w", path, trials.ErrNotOurs))
	}
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	if n == 0 && errors.Is(err, io.EOF) {
		return nil
	}
	if !bytes.Equal(head, []byte("SQLite format 3\x00")) {
		return fmt.Errorf("%s is no SQLite database: %w: name another file", path, trials.ErrNotOurs)
	}
	return nil
}

// checkLog refuses a write-ahead log whose database is missing or empty: SQLite would begin a new database and delete
// the log, and with it the last commits of the one that was there.
func checkLog(path string) error {
	st, err := os.Stat(path)
	if err == nil && st.Size() > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) || !hasLog(path) {
		return nil
	}
	return fmt.Errorf("database %s is missing or empty, but its log %s-wal is there: %w: put the database back beside its log, or, if it is not wanted any more, delete %s-wal",
		path, path, trials.ErrGone, path)
}

// hasLog says whether a write-ahead log with content lies beside the file.
func hasLog(path string) bool {
	st, err := os.Stat(path + "-wal")
	return err == nil && st.Size() > 0
}
