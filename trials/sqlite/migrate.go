package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed migrate2.sql
var migrate2 string

// migrations bring our tables from the version of their index + 1 to the next one.
var migrations = [schemaVersion - 1]string{migrate2}

// migrate brings our tables forward inside a transaction, after a backup of the file as it is: a crash leaves the old
// file or the new one.
func (d *DB) migrate(ctx context.Context, s *session, version int) error {
	if err := d.backup(ctx, version+1); err != nil {
		return fmt.Errorf("back up database %s before its schema changes: %w", d.path, err)
	}
	for _, text := range migrations[version-1:] {
		if _, err := s.conn.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("bring schema %d forward: %w", version, err)
		}
	}
	return nil
}

// backup writes NAME.before-schema-N beside the file, or with a number behind if there is one: no backup is ever
// overwritten. The caller holds the write lock, so that nothing changes meanwhile.
func (d *DB) backup(ctx context.Context, version int) error {
	db, err := sql.Open("sqlite3", d.dsn("ro", "_busy_timeout=10000"))
	if err != nil {
		return err
	}
	defer db.Close()
	name := fmt.Sprintf("%s.before-schema-%d", d.path, version)
	part := name + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a process that died here
		return err
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", part); err != nil {
		_ = os.Remove(part)
		return err
	}
	if err := flush(part); err != nil {
		return err
	}
	free := name
	for i := 2; ; i++ {
		if _, err := os.Lstat(free); errors.Is(err, fs.ErrNotExist) {
			break
		}
		free = fmt.Sprintf("%s.%d", name, i)
	}
	if err := os.Rename(part, free); err != nil {
		return err
	}
	return flush(filepath.Dir(free))
}

// flush brings a file or directory to the disk, which VACUUM INTO leaves to the system.
func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
