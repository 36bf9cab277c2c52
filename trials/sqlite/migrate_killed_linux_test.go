package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// startKilled opens a file, which is to be migrated, and kills itself with SIGKILL the nth time that SQLite asks.
func startKilled(ctx context.Context, path, nth string) error {
	n, err := strconv.Atoi(nth)
	if err != nil {
		return err
	}
	return sqlite.StartAsking(ctx, path, func() bool {
		if n--; n == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal is on its way
		}
		return true
	})
}

// openSqueezed opens a file, and dies of the first write that would make any file longer than limit bytes.
func openSqueezed(ctx context.Context, path, limit string) error {
	n, err := strconv.ParseUint(limit, 10, 64)
	if err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
		return err
	}
	var standard [4]uint64 // struct sigaction of the kernel: SIG_DFL. Go's own handler would let the write fail
	if _, _, e := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGXFSZ), uintptr(unsafe.Pointer(&standard)), 0, 8, 0, 0); e != 0 {
		return e
	}
	d, err := sqlite.Open(ctx, path)
	if err != nil {
		return err
	}
	return d.Close()
}

// dies runs a process that should die of a signal, and says whether it did.
func dies(t *testing.T, path, does, with string) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDoes+"="+does, childPath+"="+path, childWith+"="+with)
	said, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState.ExitCode() >= 0 {
		t.Fatalf("%s %s: %v, says %.500s", does, with, err, said)
	}
	return err != nil
}

// copied is a copy of a closed database in a folder of its own.
func copied(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	write(t, path, data)
	return path
}

// halfway checks what a migration left that came to no end: the old file, or the new one with a backup of the old one, and no
// backup that is not whole. Then it opens the file, which must end the matter. It returns the version that was left.
func halfway(t *testing.T, path string) int {
	t.Helper()
	whole := func(path string, version int) {
		t.Helper()
		ro, err := sqlite.OpenReadOnly(t.Context(), path)
		must(t, err)
		checkVersion1(t, ro)
		must(t, ro.Close())
		sound(t, path)
		if got := schemaOf(t, path); got != version {
			t.Errorf("%s has schema %d, want %d", filepath.Base(path), got, version)
		}
	}
	backups := func() []string {
		t.Helper()
		all, err := filepath.Glob(path + ".before-schema-2*")
		must(t, err)
		var ended []string
		for _, b := range all {
			if !strings.Contains(b, ".part") {
				ended = append(ended, b)
				whole(b, 1)
			}
		}
		return ended
	}
	left := schemaOf(t, path)
	whole(path, left)
	if n := len(backups()); left == 2 && n == 0 {
		t.Error("migrated without a backup")
	}
	d := openDB(t, path)
	checkVersion1(t, d)
	must(t, d.Close())
	whole(path, 2)
	beside, err := filepath.Glob(path + "?*")
	must(t, err)
	if kept := backups(); len(kept) == 0 || len(beside) != len(kept) {
		t.Errorf("beside the file are %v, of which %v are backups", beside, kept)
	}
	return left
}

// askedFor is how often SQLite asks while a file is migrated.
func askedFor(t *testing.T, data []byte) (n int) {
	t.Helper()
	path := copied(t, data)
	must(t, sqlite.StartAsking(t.Context(), path, func() bool { n++; return true }))
	if schemaOf(t, path) != 2 {
		t.Fatal("not migrated")
	}
	return n
}

// TestMigrateKilled: killed with SIGKILL between two statements of the migration, or before it commits, a process leaves the old
// file as it was. Every eleventh point, the last ones among them; the build tag soak has them all.
func TestMigrateKilled(t *testing.T) {
	data := read(t, version1(t))
	last := askedFor(t, data)
	for n := 1; n <= last; n = min(n+killEvery, max(last, n+1)) {
		path := copied(t, data)
		if !dies(t, path, "start", strconv.Itoa(n)) {
			t.Fatalf("SQLite asked %d times here, fewer than %d there", last, n)
		}
		if left := halfway(t, path); left != 1 {
			t.Fatalf("killed at point %d of %d: schema %d before the commit", n, last, left)
		}
	}
}

// TestMigrateRefused: the same with a statement that fails in place of a kill, at every fifth point.
func TestMigrateRefused(t *testing.T) {
	data := read(t, version1(t))
	last := askedFor(t, data)
	if last < 100 {
		t.Fatalf("SQLite asked %d times only", last)
	}
	for n := 1; n <= last; n += refuseEvery {
		path, at := copied(t, data), 0
		err := sqlite.StartAsking(t.Context(), path, func() bool { at++; return at != n })
		if left := halfway(t, path); err != nil && left != 1 {
			t.Fatalf("refused at point %d of %d: %v and schema %d", n, last, err, left)
		}
	}
}

// TestMigrateSqueezed: a process that dies in the middle of a write, of the backup, of the log while it commits or of the file, leaves
// the old file or the new one.
func TestMigrateSqueezed(t *testing.T) {
	data := read(t, version1(t))
	died := map[string]int{}
	for limit := 36 << 10; ; limit += 12 << 10 {
		path := copied(t, data)
		if !dies(t, path, "squeeze", fmt.Sprint(limit)) {
			break
		}
		parts, _ := filepath.Glob(path + ".before-schema-2.part")
		ended, _ := filepath.Glob(path + ".before-schema-2")
		died[fmt.Sprintf("%d parts, %d backups", len(parts), len(ended))]++
		halfway(t, path)
	}
	if died["1 parts, 0 backups"] == 0 || died["0 parts, 1 backups"] == 0 {
		t.Errorf("the processes died with %v: not in the middle of the backup and of the migration", died)
	}
}
