package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
	"github.com/mapsweep/mapsweep/trials/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) trials.Store {
		return openDB(t, filepath.Join(t.TempDir(), "new dir", "a?b#c%20.db"))
	})
}

// openDB opens a database, or ends the test.
func openDB(t testing.TB, path string) *sqlite.DB {
	t.Helper()
	d, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
