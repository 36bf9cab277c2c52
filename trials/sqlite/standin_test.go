package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/internal/optuna"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// TestReadOnlyWhileTablesAreLaid: a file that was opened for reading before it had our tables, as they are now, is seen
// with them once another process has laid them.
func TestReadOnlyWhileTablesAreLaid(t *testing.T) {
	for name, lay := range map[string]func(*testing.T) string{"Optuna's": optunaAlone, "version 1": version1} {
		t.Run(name, func(t *testing.T) {
			path := lay(t)
			r, err := sqlite.OpenReadOnly(t.Context(), path)
			must(t, err)
			defer r.Close()
			all, err := r.Studies(t.Context())
			must(t, err)
			before := everything(t, r, all[0].ID)
			d := openDB(t, path)
			defer d.Close()
			tr, err := d.Start(t.Context(), all[0].ID, "w", trials.Suggestion{Key: "new", Params: trials.Params{"x": 1.0}})
			must(t, err)
			if tr.Key != "new" { // one waited
				tr, err = d.Claim(t.Context(), all[0].ID, "w")
				must(t, err)
			}
			must(t, d.Record(t.Context(), tr.ID, trials.Measurement{Epoch: 1, Metrics: map[string]float64{"mAP50": 0.5, "loss": 1}}))
			now := everything(t, r, all[0].ID)
			if len(now) != len(before)+1 || now[len(before)].Key != tr.Key || len(now[len(before)].Measurements[0].Metrics) != 2 {
				t.Errorf("%d trials, the last one %+v", len(now), now[len(now)-1])
			}
			for i := range before {
				if now[i].Key != before[i].Key {
					t.Errorf("trial %d is %s, was %s", i, now[i].Key, before[i].Key)
				}
			}
		})
	}
}

// optunaAlone makes a file of Optuna's with one trial.
func optunaAlone(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	execute(t, path, "PRAGMA journal_mode=WAL", optuna.Schema, "INSERT INTO version_info VALUES (1, 12, '5.0.0')", "INSERT INTO alembic_version VALUES ('v3.2.0.a')",
		"INSERT INTO studies VALUES (1, 's')", "INSERT INTO study_directions VALUES (1, 'MAXIMIZE', 1, 0)",
		"INSERT INTO trials VALUES (1, 0, 1, 'FAIL', '2026-11-01 10:00:00.000000', '2026-11-01 10:09:00.000000')")
	return path
}
