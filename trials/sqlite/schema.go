package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"slices"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/internal/optuna"
)

var (
	//go:embed schema.sql
	schema string
	//go:embed triggers.sql
	triggers string
)

// schemaVersion is the version of our own tables. A change of schema.sql raises it
// and adds a migration to migrations.
const schemaVersion = 2

// hung are the objects of triggers.sql: without one of them the log may have gaps.
var hung = []string{"mapsweep_log_study", "mapsweep_open", "mapsweep_finished", "mapsweep_added", "mapsweep_trial_deleted", "mapsweep_study_deleted"}

// content is what inspect found in a file.
type content struct {
	optuna  bool // Optuna's tables
	version int  // of our tables; 0: none
	hung    bool // all of triggers.sql
}

func (c content) complete() bool { return c.optuna && c.version == schemaVersion && c.hung }

// inspect says what the file holds, without changing it, and refuses what is not for us.
func (d *DB) inspect(ctx context.Context, s *session) (content, error) {
	var c content
	tables, err := s.texts(ctx, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	if err != nil || len(tables) == 0 {
		return c, err
	}
	for _, name := range optuna.Tables {
		if !slices.Contains(tables, name) {
			return c, fmt.Errorf("database %s has tables of another program (no table %q): %w: name another file", d.path, name, trials.ErrNotOurs)
		}
	}
	c.optuna = true
	if err := d.checkOptuna(ctx, s, tables); err != nil {
		return c, err
	}
	if !slices.Contains(tables, "mapsweep_schema") {
		return c, nil
	}
	var version int
	err = s.conn.QueryRowContext(ctx, "SELECT version FROM mapsweep_schema").Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return c, fmt.Errorf("database %s: table mapsweep_schema is empty: %w", d.path, trials.ErrCorrupt)
	}
	if err != nil {
		return c, err
	}
	if version > schemaVersion {
		return c, fmt.Errorf("database %s has schema %d, this mapsweep knows %d: %w: install that version, or name another file",
			d.path, version, schemaVersion, trials.ErrNewer)
	}
	c.version = version
	objects, err := s.texts(ctx, "SELECT name FROM sqlite_master WHERE type IN ('index', 'trigger')")
	c.hung = !slices.ContainsFunc(hung, func(name string) bool { return !slices.Contains(objects, name) })
	return c, err
}

// checkOptuna refuses schemas before and after the one we write.
func (d *DB) checkOptuna(ctx context.Context, s *session, tables []string) error {
	var version int
	err := s.conn.QueryRowContext(ctx, "SELECT schema_version FROM version_info").Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("database %s: Optuna's table version_info is empty: %w", d.path, trials.ErrNotOurs)
	}
	if err != nil {
		return err
	}
	var revisions []string
	if slices.Contains(tables, "alembic_version") {
		if revisions, err = s.texts(ctx, "SELECT version_num FROM alembic_version"); err != nil {
			return err
		}
	}
	old := version < optuna.SchemaVersion || slices.ContainsFunc(revisions, optuna.Older)
	if old {
		return fmt.Errorf("database %s was written by an old Optuna: %w: first run: optuna storage upgrade --storage sqlite:///%s",
			d.path, trials.ErrNotOurs, d.path)
	}
	other := func(r string) bool { return r != optuna.Revision }
	if version > optuna.SchemaVersion || slices.ContainsFunc(revisions, other) {
		return fmt.Errorf("database %s was written by an Optuna newer than %s: %w: update mapsweep, or name another file",
			d.path, optuna.LibraryVersion, trials.ErrNewer)
	}
	return nil
}

// layTables makes what is missing, inside a transaction; another process may have been faster.
func (d *DB) layTables(ctx context.Context, s *session) error {
	found, err := d.inspect(ctx, s)
	if err != nil || found.complete() {
		return err
	}
	if !found.optuna {
		if _, err := s.conn.ExecContext(ctx, optuna.Schema); err != nil {
			return err
		}
		if err := s.exec(ctx, "INSERT INTO version_info VALUES (1, ?, ?)", optuna.SchemaVersion, optuna.LibraryVersion); err != nil {
			return err
		}
		if err := s.exec(ctx, "INSERT INTO alembic_version VALUES (?)", optuna.Revision); err != nil {
			return err
		}
	}
	switch {
	case found.version == 0:
		if _, err := s.conn.ExecContext(ctx, schema); err != nil {
			return err
		}
		if err := s.exec(ctx, "INSERT INTO mapsweep_schema VALUES (1, ?)", schemaVersion); err != nil {
			return err
		}
	case found.version < schemaVersion:
		if err := d.migrate(ctx, s, found.version); err != nil {
			return err
		}
	}
	_, err = s.conn.ExecContext(ctx, triggers)
	return err
}
