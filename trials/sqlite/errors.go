package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"github.com/mapsweep/mapsweep/trials"
)

// explain turns SQLite's errors into one of trials' sentinels with the file and
// what to do about it; other errors pass unchanged.
func (d *DB) explain(err error) error {
	var se sqlite3.Error
	if !errors.As(err, &se) {
		return err
	}
	dir := filepath.Dir(d.path)
	switch se.Code {
	case sqlite3.ErrFull:
		return d.wrap(trials.ErrDiskFull, se, "free space in "+dir+" and run the same command again: everything recorded before is kept")
	case sqlite3.ErrReadonly, sqlite3.ErrPerm, sqlite3.ErrAuth:
		return d.wrap(trials.ErrReadOnly, se, "make the file and its directory "+dir+" writable, or name another file")
	case sqlite3.ErrCantOpen:
		return d.wrap(trials.ErrReadOnly, se, "check that "+dir+" exists and that you may create files in it, or name another file")
	case sqlite3.ErrCorrupt:
		return d.wrap(trials.ErrCorrupt, se, "keep a copy, then save what is left with: sqlite3 "+d.path+" .recover | sqlite3 saved.db")
	case sqlite3.ErrNotADB:
		return d.wrap(trials.ErrNotOurs, se, "name another file")
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return d.wrap(trials.ErrBusy, se, "another process keeps it locked: end that process (lsof "+d.path+" names it), or run the same command again when it has finished")
	case sqlite3.ErrIoErr:
		if limited(se.SystemErrno) {
			return d.wrap(trials.ErrDiskFull, se, "the file may not grow further: raise the quota or the limit of file sizes (ulimit -f), or free space in "+dir+
				", and run the same command again: everything recorded before is kept")
		}
		return fmt.Errorf("database %s: %w (code %d): check the disk and run the same command again", d.path, se, se.ExtendedCode)
	}
	return fmt.Errorf("database %s: %w", d.path, se)
}

func (d *DB) wrap(kind error, cause sqlite3.Error, advice string) error {
	return fmt.Errorf("database %s: %w (%w): %s", d.path, kind, cause, advice)
}

// limited says that the system refused a write because the file or its owner has reached a limit, and not the disk its end.
func limited(errno syscall.Errno) bool {
	return errno == syscall.EFBIG || errno == syscall.EDQUOT || errno == syscall.ENOSPC
}

// busy says that another connection holds the lock that err was refused for.
func busy(err error) bool {
	var se sqlite3.Error
	return errors.As(err, &se) && (se.Code == sqlite3.ErrBusy || se.Code == sqlite3.ErrLocked)
}

// cannotOpen says that SQLite could not open or write the file or its companions.
func cannotOpen(err error) bool {
	var se sqlite3.Error
	return errors.As(err, &se) && (se.Code == sqlite3.ErrCantOpen || se.Code == sqlite3.ErrReadonly)
}
