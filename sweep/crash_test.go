package sweep_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// workerEnv makes the test binary run a study in that directory instead of the tests: the one that the directory's file "study"
// names, else the fixed one.
const workerEnv = "MAPSWEEP_TEST_WORKER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(workerEnv); dir != "" {
		if err := work(dir); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// work runs the study as a process of its own would, and prints a line at every point where the test may kill it.
func work(dir string) error {
	store, err := sqlite.Open(context.Background(), filepath.Join(dir, "test.db"))
	if err != nil {
		return err
	}
	defer store.Close()
	fake := trainertest.NewResumable()
	fake.Pause = 15 * time.Millisecond
	e := sweep.Engine{Store: store, Backend: fake, Dir: dir,
		Limits: sweep.Limits{Heartbeat: 20 * time.Millisecond, Poll: 10 * time.Millisecond, Attempts: 100},
		Events: func(ev sweep.Event) {
			switch ev := ev.(type) {
			case sweep.StudyStarted:
				fmt.Println("study", ev.Lost)
			case sweep.TrialStarted:
				fmt.Println("started", ev.Trial.Number, "after", ev.Resume)
			case sweep.TrialMeasured:
				fmt.Println("measured", ev.Trial.Number, ev.Measurement.Epoch)
			case sweep.TrialFinished:
				fmt.Println("finished", ev.Trial.Number)
			}
		}}
	spec := fixed()
	if name, _ := os.ReadFile(filepath.Join(dir, "study")); string(name) == "rungs" {
		w := &bench{Engine: &e}
		w.asha()
		spec, fake.Pause = rungs(12), 3*time.Millisecond
		spec.Budget.Parallel = 2
	} else if string(name) == "search" { // nobody can see whether another process lives: heartbeats alone say it
		e.Samplers = map[string]sweep.NewSampler{"random": goptuna.Random}
		e.Probe, e.Limits.Lost = func(string) local.Life { return local.Unknown }, 400*time.Millisecond
		spec, fake.Pause = search(swarmTrials, "random", "none"), 3*time.Millisecond
	}
	sum, err := e.Run(context.Background(), spec, nil)
	fmt.Println("done", sum.Complete)
	return err
}

// process starts a worker; kill kills it with SIGKILL once it has printed a line with that prefix for the nth time,
// and returns what it printed.
func process(t *testing.T, dir string) (cmd *exec.Cmd, lines *bufio.Scanner) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(exe)
	cmd.Env = append(os.Environ(), workerEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, bufio.NewScanner(out)
}

func killAt(t *testing.T, dir, prefix string, n int) string {
	t.Helper()
	cmd, lines := process(t, dir)
	var seen strings.Builder
	for lines.Scan() {
		fmt.Fprintln(&seen, lines.Text())
		if strings.HasPrefix(lines.Text(), prefix) {
			if n--; n == 0 {
				_ = cmd.Process.Kill()
			}
		}
	}
	_ = cmd.Wait()
	return seen.String()
}

func storedTrials(t *testing.T, dir string) []trials.Trial { return storedTrialsOf(t, dir, "fixed") }

func storedTrialsOf(t *testing.T, dir, study string) []trials.Trial {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(dir, "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	st, err := store.Study(t.Context(), study)
	if err != nil {
		t.Fatal(err)
	}
	ts, err := store.Trials(t.Context(), st.ID)
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

// TestKilled: killed with SIGKILL at several points, the study goes on each time, and comes to the
// same results as if nothing had happened; nothing is lost or counted twice.
func TestKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("judging dead processes at once needs /proc")
	}
	dir := t.TempDir()
	for _, at := range []struct {
		prefix string
		n      int
	}{{"study", 1}, {"started", 2}, {"measured", 3}, {"finished", 1}, {"measured", 2}} {
		if out := killAt(t, dir, at.prefix, at.n); strings.Contains(out, "error") {
			t.Fatalf("to be killed at %s %d, but:\n%s", at.prefix, at.n, out)
		}
	}
	out := killAt(t, dir, "never", 1)
	if !strings.Contains(out, "done 6") {
		t.Fatalf("the last run:\n%s", out)
	}
	ts := storedTrials(t, dir)
	if got := results(ts); got != undisturbed(t, fixed()) {
		t.Errorf("results differ from an undisturbed run:\n%s", got)
	}
	lost := 0
	for _, tr := range ts {
		for i, a := range tr.Attempts {
			if last := i == len(tr.Attempts)-1; last != (a.Outcome == "complete") {
				t.Errorf("trial %d, attempt %d of %d: %s", tr.Number, a.Number, len(tr.Attempts), a.Outcome)
			}
			if a.Outcome == "lost" {
				lost++
			}
		}
	}
	if lost == 0 {
		t.Error("no trial was ever lost: the kills came too late to test anything")
	}
}

// TestKilledBesideAnother: of two processes one is killed; the other takes its trials over and finishes.
func TestKilledBesideAnother(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("judging dead processes at once needs /proc")
	}
	dir := t.TempDir()
	done := make(chan string)
	go func() { done <- killAt(t, dir, "measured", 2) }()
	_, lines := process(t, dir)
	var all strings.Builder
	for lines.Scan() {
		fmt.Fprintln(&all, lines.Text())
	}
	killed := <-done
	if !strings.Contains(all.String(), "done 6") {
		t.Errorf("survivor:\n%s\nkilled:\n%s", &all, killed)
	}
	if got := results(storedTrials(t, dir)); got != undisturbed(t, fixed()) {
		t.Errorf("results differ from an undisturbed run:\n%s", got)
	}
}
