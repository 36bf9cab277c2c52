//go:build integration

package sqlite_test

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
)

// TestOptunaTogether: two processes of ours and two of Optuna's work on one study at once.
func TestOptunaTogether(t *testing.T) {
	const ours, theirs = 400, 25
	withOptuna(t, func(t *testing.T, _, python string) {
		path := filepath.Join(t.TempDir(), "x.db")
		d := openDB(t, path)
		defer d.Close()
		st := fill(t, d, 0)
		var all []*exec.Cmd
		for i := range 2 {
			us := exec.CommandContext(t.Context(), os.Args[0])
			us.Env = append(os.Environ(), childDoes+"=work", childPath+"="+path, childWith+fmt.Sprintf("=%d:%d", i, ours))
			them := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "optuna_work.py"), path, "s", strconv.Itoa(theirs))
			all = append(all, us, them)
		}
		runTogether(t, all)
		got, err := d.Trials(t.Context(), st.ID)
		must(t, err)
		if len(got) != 2*ours+2*theirs {
			t.Errorf("%d trials, want %d", len(got), 2*ours+2*theirs)
		}
		byOptuna, seen := 0, map[string]bool{}
		for i, tr := range got {
			lr0, _ := trials.Number(tr.Params["lr0"])
			if tr.Number != i || i > 0 && tr.ID <= got[i-1].ID || seen[tr.Key] || tr.State != trials.Complete || len(tr.Values) != 1 || math.Abs(tr.Values[0]-lr0) > 1e-12 || len(tr.Measurements) != 3 {
				t.Errorf("place %d: %+v", i, tr)
			}
			if seen[tr.Key] = true; tr.Text("by") == "optuna" {
				byOptuna++
			}
		}
		if byOptuna != 2*theirs {
			t.Errorf("%d of Optuna's trials are there, want %d", byOptuna, 2*theirs)
		}
		c, err := d.Changes(t.Context(), st.ID, 0)
		must(t, err)
		if len(c.Log) != len(got) || len(c.Open) != 0 {
			t.Errorf("the log has %d entries, %d trials are open", len(c.Log), len(c.Open))
		}
		sound(t, path)
	})
}

// runTogether starts programs that say "ready" and wait for a line, lets them go at once, and waits for all.
func runTogether(t *testing.T, all []*exec.Cmd) {
	t.Helper()
	var release []func() error
	said := make([]strings.Builder, len(all))
	for i, cmd := range all {
		in, err := cmd.StdinPipe()
		must(t, err)
		out, err := cmd.StdoutPipe()
		must(t, err)
		cmd.Stderr = &said[i]
		must(t, cmd.Start())
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil || line != "ready\n" {
			t.Fatalf("%v says %q, %v: %s", cmd.Args, line, err, said[i].String())
		}
		release = append(release, func() error {
			_, err := in.Write([]byte("go\n"))
			return err
		})
	}
	for _, let := range release {
		must(t, let())
	}
	for i, cmd := range all {
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v: %s", cmd.Args, err, said[i].String())
		}
	}
}
