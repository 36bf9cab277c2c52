package sweep_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// TestDatabaseDeleted: a database that is deleted during a run ends it with an error, at the next sign of life or the next
// write, whichever comes first.
func TestDatabaseDeleted(t *testing.T) {
	for _, c := range []struct {
		name      string
		heartbeat time.Duration
		pause     time.Duration
		jobs      int // at most
	}{
		{"noticed by a heartbeat", 5 * time.Millisecond, 50 * time.Millisecond, 4},
		{"noticed by a write", time.Hour, 0, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := &trainertest.Fake{Pause: c.pause}
			w := newBench(t, fake)
			path := filepath.Join(t.TempDir(), "x.db")
			db, err := sqlite.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			w.Store, w.store, w.Limits.Heartbeat = db, db, c.heartbeat
			var once sync.Once
			w.Events = func(ev sweep.Event) {
				if _, ok := ev.(sweep.TrialMeasured); ok {
					once.Do(func() {
						for _, end := range []string{"", "-wal", "-shm"} {
							if err := os.Remove(path + end); err != nil {
								t.Error(err)
							}
						}
					})
				}
			}
			sum := w.run(t, fixed(), trials.ErrGone)
			if sum.Complete != 0 {
				t.Errorf("%+v: nothing was kept", sum)
			}
			if n := len(fake.Jobs()); n > c.jobs {
				t.Errorf("%d trials were begun, want at most %d", n, c.jobs)
			}
		})
	}
}
