package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// Only what ends a trial flushes the disk, and that each time, in a new file as in one that was there.
func TestDurability(t *testing.T) {
	for _, level := range []sqlite.Durability{sqlite.Full, sqlite.Normal} {
		t.Run(string(level), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "m.db")
			for _, name := range []string{"new", "again"} {
				flushesWhenFinishing(t, path, name, level)
			}
		})
	}
}

func flushesWhenFinishing(t *testing.T, path, name string, level sqlite.Durability) {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, path, sqlite.WithDurability(level))
	must(t, err)
	defer db.Close()
	finishing := map[sqlite.Durability]int{sqlite.Full: 2, sqlite.Normal: 1}[level]
	is := func(what string, want int) {
		t.Helper()
		got, err := db.Flushes(ctx)
		must(t, err)
		if got != want {
			t.Errorf("%s file, after %s: synchronous is %d, not %d", name, what, got, want)
		}
	}
	st, err := db.CreateStudy(ctx, trials.Study{Name: name, Directions: []trials.Direction{trials.Maximize}, Objective: "mAP"})
	must(t, err)
	is("CreateStudy", 1)
	for _, key := range []string{"a", "b", "c"} {
		one, err := db.Start(ctx, st.ID, "host/1/0", trials.Suggestion{Key: key})
		must(t, err)
		is("Start", 1)
		must(t, db.Record(ctx, one.ID, trials.Measurement{Epoch: 1, Metrics: map[string]float64{"mAP": 1}}))
		is("Record", 1)
		must(t, db.Finish(ctx, one.ID, trials.Outcome{State: trials.Complete, Values: []float64{1}}))
		is("Finish", finishing)
	}
}
