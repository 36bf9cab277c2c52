package process_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer/internal/process"
)

func sh(t *testing.T, script string, grace time.Duration) (process.Command, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	log, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return process.Command{Args: []string{"/bin/sh", "-c", script}, Env: os.Environ(), Output: log, Grace: grace}, path
}

func TestRun(t *testing.T) {
	tests := []struct {
		name, script, words, log string
		want                     process.Exit
	}{
		{"success", "echo out; echo err >&2", "exit status 0", "out\nerr", process.Exit{}},
		{"exit status", "echo no; exit 3", "exit status 3", "no", process.Exit{Code: 3}},
		{"signal", "kill -9 $$", "signal 9 (killed)", "", process.Exit{Code: -1, Signal: syscall.SIGKILL}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, log := sh(t, tt.script, time.Second)
			got, err := process.Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if got.Took <= 0 || got.Took > 10*time.Second {
				t.Errorf("took %v", got.Took)
			}
			if got.Took = 0; got != tt.want || got.String() != tt.words {
				t.Errorf("got %+v (%s), want %+v (%s)", got, got, tt.want, tt.words)
			}
			if tail, err := process.Tail(log, 0, 40); err != nil || tail != tt.log {
				t.Errorf("log %q, %v", tail, err)
			}
		})
	}
}

// TestLeftChild: what a program leaves running is killed when it ends.
func TestLeftChild(t *testing.T) {
	c, log := sh(t, "sleep 60 & echo $!", time.Second)
	if got, err := process.Run(t.Context(), c); err != nil || !got.OK() {
		t.Fatalf("%+v, %v", got, err)
	}
	gone(t, pids(t, log, 1))
}

func TestRunNotFound(t *testing.T) {
	if _, err := process.Run(t.Context(), process.Command{Args: []string{"/no/such/program"}}); err == nil {
		t.Error("a program that is not there ran")
	}
}

// alive says whether a process exists and is no zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// pids waits until the program has written n process numbers.
func pids(t *testing.T, path string, n int) []int {
	t.Helper()
	for range 500 {
		data, _ := os.ReadFile(path)
		if f := strings.Fields(string(data)); len(f) == n {
			var all []int
			for _, s := range f {
				pid, err := strconv.Atoi(s)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, pid)
			}
			return all
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the program did not start")
	return nil
}

func gone(t *testing.T, all []int) {
	t.Helper()
	for _, pid := range all {
		for i := 0; alive(pid); i++ {
			if i > 200 {
				t.Errorf("process %d still runs", pid)
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func TestStop(t *testing.T) {
	tests := []struct {
		name, trap string
		grace      time.Duration
		want       process.Exit
	}{
		{"by SIGTERM", "", 10 * time.Second, process.Exit{Code: -1, Signal: syscall.SIGTERM, Stopped: true}},
		{"cleans up", "trap 'echo bye; exit 5' TERM;", 10 * time.Second, process.Exit{Code: 5, Stopped: true}},
		{"does not listen", "trap '' TERM;", 200 * time.Millisecond, process.Exit{Code: -1, Signal: syscall.SIGKILL, Stopped: true, Killed: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, log := sh(t, tt.trap+"(while :; do sleep 0.05; done) & echo $! $$; wait; wait", tt.grace)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var all []int
			go func() {
				defer cancel()
				all = pids(t, log, 2)
			}()
			began := time.Now()
			got, err := process.Run(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			if got.Took = 0; got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("stopped after %v", took)
			}
			gone(t, all)
		})
	}
}

// TestMain lets the test binary be a parent that is killed: see TestParentDies.
func TestMain(m *testing.M) {
	script := os.Getenv("PROCESS_TEST_PARENT")
	if script == "" {
		os.Exit(m.Run())
	}
	_, err := process.Run(context.Background(), process.Command{Args: []string{"/bin/sh", "-c", script}, Env: append(os.Environ(), "PROCESS_TEST_PARENT="), Output: os.Stdout})
	fmt.Println(err)
}

// TestParentDies kills the process that runs a program: the program dies with it, and a
// grandchild that survives is found by its environment.
func TestParentDies(t *testing.T) {
	mark := "PROCESS_TEST_MARK=" + t.TempDir()
	log := filepath.Join(t.TempDir(), "log")
	out, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	parent, err := os.StartProcess(os.Args[0], os.Args[:1], &os.ProcAttr{Files: []*os.File{nil, out, out},
		Env: append(os.Environ(), mark, "PROCESS_TEST_PARENT=(while :; do sleep 0.05; done) & echo $! $$; wait")})
	if err != nil {
		t.Fatal(err)
	}
	all := pids(t, log, 2)
	if err := parent.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := parent.Wait(); err != nil {
		t.Fatal(err)
	}
	gone(t, all[1:])
	if n := process.KillLeftovers(mark); n == 0 {
		t.Error("no leftover was found")
	}
	gone(t, all)
	if n := process.KillLeftovers(mark); n != 0 {
		t.Errorf("%d leftovers were found twice", n)
	}
}

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for _, tt := range []struct {
		content string
		n       int
		want    string
	}{
		{"", 3, ""},
		{"a\nb\nc\n", 2, "b\nc"},
		{"a\nb", 5, "a\nb"},
		{"10%\r50%\r100%\nend\r\n", 5, "100%\nend"},
		{"\x1b[31mred\x1b[0m \xff\n", 5, "red ?"},
		{strings.Repeat("x", 70<<10) + "\nlast\n", 5, "last"},
	} {
		if err := os.WriteFile(path, []byte(tt.content), 0o666); err != nil {
			t.Fatal(err)
		}
		if got, err := process.Tail(path, 0, tt.n); err != nil || got != tt.want {
			t.Errorf("%.30q: got %q, %v", tt.content, got, err)
		}
	}
	if err := os.WriteFile(path, []byte("old\nnew\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := process.Tail(path, 4, 9); err != nil || got != "new" {
		t.Errorf("from an offset: got %q, %v", got, err)
	}
	if _, err := process.Tail(path+".missing", 0, 1); err == nil {
		t.Error("a missing log was read")
	}
}
