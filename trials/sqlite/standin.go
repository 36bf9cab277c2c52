package sqlite

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

var (
	//go:embed readonly.sql
	viewLog string
	//go:embed readonly1.sql
	viewVersion1 string
)

// standIn gives a connection that only reads what the file lacks, so that every query finds its tables.
func (d *DB) standIn(ctx context.Context, s *session) error {
	schema, err := s.schema(ctx) // before: a change between the two is noticed next time
	if err != nil {
		return err
	}
	found, err := d.inspect(ctx, s)
	if err == nil && !found.optuna {
		err = fmt.Errorf("database %s is empty: %w", d.path, trials.ErrNotOurs)
	}
	if err == nil {
		_, err = s.conn.ExecContext(ctx, standIns(found))
	}
	if err == nil {
		d.cache.unlogged, d.cache.schema = !found.complete(), schema
	}
	return err
}

// standIns are statements for a reading connection that let a file of what was found look complete, without changing it.
func standIns(found content) string {
	switch {
	case found.version == 0:
		tables, _, _ := strings.Cut(strings.ReplaceAll(schema, "CREATE TABLE", "CREATE TEMP TABLE"), "CREATE TEMP TABLE mapsweep_log")
		return tables + viewLog
	case found.version == 1:
		return viewVersion1 + viewLog
	case !found.hung:
		return viewLog
	}
	return ""
}

// renew replaces the stand-ins when another process has changed the tables, as one does that opens the file for
// writing: they would hide the ones that it has laid. The caller holds the reader.
func (d *DB) renew(ctx context.Context) error {
	if !d.cache.unlogged {
		return nil
	}
	s, calm := d.reader, context.WithoutCancel(ctx)
	schema, err := s.schema(calm)
	if err != nil || schema == d.cache.schema {
		return err
	}
	drops, err := s.texts(calm, `SELECT 'DROP ' || type || ' temp."' || name || '"' FROM sqlite_temp_master WHERE type IN ('table', 'view')`)
	if err != nil {
		return err
	}
	d.cache.schema = -1 // until it is known to be whole again
	if _, err := s.conn.ExecContext(calm, strings.Join(drops, ";")); err != nil {
		return err
	}
	clear(d.cache.views)
	return d.standIn(calm, s)
}

// schema reads a number that changes with every change of the file's tables.
func (s *session) schema(ctx context.Context) (version int64, err error) {
	err = s.conn.QueryRowContext(ctx, "PRAGMA main.schema_version").Scan(&version)
	return version, err
}
