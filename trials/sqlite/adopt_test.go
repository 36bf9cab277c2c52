package sqlite_test

import (
	"database/sql"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
)

// TestAdopt: a study of Optuna's gets the name of its metric while its trials are known here already: what is written and
// read from then on has that name.
func TestAdopt(t *testing.T) {
	ctx := t.Context()
	path := optunaAlone(t)
	execute(t, path, "INSERT INTO trial_intermediate_values VALUES (1, 1, 1, 0.25, 'FINITE')")
	d := openDB(t, path)
	defer d.Close()
	tr, err := d.Start(ctx, 1, "w", trials.Suggestion{Key: "new", Params: trials.Params{"x": 1.0}})
	must(t, err)
	if old := everything(t, d, 1)[0].Measurements; len(old) != 1 || old[0].Metrics["value"] != 0.25 {
		t.Fatalf("before: %+v", old)
	}
	must(t, d.UpdateStudy(ctx, trials.Study{ID: 1, Objective: "mAP50"}))
	must(t, d.Record(ctx, tr.ID, trials.Measurement{Epoch: 1, Metrics: map[string]float64{"mAP50": 0.5}}))
	if old := everything(t, d, 1)[0].Measurements; len(old) != 1 || old[0].Metrics["mAP50"] != 0.25 {
		t.Errorf("after: %+v", old)
	}
	raw, err := sql.Open("sqlite3", path)
	must(t, err)
	defer raw.Close()
	var x float64
	if err := raw.QueryRow("SELECT intermediate_value FROM trial_intermediate_values WHERE trial_id = 2").Scan(&x); err != nil || x != 0.5 {
		t.Errorf("Optuna's intermediate value is %v, %v", x, err)
	}
}
