package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/internal/optuna"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// version1 makes a file as version 1 of the schema had it: two trials that finished in the order 1, 0, both with one
// seed, a running and a waiting one.
func version1(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	const space = `[{"name":"lr0","kind":"float","low":0.001,"high":0.1,"log":true}]`
	statements := []string{"PRAGMA journal_mode=WAL", optuna.Schema, string(read(t, "testdata/schema1.sql")),
		"INSERT INTO version_info VALUES (1, 12, '5.0.0')", "INSERT INTO alembic_version VALUES ('v3.2.0.a')", "INSERT INTO mapsweep_schema VALUES (1, 1)",
		"INSERT INTO studies VALUES (1, 's')", "INSERT INTO study_directions VALUES (1, 'MAXIMIZE', 1, 0)",
		"INSERT INTO mapsweep_studies VALUES (1, 'mAP50-95', 'name: s', '{}', '{}', '2026-11-01 10:00:00.000000')",
		"INSERT INTO trials VALUES (1, 0, 1, 'COMPLETE', '2026-11-01 10:00:00.000000', '2026-11-01 10:09:00.000000'), (2, 1, 1, 'FAIL', '2026-11-01 10:00:00.000000', '2026-11-01 10:01:00.000000')," +
			"(3, 2, 1, 'RUNNING', '2026-11-01 10:10:00.000000', NULL), (4, 3, 1, 'WAITING', NULL, NULL)",
		"INSERT INTO trial_values VALUES (1, 1, 0, 0.25, 'FINITE')",
		"INSERT INTO mapsweep_epochs VALUES (1, 1, 1, NULL)", "INSERT INTO mapsweep_measurements VALUES (1, 1, 'mAP50-95', 0.25, 'FINITE'), (1, 1, 'loss/box', NULL, 'INF_POS')",
		"INSERT INTO trial_intermediate_values VALUES (1, 1, 1, 0.25, 'FINITE')",
		"INSERT INTO mapsweep_attempts VALUES (1, 1, 'w', '2026-11-01 10:00:00.000000', '2026-11-01 10:09:00.000000', 'complete', NULL)",
		"INSERT INTO mapsweep_changes VALUES (2, 3)"}
	for id := 1; id <= 4; id++ {
		statements = append(statements, fmt.Sprintf("INSERT INTO mapsweep_trials VALUES (%d, 1, 'k%d', '{\"lr0\": 0.0%d, \"box\": 7.5}', '%s')", id, id-1, id, space),
			fmt.Sprintf(`INSERT INTO trial_user_attributes (trial_id, "key", value_json) VALUES (%d, '%s', '7')`, id, trials.AttrSeed),
			fmt.Sprintf(`INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES (%d, 'lr0', 0.0%d, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}')`, id, id))
	}
	execute(t, path, append(statements, "UPDATE mapsweep_trials SET params = (SELECT params FROM mapsweep_trials WHERE trial_id = 1) WHERE trial_id = 2")...)
	return path
}

// schemaOf reads the version of our tables.
func schemaOf(t *testing.T, path string) (version int) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	must(t, err)
	defer db.Close()
	must(t, db.QueryRow("SELECT version FROM mapsweep_schema").Scan(&version))
	return version
}

// checkVersion1 reads what version1 wrote.
func checkVersion1(t *testing.T, d *sqlite.DB) []trials.Trial {
	t.Helper()
	all, err := d.Trials(t.Context(), 1)
	must(t, err)
	c, err := d.Changes(t.Context(), 1, 0)
	must(t, err)
	if len(all) != 4 || len(c.Log) != 2 || c.Log[0].Trial.Number != 1 || c.Log[1].Trial.Number != 0 || len(c.Open) != 2 || c.Trials != 4 {
		t.Fatalf("%d trials, changes %+v", len(all), c)
	}
	a := all[0]
	if a.Key != "k0" || a.Params["box"] != 7.5 || a.Values[0] != 0.25 || len(a.Measurements[0].Metrics) != 2 || a.Seed() != 7 || len(a.Attempts) != 1 ||
		len(a.Space) != 1 || !a.Space[0].Log || all[3].State != trials.Waiting {
		t.Errorf("trials: %+v", all)
	}
	return all
}

func TestMigrate(t *testing.T) {
	path := version1(t)
	before := read(t, path)
	ro, err := sqlite.OpenReadOnly(t.Context(), path)
	must(t, err)
	old := checkVersion1(t, ro)
	must(t, ro.Close())
	if backups, _ := filepath.Glob(path + ".*"); !bytes.Equal(read(t, path), before) || len(backups) != 0 {
		t.Fatalf("reading changed the file or left %v", backups)
	}
	d := openDB(t, path)
	if now := checkVersion1(t, d); !reflect.DeepEqual(now, old) {
		t.Errorf("migrated\n%+v\nwant\n%+v", now, old)
	}
	twin := trials.Suggestion{Key: "new", Params: old[0].Params, Attrs: old[0].Attrs}
	first, err := d.Enqueue(t.Context(), 1, twin) // trials of version 1 have no identity
	must(t, err)
	if first.Number != 4 {
		t.Errorf("number %d", first.Number)
	}
	must(t, d.Finish(t.Context(), 3, trials.Outcome{State: trials.Complete, Values: []float64{1}}))
	if c, err := d.Changes(t.Context(), 1, 2); err != nil || len(c.Log) != 1 || c.Log[0].Trial.Number != 2 {
		t.Errorf("after the migrated log: %+v, %v", c, err)
	}
	must(t, d.Close())
	backup := path + ".before-schema-2"
	if schemaOf(t, path) != 2 || schemaOf(t, backup) != 1 {
		t.Error("versions")
	}
	ro, err = sqlite.OpenReadOnly(t.Context(), backup)
	must(t, err)
	checkVersion1(t, ro)
	must(t, ro.Close())
	must(t, openDB(t, path).Close())
	if backups, _ := filepath.Glob(path + ".*"); !slices.Equal(backups, []string{backup}) {
		t.Errorf("after opening again: %v", backups)
	}
}

// TestMigrateFails: a migration that does not come to its end leaves the file as it was, and the next one works.
func TestMigrateFails(t *testing.T) {
	path := version1(t)
	execute(t, path, "CREATE TABLE mapsweep_log (x)") // in the way of the last step
	_, err := sqlite.Open(t.Context(), path)
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("got %v", err)
	}
	if schemaOf(t, path) != 1 {
		t.Error("half migrated")
	}
	execute(t, path, "DROP TABLE mapsweep_log")
	d := openDB(t, path)
	checkVersion1(t, d)
	must(t, d.Close())
	if schemaOf(t, path) != 2 || schemaOf(t, path+".before-schema-2") != 1 || schemaOf(t, path+".before-schema-2.2") != 1 {
		t.Error("versions")
	}
}

// TestMigrateWithoutBackup: no room for the backup, no migration.
func TestMigrateWithoutBackup(t *testing.T) {
	path := version1(t)
	must(t, os.MkdirAll(filepath.Join(path+".before-schema-2.part", "x"), 0o777))
	if _, err := sqlite.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "back up database "+path) {
		t.Fatalf("got %v", err)
	}
	if schemaOf(t, path) != 1 {
		t.Error("migrated without a backup")
	}
}

// TestMigrateOnce: of several that open an old file at once one migrates it.
func TestMigrateOnce(t *testing.T) {
	path := version1(t)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			d, err := sqlite.Open(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			checkVersion1(t, d)
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if backups, _ := filepath.Glob(path + ".before*"); len(backups) != 1 {
		t.Errorf("backups: %v", backups)
	}
}

// TestTriggersReturn: what finished while another program had dropped the triggers enters the log at the next opening.
func TestTriggersReturn(t *testing.T) {
	path := made(t, 3)
	execute(t, path, "DROP TRIGGER mapsweep_finished", "UPDATE trials SET state = 'FAIL', datetime_complete = '2026-11-01 10:00:00.000000' WHERE number = 1")
	for name, open := range []func(context.Context, string) (*sqlite.DB, error){sqlite.OpenReadOnly, openPlain} {
		d, err := open(t.Context(), path)
		must(t, err)
		all, err := d.Trials(t.Context(), 1)
		must(t, err)
		if c, err := d.Changes(t.Context(), 1, 0); err != nil || len(all) != 3 || len(c.Log) != 1 || c.Log[0].Trial.Number != 1 {
			t.Errorf("way %d: %d trials, changes %+v, %v", name, len(all), c, err)
		}
		must(t, d.Close())
	}
}

// TestOptunaDeletes: Optuna deletes studies and gives their IDs to others; nothing of ours may stick to these.
func TestOptunaDeletes(t *testing.T) {
	path := made(t, 3)
	d := openDB(t, path)
	defer d.Close()
	must(t, d.Finish(t.Context(), 1, trials.Outcome{State: trials.Complete, Values: []float64{1}}))
	c, err := d.Changes(t.Context(), 1, 0)
	must(t, err)
	if len(c.Log) != 1 {
		t.Fatalf("changes: %+v", c)
	}
	execute(t, path, "DELETE FROM trial_params", "DELETE FROM trial_values", "DELETE FROM trial_user_attributes", "DELETE FROM trial_system_attributes",
		"DELETE FROM trials", "DELETE FROM study_directions", "DELETE FROM studies")
	if _, err := d.Trials(t.Context(), 1); err == nil {
		t.Error("the study is still there")
	}
	execute(t, path, "INSERT INTO studies VALUES (1, 'other')", "INSERT INTO study_directions VALUES (1, 'MINIMIZE', 1, 0)",
		"INSERT INTO trials VALUES (1, 0, 1, 'FAIL', '2026-11-01 10:00:00.000000', '2026-11-01 10:00:00.000000'), (2, 1, 1, 'RUNNING', NULL, NULL)")
	all, err := d.Trials(t.Context(), 1)
	must(t, err)
	if len(all) != 2 || all[0].Key != "optuna-0" || all[0].State != trials.Fail || all[1].State != trials.Running {
		t.Errorf("the other study has %+v", all)
	}
	if got, err := d.Changes(t.Context(), 1, c.Last); err != nil || len(got.Log) != 1 || got.Log[0].Number <= c.Last {
		t.Errorf("changes after %d: %+v, %v", c.Last, got, err)
	}
}
