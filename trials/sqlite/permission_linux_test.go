package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// ordinary makes this goroutine's file accesses those of a user without privileges: root may write anywhere.
func ordinary(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	runtime.LockOSThread() // not unlocked: the thread ends with the goroutine and takes its identity along
	must(t, syscall.Setfsuid(65534))
}

func TestUnwritable(t *testing.T) {
	path := made(t, 2)
	dir := filepath.Dir(path)
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	must(t, os.Chmod(path, 0o444))
	must(t, os.Chmod(dir, 0o555))
	done := make(chan struct{})
	go func() {
		defer close(done)
		ordinary(t)
		for name, p := range map[string]string{"file": path, "new file": filepath.Join(dir, "new.db"), "new directory": filepath.Join(dir, "a", "b.db")} {
			d, err := sqlite.Open(t.Context(), p)
			if err == nil {
				d.Close()
			}
			if !errors.Is(err, trials.ErrReadOnly) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%s: got %v, want %v", name, err, trials.ErrReadOnly)
			}
		}
		d, err := sqlite.OpenReadOnly(t.Context(), path)
		if err != nil {
			t.Errorf("reading on a read-only disk: %v", err)
			return
		}
		if all, err := d.Trials(t.Context(), 1); err != nil || len(all) != 2 {
			t.Errorf("%d trials, %v", len(all), err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	<-done
	must(t, os.Chmod(dir, 0o755))
}
