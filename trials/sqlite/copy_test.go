package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/internal/optuna"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// strange is a file of Optuna's with everything that its tables may hold, in study 2; its trials ended in another order.
func strange(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "optuna.db")
	execute(t, path, optuna.Schema, "INSERT INTO version_info VALUES (1, 12, '5.0.0')", "INSERT INTO alembic_version VALUES ('v3.2.0.a')",
		"INSERT INTO studies VALUES (1, 'other'), (2, 's')",
		"INSERT INTO study_directions VALUES (1, 'MINIMIZE', 1, 0), (2, 'MAXIMIZE', 2, 0), (3, 'MINIMIZE', 2, 1)",
		`INSERT INTO study_user_attributes VALUES (1, 2, 'who', '"lab"'), (2, 2, 'limit', '[Infinity, NaN]')`,
		`INSERT INTO study_system_attributes VALUES (1, 2, 'study:metric_names', '["acc", "ms"]')`,
		"INSERT INTO trials VALUES (7, 0, 1, 'COMPLETE', '2026-11-23 10:00:00.000001', '2026-11-23 10:00:01')",
		"INSERT INTO trials VALUES (8, 0, 2, 'COMPLETE', '2026-11-23 10:00:00.000001', '2026-11-23 11:00:01'), (9, 1, 2, 'PRUNED', '2026-11-23 10:00:00', '2026-11-23 10:30:00'), "+
			"(11, 2, 2, 'FAIL', '2026-11-23 10:00:00', '2026-11-23 10:40:00'), (12, 3, 2, 'RUNNING', '2026-11-23 10:00:00', NULL), (13, 4, 2, 'WAITING', NULL, NULL)",
		`INSERT INTO trial_params VALUES (1, 8, 'x', 0.001, '{"name": "LogUniformDistribution", "attributes": {"low": 1e-05, "high": 0.1}}'),
			(2, 8, 'c', 1, '{"name": "CategoricalDistribution", "attributes": {"choices": [[1, NaN], "b"]}}'), (3, 7, 'x', 0.5, '{"type": "float", "low": 0, "high": 1}')`,
		"INSERT INTO trial_values VALUES (1, 8, 0, NULL, 'INF_NEG'), (2, 8, 1, 1e300, 'FINITE'), (3, 7, 0, 1, 'FINITE')",
		"INSERT INTO trial_intermediate_values VALUES (1, 9, 0, NULL, 'NAN'), (2, 9, 3, 0.5, 'FINITE'), (3, 9, -1, NULL, 'INF_POS')",
		`INSERT INTO trial_user_attributes VALUES (1, 8, 'a', '{"loss": NaN, "text": "NaN"}'), (2, 12, 'a', '1')`,
		`INSERT INTO trial_system_attributes VALUES (1, 13, 'fixed_params', '{"x": 0.02}'), (2, 8, 'constraints', '[0.5, -Infinity]')`)
	return path
}

// tables reads what a study has in Optuna's tables, without IDs.
func tables(t *testing.T, path, study string) string {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	must(t, err)
	defer db.Close()
	var b strings.Builder
	of := func(columns, table string) string {
		return "SELECT t.number, " + columns + " FROM " + table + " x JOIN trials t USING (trial_id) JOIN studies s USING (study_id) WHERE s.study_name = ? ORDER BY 1, 2"
	}
	for _, q := range []string{
		of("state, CAST(t.datetime_start AS TEXT), CAST(t.datetime_complete AS TEXT)", "(SELECT trial_id FROM trials)"),
		of("param_name, param_value, distribution_json", "trial_params"), of("objective, value, value_type", "trial_values"),
		of("step, intermediate_value, intermediate_value_type", "trial_intermediate_values"),
		of(`"key", value_json, 0`, "trial_user_attributes"), of(`"key", value_json, 0`, "trial_system_attributes"),
		`SELECT 'user', "key", value_json, 0 FROM study_user_attributes JOIN studies USING (study_id) WHERE study_name = ? ORDER BY 2`,
		`SELECT 'system', "key", value_json, 0 FROM study_system_attributes JOIN studies USING (study_id) WHERE study_name = ? ORDER BY 2`,
	} {
		rows, err := db.Query(q, study)
		must(t, err)
		for rows.Next() {
			row := make([]any, 4)
			must(t, rows.Scan(&row[0], &row[1], &row[2], &row[3]))
			fmt.Fprintln(&b, row...)
		}
		must(t, rows.Err())
		must(t, rows.Close())
		b.WriteByte('\n')
	}
	return b.String()
}

// TestCopyTrials: the copy has the same rows in Optuna's tables; copied again it changes nothing, and gets what is new.
func TestCopyTrials(t *testing.T) {
	path, to := strange(t), filepath.Join(t.TempDir(), "x.db")
	src, err := sqlite.OpenReadOnly(t.Context(), path)
	must(t, err)
	defer src.Close()
	dst := openDB(t, to)
	defer dst.Close()
	fill(t, dst, 2)
	st, err := dst.CreateStudy(t.Context(), trials.Study{Name: "copy", Directions: []trials.Direction{trials.Maximize, trials.Minimize}, Objective: "acc"})
	must(t, err)
	from, err := src.Study(t.Context(), "s")
	must(t, err)
	is := func(want sqlite.Copied) {
		t.Helper()
		got, err := dst.CopyTrials(t.Context(), st.ID, src, from.ID)
		if err != nil || got != want {
			t.Errorf("copied %+v, %v, want %+v", got, err, want)
		}
		if got, want := tables(t, to, "copy"), tables(t, path, "s"); got != want {
			t.Errorf("the copy has\n%s\nwant\n%s", got, want)
		}
	}
	is(sqlite.Copied{New: 5})
	is(sqlite.Copied{Known: 5})
	all, err := dst.Trials(t.Context(), st.ID)
	must(t, err)
	if len(all) != 5 || all[0].Params["c"] != "b" || all[4].Params["x"] != 0.02 || len(all[1].Measurements) != 3 || all[0].Key != "optuna-0" {
		t.Errorf("trials %+v", all)
	}
	c, err := dst.Changes(t.Context(), st.ID, 0)
	must(t, err)
	var order []int
	for _, e := range c.Log {
		order = append(order, e.Trial.Number)
	}
	if fmt.Sprint(order) != "[1 2 0]" || len(c.Open) != 2 {
		t.Errorf("they ended in the order %v, %d are open", order, len(c.Open))
	}
	execute(t, path, "UPDATE trials SET state = 'COMPLETE', datetime_complete = '2026-11-23 12:00:00' WHERE trial_id = 12", "INSERT INTO trial_values VALUES (9, 12, 0, 3, 'FINITE'), (10, 12, 1, 3, 'FINITE')",
		"INSERT INTO trial_user_attributes VALUES (9, 12, 'b', '2')", "UPDATE trials SET state = 'RUNNING', datetime_start = '2026-11-23 12:00:00' WHERE trial_id = 13",
		"INSERT INTO trials VALUES (20, 5, 2, 'WAITING', NULL, NULL)")
	is(sqlite.Copied{New: 1, Renewed: 1, Known: 4})
	next, err := dst.Enqueue(t.Context(), 1, suggestion(2))
	must(t, err)
	if next.Number != 2 {
		t.Errorf("the next number of the study beside is %d", next.Number)
	}
	sound(t, to)
}

// TestCopyTrialsRefuses: a study that is not the one that was copied before changes nothing.
func TestCopyTrialsRefuses(t *testing.T) {
	for name, change := range map[string]string{
		"fewer":         "DELETE FROM trials WHERE trial_id = 13",
		"another start": "UPDATE trials SET datetime_start = '2020-01-01 00:00:00' WHERE trial_id = 8",
		"another state": "UPDATE trials SET state = 'FAIL' WHERE trial_id = 9",
		"unfinished":    "UPDATE trials SET state = 'RUNNING', datetime_complete = NULL WHERE trial_id = 8",
	} {
		t.Run(name, func(t *testing.T) {
			path, to := strange(t), filepath.Join(t.TempDir(), "x.db")
			dst := openDB(t, to)
			defer dst.Close()
			st, err := dst.CreateStudy(t.Context(), trials.Study{Name: "copy", Directions: []trials.Direction{trials.Maximize, trials.Minimize}})
			must(t, err)
			src, err := sqlite.OpenReadOnly(t.Context(), path)
			must(t, err)
			defer src.Close()
			_, err = dst.CopyTrials(t.Context(), st.ID, src, 2)
			must(t, err)
			before := tables(t, to, "copy")
			execute(t, path, change)
			if got, err := dst.CopyTrials(t.Context(), st.ID, src, 2); !errors.Is(err, trials.ErrInvalid) {
				t.Errorf("copied %+v, %v", got, err)
			}
			if after := tables(t, to, "copy"); after != before {
				t.Errorf("it became\n%s\nwas\n%s", after, before)
			}
		})
	}
	dst := openDB(t, filepath.Join(t.TempDir(), "x.db"))
	defer dst.Close()
	src, err := sqlite.OpenReadOnly(t.Context(), strange(t))
	must(t, err)
	defer src.Close()
	if _, err := dst.CopyTrials(t.Context(), 99, src, 2); !errors.Is(err, trials.ErrNoStudy) {
		t.Errorf("into a study that is not there: %v", err)
	}
}
