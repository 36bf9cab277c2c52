package sweep_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// swarmTrials are the points of the search that TestKilledSwarm runs.
const swarmTrials = 60

// TestKilledSwarm: six processes on one search, one of which after another is killed and started anew. In the end every
// point was proposed once and run to its end once; what a killed process ran was given up for its silence, and counts as lost.
func TestKilledSwarm(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "study"), []byte("search"), 0o666); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	living := map[*os.Process]bool{} // false: it has begun no trial yet, or was killed
	killed := map[*os.Process]bool{}
	idle := 0 // kills since the last trial finished
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for again := true; again; {
				cmd, lines := process(t, dir)
				var said strings.Builder
				for lines.Scan() {
					mu.Lock()
					if strings.HasPrefix(lines.Text(), "started") {
						living[cmd.Process] = !killed[cmd.Process]
					} else if strings.HasPrefix(lines.Text(), "finished") {
						idle = 0
					}
					mu.Unlock()
					fmt.Fprintln(&said, lines.Text())
				}
				err := cmd.Wait()
				mu.Lock()
				delete(living, cmd.Process)
				again = err != nil && killed[cmd.Process]
				mu.Unlock()
				if !again && !strings.Contains(said.String(), fmt.Sprintf("done %d", swarmTrials)) {
					t.Errorf("%v, said:\n%s", err, said.String())
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	kills := 0
	for tick := time.NewTicker(60 * time.Millisecond); ; {
		select {
		case <-done:
			tick.Stop()
			checkKilledSwarm(t, dir, kills)
			return
		case <-tick.C:
		}
		mu.Lock()
		for p, lives := range living { // in random order
			if idle < 12 && lives && p.Kill() == nil { // a slow machine gets the time for one trial
				living[p], killed[p] = false, true
				kills++
				idle++
				break
			}
		}
		mu.Unlock()
	}
}

func checkKilledSwarm(t *testing.T, dir string, kills int) {
	t.Helper()
	ts := storedTrialsOf(t, dir, "search")
	if len(ts) != swarmTrials {
		t.Errorf("%d trials, want %d", len(ts), swarmTrials)
	}
	seen, lost := map[string]bool{}, 0
	for i, tr := range ts {
		if tr.Number != i || seen[tr.Key] || tr.State != trials.Complete || len(tr.Measurements) != 4 {
			t.Errorf("place %d: %+v", i, tr)
		}
		seen[tr.Key] = true
		for j, a := range tr.Attempts {
			want := "lost"
			if j == len(tr.Attempts)-1 {
				want = "complete"
			} else {
				lost++
			}
			if a.Outcome != want {
				t.Errorf("trial %d, attempt %d of %d: %+v", i, j+1, len(tr.Attempts), a)
			}
		}
	}
	t.Logf("%d kills, %d attempts lost", kills, lost)
	if kills == 0 || lost == 0 {
		t.Errorf("%d kills, %d attempts lost: nothing was tested", kills, lost)
	}
}
