package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// fillLimited lets no file of this process grow beyond a number of bytes, and enqueues and ends trials until that
// shows. It says what was stored, and then the error.
func fillLimited(ctx context.Context, path, limit string) error {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGXFSZ) // as the program does: writes fail, and the process lives
	n, err := strconv.ParseUint(limit, 10, 64)
	if err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
		return err
	}
	d, err := sqlite.Open(ctx, path)
	var all []trials.Trial
	if err == nil {
		all, err = d.Trials(ctx, 1)
	}
	for i := len(all); err == nil; i++ {
		if _, err = d.Enqueue(ctx, 1, suggestion(i)); err != nil {
			break
		}
		fmt.Println("enqueued")
		var tr trials.Trial
		if tr, err = d.Claim(ctx, 1, "w"); err != nil {
			break
		}
		if err = d.Finish(ctx, tr.ID, trials.Outcome{State: trials.Complete, Values: []float64{0.5}}); err == nil {
			fmt.Println("finished")
		}
	}
	fmt.Println("full:", errors.Is(err, trials.ErrDiskFull), err)
	return nil
}

// TestFileLimit: a file that may not grow further, by ulimit or quota, is as good as a full disk: said in words,
// nothing of what was acknowledged is lost, and without the limit all goes on.
func TestFileLimit(t *testing.T) {
	path := made(t, 3)
	for _, more := range []int{0, 20_000, 300_000, 5_000_000} {
		t.Run(strconv.Itoa(more), func(t *testing.T) {
			before := content(t, path)
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childDoes+"=fill", childPath+"="+path, childWith+"="+strconv.Itoa(len(read(t, path))+more))
			said, err := cmd.CombinedOutput()
			text := string(said)
			if err != nil || !strings.Contains(text, "full: true") || !strings.Contains(text, "database "+path+": disk is full") || !strings.Contains(text, "ulimit -f") {
				t.Fatalf("%v, says %.2000s", err, text)
			}
			after := content(t, path)
			if got, want := len(after)-len(before), strings.Count(text, "enqueued"); got != want {
				t.Errorf("%d trials were enqueued, %d are there", want, got)
			}
			if got, want := finished(after)-finished(before), strings.Count(text, "finished"); got != want {
				t.Errorf("%d trials were finished, %d are", want, got)
			}
			sound(t, path)
		})
	}
}

// content reads all trials of a file.
func content(t *testing.T, path string) []trials.Trial {
	t.Helper()
	d := openDB(t, path)
	all, err := d.Trials(t.Context(), 1)
	must(t, err)
	must(t, d.Close())
	return all
}

func finished(all []trials.Trial) (n int) {
	for _, tr := range all {
		if tr.State.Finished() {
			n++
		}
	}
	return n
}
