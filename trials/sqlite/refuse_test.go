package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/internal/optuna"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// execute runs SQL on a file as another program would.
func execute(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// made is a closed database with a study "s" of n waiting trials.
func made(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	d := openDB(t, path)
	fill(t, d, n)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func fill(t testing.TB, d *sqlite.DB, n int) trials.Study {
	t.Helper()
	st, err := d.CreateStudy(t.Context(), trials.Study{Name: "s", Directions: []trials.Direction{trials.Maximize}, Objective: "mAP50-95"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if _, err := d.Enqueue(t.Context(), st.ID, suggestion(i)); err != nil {
			t.Fatal(err)
		}
	}
	return st
}

func TestOpenRefuses(t *testing.T) {
	pure := []string{optuna.Schema, "INSERT INTO version_info VALUES (1, 12, '5.0.0')", "INSERT INTO alembic_version VALUES ('v3.2.0.a')"}
	tests := []struct {
		name string
		make func(t *testing.T, path string)
		want error
		says string
	}{
		{"text", func(t *testing.T, p string) { write(t, p, []byte("name: s\nand more than sixteen bytes\n")) }, trials.ErrNotOurs, "no SQLite database"},
		{"short text", func(t *testing.T, p string) { write(t, p, []byte("x")) }, trials.ErrNotOurs, "no SQLite database"},
		{"directory", func(t *testing.T, p string) { must(t, os.Mkdir(p, 0o777)) }, trials.ErrNotOurs, "is a directory"},
		{"header only", func(t *testing.T, p string) { write(t, p, append([]byte("SQLite format 3\x00"), make([]byte, 600)...)) }, trials.ErrNotOurs, ""},
		{"another program's", func(t *testing.T, p string) { execute(t, p, "CREATE TABLE bookmarks (url TEXT)") }, trials.ErrNotOurs, "tables of another program"},
		{"some tables of the same name", func(t *testing.T, p string) { execute(t, p, "CREATE TABLE studies (x)", "CREATE TABLE trials (x)") }, trials.ErrNotOurs, "study_directions"},
		{"our newer schema", func(t *testing.T, p string) {
			must(t, os.Rename(made(t, 1), p))
			execute(t, p, "UPDATE mapsweep_schema SET version = 99")
		}, trials.ErrNewer, "schema 99"},
		{"Optuna's newer schema", func(t *testing.T, p string) {
			execute(t, p, pure...)
			execute(t, p, "UPDATE version_info SET schema_version = 13")
		}, trials.ErrNewer, "newer than 5.0.0"},
		{"Optuna's newer revision", func(t *testing.T, p string) {
			execute(t, p, pure...)
			execute(t, p, "UPDATE alembic_version SET version_num = 'v6.0.0.a'")
		}, trials.ErrNewer, "newer than 5.0.0"},
		{"Optuna's older revision", func(t *testing.T, p string) {
			execute(t, p, pure...)
			execute(t, p, "UPDATE alembic_version SET version_num = 'v3.0.0.c'")
		}, trials.ErrNotOurs, "optuna storage upgrade"},
		{"cut in the middle", func(t *testing.T, p string) {
			whole := read(t, made(t, 20))
			write(t, p, whole[:len(whole)/2])
		}, trials.ErrCorrupt, ".recover"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			tt.make(t, path)
			before, _ := os.ReadFile(path)
			for how, open := range map[string]func(context.Context, string) (*sqlite.DB, error){"Open": openPlain, "OpenReadOnly": sqlite.OpenReadOnly} {
				d, err := open(t.Context(), path)
				if err == nil {
					d.Close()
				}
				if !errors.Is(err, tt.want) {
					t.Errorf("%s: got %v, want %v", how, err, tt.want)
					continue
				}
				if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("%s: %q does not name the file or say %q", how, err, tt.says)
				}
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(after, before) {
				t.Error("the refused file was changed")
			}
		})
	}
}

// TestDamagedPage overwrites pages behind the first: reading says so, in words.
func TestDamagedPage(t *testing.T) {
	path := made(t, 200)
	data := read(t, path)
	for i := 4096 * 2; i < len(data); i++ {
		data[i] = 0xA5
	}
	write(t, path, data)
	d, err := sqlite.Open(t.Context(), path)
	if err == nil {
		defer d.Close()
		_, err = d.Trials(t.Context(), 1)
	}
	if !errors.Is(err, trials.ErrCorrupt) {
		t.Errorf("got %v, want %v", err, trials.ErrCorrupt)
	}
}

func TestOptunaFileGetsOurTables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	execute(t, path, optuna.Schema, "INSERT INTO version_info VALUES (1, 12, '4.9.0')", "INSERT INTO alembic_version VALUES ('v3.2.0.a')",
		"INSERT INTO studies VALUES (1, 's')", "INSERT INTO study_directions VALUES (1, 'MINIMIZE', 1, 0)",
		"INSERT INTO trials VALUES (1, 0, 1, 'COMPLETE', '2026-11-23 10:00:00.000001', '2026-11-23 10:00:01')",
		`INSERT INTO trial_params VALUES (1, 1, 'x', 0.001, '{"name": "LogUniformDistribution", "attributes": {"low": 1e-05, "high": 0.1}}')`,
		"INSERT INTO trial_values VALUES (1, 1, 0, NULL, 'INF_NEG')",
		"INSERT INTO trial_intermediate_values VALUES (1, 1, 0, NULL, 'NAN'), (2, 1, 1, 0.5, 'FINITE')",
		`INSERT INTO trial_user_attributes VALUES (1, 1, 'a', '[NaN, "NaN"]')`)
	for _, open := range []func(context.Context, string) (*sqlite.DB, error){sqlite.OpenReadOnly, openPlain, sqlite.OpenReadOnly} {
		d, err := open(t.Context(), path)
		must(t, err)
		st, err := d.Study(t.Context(), "s")
		must(t, err)
		if st.Directions[0] != trials.Minimize || st.Objective != "value" {
			t.Errorf("study: %+v", st)
		}
		all, err := d.Trials(t.Context(), st.ID)
		must(t, err)
		if len(all) != 1 {
			t.Fatalf("%d trials", len(all))
		}
		tr := all[0]
		if p, _ := tr.Space.Lookup("x"); tr.Params["x"] != 0.001 || !p.Log || tr.Key != "optuna-0" || len(tr.Measurements) != 2 ||
			tr.Measurements[1].Metrics["value"] != 0.5 || string(tr.Attrs["a"]) != `["NaN", "NaN"]` || tr.Finished.Sub(tr.Started) != 999999*time.Microsecond {
			t.Errorf("trial: %+v", tr)
		}
		must(t, d.Close())
	}
	d := openDB(t, path)
	defer d.Close()
	got, err := d.Enqueue(t.Context(), 1, trials.Suggestion{Key: "k", Params: trials.Params{"x": 0.01},
		Space: trials.Space{{Name: "x", Kind: trials.Float, Low: 0.001, High: 0.1, Log: true}}})
	must(t, err)
	if got.Number != 1 {
		t.Errorf("number %d after Optuna's 0", got.Number)
	}
	_, err = d.Enqueue(t.Context(), 1, trials.Suggestion{Key: "l", Params: trials.Params{"x": 0.01},
		Space: trials.Space{{Name: "x", Kind: trials.Float, High: 0.1}}})
	if !errors.Is(err, trials.ErrIncompatible) {
		t.Errorf("scale changed against Optuna's trials: %v", err)
	}
}

func TestDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	d := openDB(t, path)
	st := fill(t, d, 3)
	must(t, d.LimitPages(t.Context(), 3))
	stored := 3
	var err error
	for err == nil {
		if _, err = d.Enqueue(t.Context(), st.ID, suggestion(stored)); err == nil {
			stored++
		}
	}
	if !errors.Is(err, trials.ErrDiskFull) || !strings.Contains(err.Error(), "free space in "+filepath.Dir(path)) {
		t.Errorf("full disk: %v", err)
	}
	all, err := d.Trials(t.Context(), st.ID)
	must(t, err)
	if len(all) != stored {
		t.Errorf("%d trials are there, %d were stored", len(all), stored)
	}
	must(t, d.LimitPages(t.Context(), -1))
	_, err = d.Enqueue(t.Context(), st.ID, suggestion(stored))
	must(t, err)
	must(t, d.Close())
}

func TestBusy(t *testing.T) {
	path := made(t, 1)
	d := openDB(t, path)
	defer d.Close()
	other, err := sql.Open("sqlite3", path+"?_txlock=immediate")
	must(t, err)
	defer other.Close()
	tx, err := other.Begin()
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := d.Enqueue(ctx, 1, suggestion(1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("write while another holds the lock: %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("gave up after %v", took)
	}
	if all, err := d.Trials(t.Context(), 1); err != nil || len(all) != 1 {
		t.Errorf("reading beside a writer: %d trials, %v", len(all), err)
	}
	must(t, tx.Rollback())
	if _, err := d.Enqueue(t.Context(), 1, suggestion(1)); err != nil {
		t.Errorf("after the lock was given back: %v", err)
	}
}

func TestOpenReadOnly(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.db")
	if _, err := sqlite.OpenReadOnly(t.Context(), missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("OpenReadOnly made a file")
	}
	d, err := sqlite.OpenReadOnly(t.Context(), made(t, 2))
	must(t, err)
	defer d.Close()
	if all, err := d.Trials(t.Context(), 1); err != nil || len(all) != 2 {
		t.Errorf("%d trials, %v", len(all), err)
	}
	if _, err := d.Enqueue(t.Context(), 1, suggestion(2)); !errors.Is(err, trials.ErrReadOnly) {
		t.Errorf("write: %v", err)
	}
}

// TestOpenReadOnlyAfterCrash reads a file whose writer died: its last commits are in the write-ahead log alone.
func TestOpenReadOnlyAfterCrash(t *testing.T) {
	for _, companions := range [][]string{{"-wal"}, {"-wal", "-shm"}} {
		path := filepath.Join(t.TempDir(), "x.db")
		live := openDB(t, path)
		fill(t, live, 5)
		crashed := filepath.Join(t.TempDir(), "y.db")
		for _, c := range append([]string{""}, companions...) {
			write(t, crashed+c, read(t, path+c))
		}
		must(t, live.Close())
		d, err := sqlite.OpenReadOnly(t.Context(), crashed)
		must(t, err)
		if all, err := d.Trials(t.Context(), 1); err != nil || len(all) != 5 {
			t.Errorf("with %v: %d trials, %v", companions, len(all), err)
		}
		must(t, d.Close())
		again := openDB(t, crashed)
		if all, err := again.Trials(t.Context(), 1); err != nil || len(all) != 5 {
			t.Errorf("with %v, opened for writing: %d trials, %v", companions, len(all), err)
		}
		must(t, again.Close())
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	must(t, os.WriteFile(path, data, 0o666))
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return data
}
