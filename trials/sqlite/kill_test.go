package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trials/storetest"
)

// TestKillSwarm is the short form of TestKillSwarmFull.
func TestKillSwarm(t *testing.T) {
	killSwarm(t, storetest.Swarm{Processes: 4, Trials: 40, Every: 25 * time.Millisecond, Lost: time.Second, Seed: 6})
}

// killSwarm kills one process of a swarm after another, and requires a sound file beside what RunSwarm requires.
func killSwarm(t *testing.T, s storetest.Swarm) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	storetest.RunSwarm(t, open, path, s)
	sound(t, path)
}

// sound requires that SQLite finds nothing wrong with a file, its indexes and its references.
func sound(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	must(t, err)
	defer db.Close()
	var says string
	must(t, db.QueryRow("PRAGMA integrity_check").Scan(&says))
	if says != "ok" {
		t.Errorf("integrity check: %s", says)
	}
	rows, err := db.Query("PRAGMA foreign_key_check")
	must(t, err)
	defer rows.Close()
	if rows.Next() {
		t.Error("a row refers to one that is not there")
	}
	must(t, rows.Err())
}
