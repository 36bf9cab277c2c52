package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// The objectives of a study keep their directions and names, where Optuna keeps them.
func TestMetricNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	dirs := []trials.Direction{trials.Maximize, trials.Minimize}
	st, err := db.CreateStudy(t.Context(), trials.Study{Name: "two", Directions: dirs, Objective: "mAP50-95", Metrics: []string{"mAP50-95", "time/image"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.UpdateStudy(t.Context(), trials.Study{ID: st.ID, Objective: "other"}); err != nil {
		t.Fatal(err)
	}
	got, err := db.Study(t.Context(), "two")
	if err != nil || !slices.Equal(got.Metrics, st.Metrics) || !slices.Equal(got.Directions, dirs) {
		t.Errorf("%v %v (%v)", got.Metrics, got.Directions, err)
	}
	file, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var raw string
	err = file.QueryRowContext(t.Context(), `SELECT value_json FROM study_system_attributes WHERE "key" = 'study:metric_names'`).Scan(&raw)
	if err != nil || raw != `["mAP50-95","time/image"]` {
		t.Errorf("Optuna reads %q (%v)", raw, err)
	}
	if _, err := db.CreateStudy(t.Context(), trials.Study{Name: "bad", Directions: dirs, Objective: "a", Metrics: []string{"a", "b", "c"}}); err == nil {
		t.Error("three names for two objectives are accepted")
	}
}
