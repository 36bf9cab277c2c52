package sweep_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// TestOptunaRuns: what Optuna runs is left to it, a trial of its own and one of ours that it took. The study is done
// without the one, and waits for the other.
func TestOptunaRuns(t *testing.T) {
	w := newBench(t, &trainertest.Fake{})
	w.goptuna()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	w.Store, w.store, w.Limits.Lost = db, db, time.Millisecond
	spec := search(2, "random", "none")
	w.run(t, spec, nil)
	raw, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	exec := func(text string) {
		t.Helper()
		if _, err := raw.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	exec("INSERT INTO trials (number, study_id, state, datetime_start) VALUES (2, 1, 'RUNNING', '2026-01-02 03:04:05.000006')")
	wantSummary(t, w.run(t, spec, nil), sweep.Summary{Planned: 2, Complete: 2})
	if tr := w.trials(t, "search")[2]; tr.State != trials.Running || len(tr.Attempts) > 0 {
		t.Errorf("Optuna's trial is %s after %+v", tr.State, tr.Attempts)
	}

	if _, err := sweep.EnqueuePoint(t.Context(), db, "search", trials.Params{"x": 0.5}); err != nil {
		t.Fatal(err)
	}
	exec("UPDATE trials SET state = 'RUNNING', datetime_start = '2026-01-02 03:04:05.000006' WHERE number = 3")
	w.waits(t, spec, 2)
	exec("UPDATE trials SET state = 'COMPLETE', datetime_complete = '2026-01-02 04:04:05.000006' WHERE number IN (2, 3)")
	exec("INSERT INTO trial_values (trial_id, objective, value, value_type) SELECT trial_id, 0, 0.5, 'FINITE' FROM trials WHERE number IN (2, 3)")
	wantSummary(t, w.run(t, spec, nil), sweep.Summary{Planned: 4, Complete: 4})
}

// TestTakenFromOptuna: a trial of ours that Optuna took, and died with, is taken from it on request, and runs again. Without its number
// it is left alone, and so is a trial of Optuna's own.
func TestTakenFromOptuna(t *testing.T) {
	w := newBench(t, &trainertest.Fake{})
	w.goptuna()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	w.Store, w.store = db, db
	spec := search(1, "random", "none")
	w.run(t, spec, nil)
	if _, err := sweep.EnqueuePoint(t.Context(), db, "search", trials.Params{"x": 0.5}); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, text := range []string{"UPDATE trials SET state = 'RUNNING', datetime_start = '2026-01-02 03:04:05.000006' WHERE number = 1",
		"INSERT INTO trials (number, study_id, state, datetime_start) VALUES (2, 1, 'RUNNING', '2026-01-02 03:04:05.000006')"} {
		if _, err := raw.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, tr := range w.trials(t, "search") {
		if got := sweep.WaitsForOther(tr); got != (tr.Number == 1) {
			t.Errorf("WaitsForOther of trial %d: %v", tr.Number, got)
		}
	}
	if copies, err := sweep.Retry(t.Context(), db, "search", nil); err != nil || len(copies) != 0 {
		t.Errorf("retry of what has failed: %+v, %v", copies, err)
	}
	if _, err := sweep.Retry(t.Context(), db, "search", []int{2}); !errors.Is(err, sweep.ErrNotRepeatable) {
		t.Errorf("retry of Optuna's own trial: %v", err)
	}
	if copies, err := sweep.Retry(t.Context(), db, "search", []int{1}); err != nil || len(copies) != 1 || copies[0].Number != 3 {
		t.Errorf("retry: %+v, %v", copies, err)
	}
	if tr := w.trials(t, "search")[1]; tr.State != trials.Fail || tr.Text(trials.AttrClass) != trials.ClassLost ||
		tr.Text(trials.AttrReason) != "taken from another program, which had run it since 2026-01-02T03:04:05Z" {
		t.Errorf("taken from Optuna: %+v", tr)
	}
	wantSummary(t, w.run(t, spec, nil), sweep.Summary{Planned: 2, Complete: 2, Repeated: 1})
}
