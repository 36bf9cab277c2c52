package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
	"github.com/mapsweep/mapsweep/trials/storetest"
)

func open(ctx context.Context, path string) (trials.Store, error) { return sqlite.Open(ctx, path) }

func TestMain(m *testing.M) {
	if does := os.Getenv(childDoes); does != "" {
		os.Exit(childMain(does))
	}
	storetest.Main(m, open)
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) trials.Store {
		return openDB(t, filepath.Join(t.TempDir(), "new dir", "a?b#c%20.db"))
	})
}

func TestFile(t *testing.T) { storetest.RunFile(t, open) }

// openPlain is sqlite.Open without options.
func openPlain(ctx context.Context, path string) (*sqlite.DB, error) { return sqlite.Open(ctx, path) }

// openDB opens a database, or ends the test.
func openDB(t testing.TB, path string) *sqlite.DB {
	t.Helper()
	d, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
