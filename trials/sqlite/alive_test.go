package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
)

// TestAlive: a file that is deleted, moved or replaced under an open database is noticed; writes alone would not tell.
func TestAlive(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(t *testing.T, path string) error
		says string // "": alive
	}{
		"untouched": {func(*testing.T, string) error { return nil }, ""},
		"written by another process": {func(t *testing.T, path string) error {
			execute(t, path, "VACUUM")
			return nil
		}, ""},
		"deleted": {func(_ *testing.T, path string) error { return os.Remove(path) }, "was deleted or moved"},
		"moved":   {func(_ *testing.T, path string) error { return os.Rename(path, path+".old") }, "was deleted or moved"},
		"its directory deleted": {func(_ *testing.T, path string) error { return os.RemoveAll(filepath.Dir(path)) },
			"was deleted or moved"},
		"replaced": {func(t *testing.T, path string) error {
			return errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, nil, 0o666))
		}, "was replaced"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sub", "x.db")
			d := openDB(t, path)
			fill(t, d, 1)
			if err := d.Alive(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := c.do(t, path); err != nil {
				t.Fatal(err)
			}
			err := d.Alive(t.Context())
			if c.says == "" && err != nil || c.says != "" && (!errors.Is(err, trials.ErrGone) || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("Alive: %v, want %q", err, c.says)
			}
		})
	}
}
