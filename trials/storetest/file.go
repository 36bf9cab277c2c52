package storetest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
)

// Open opens a store with a file.
type Open func(ctx context.Context, path string) (trials.Store, error)

// Variables that make the test binary work as a second process: see Main.
const (
	envPath   = "MAPSWEEP_STORETEST_PATH"
	envWorker = "MAPSWEEP_STORETEST_WORKER"
	envPoints = "MAPSWEEP_STORETEST_POINTS"
)

// Main is the TestMain of a store's tests. Started by RunFile or RunSwarm as a second process the
// binary enqueues and runs trials, and says every step that has returned; otherwise it runs the tests.
func Main(m *testing.M, open Open) {
	path := os.Getenv(envPath)
	if path == "" {
		os.Exit(m.Run())
	}
	run := child
	if os.Getenv(envSwarm) != "" {
		run = swarmChild
	}
	if err := run(open, path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func child(open Open, path string) error {
	ctx := context.Background()
	points, err := strconv.Atoi(os.Getenv(envPoints))
	if err != nil {
		return err
	}
	s, err := open(ctx, path)
	if err != nil {
		return err
	}
	st, err := s.Study(ctx, "s")
	if err != nil {
		return err
	}
	say := func(step, key string) { fmt.Println(step, key) } // unbuffered: the parent counts on what it has read
	if err := work(ctx, s, st.ID, os.Getenv(envWorker), points, say); err != nil {
		return err
	}
	return s.Close()
}

// RunFile checks what only a store with a file must do. The test binary's TestMain must be Main.
func RunFile(t *testing.T, open Open) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, Open, string)
	}{
		{"reopen", testReopen},
		{"two handles", testTwoHandles},
		{"two processes", testTwoProcesses},
		{"kill -9", testKill},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open, filepath.Join(t.TempDir(), "store.db")) })
	}
}

// reopen opens the store for the length of a test.
func reopen(t *testing.T, open Open, path string) *fixture {
	t.Helper()
	s, err := open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &fixture{t: t, ctx: t.Context(), Store: s}
}

func testReopen(t *testing.T, open Open, path string) {
	f := reopen(t, open, path)
	st := f.study("s")
	f.must(work(f.ctx, f.Store, st.ID, "w", 5, nil))
	f.must(f.Close())
	f = reopen(t, open, path)
	all, err := f.Trials(f.ctx, st.ID)
	f.must(err)
	verify(t, all, 5)
	a, err := f.Artifact(f.ctx, all[3].ID, "curve")
	f.must(err)
	if string(a.Data) != all[3].Key {
		t.Errorf("artifact of %s is %q", all[3].Key, a.Data)
	}
}

func testTwoHandles(t *testing.T, open Open, path string) {
	a, b := reopen(t, open, path), reopen(t, open, path)
	st := a.study("s")
	var wg sync.WaitGroup
	for i, f := range []*fixture{a, b, a, b} {
		wg.Go(func() {
			if err := work(f.ctx, f.Store, st.ID, workerName(i), 25, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, f := range []*fixture{a, b} {
		all, err := f.Trials(f.ctx, st.ID)
		f.must(err)
		verify(t, all, 25)
	}
	// What one handle has read and keeps, the other may still annotate.
	one := b.trial(st, 0)
	a.must(a.SetAttrs(a.ctx, one.ID, map[string]json.RawMessage{"note": trials.Attr("late")}))
	if got := b.trial(st, 0).Text("note"); got != "late" {
		t.Errorf("the other handle sees note %q", got)
	}
}

// process is the test binary at work on the store.
type process struct {
	*exec.Cmd
	said   []string
	stderr strings.Builder
	read   chan struct{} // closed when all is read
}

// start runs the test binary, and kills it when it has said killAfter lines, if that is not 0.
func start(t *testing.T, path, worker string, points, killAfter int) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0]), read: make(chan struct{})}
	p.Env = append(os.Environ(), envPath+"="+path, envWorker+"="+worker, envPoints+"="+strconv.Itoa(points))
	p.Stderr = &p.stderr
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if p.said = append(p.said, lines.Text()); len(p.said) == killAfter {
				_ = p.Process.Kill() // kill -9
			}
		}
	}()
	return p
}

// end waits for the process and returns the steps that it said.
func (p *process) end() ([]string, error) {
	<-p.read
	err := p.Wait()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, p.stderr.String())
	}
	return p.said, err
}

func testTwoProcesses(t *testing.T, open Open, path string) {
	const points = 40
	f := reopen(t, open, path)
	st := f.study("s")
	var all []*process
	for w := range 2 {
		all = append(all, start(t, path, workerName(w+1), points, 0))
	}
	f.must(work(f.ctx, f.Store, st.ID, workerName(0), points, nil))
	for _, p := range all {
		if _, err := p.end(); err != nil {
			t.Error(err)
		}
	}
	got, err := f.Trials(f.ctx, st.ID)
	f.must(err)
	verify(t, got, points)
	for _, tr := range got {
		if len(tr.Attempts) != 1 {
			t.Errorf("trial %d was run by %d workers", tr.Number, len(tr.Attempts))
		}
	}
}

// testKill kills a writing process at many moments. After each, all that it said must
// be in the store and nothing half; at the end every point was run to its end once.
func testKill(t *testing.T, open Open, path string) {
	const points, rounds = 40, 8
	f := reopen(t, open, path)
	st := f.study("s")
	f.must(f.Close())
	killed := 0
	for round := range rounds {
		said, err := start(t, path, workerName(round), points, points-12+6*round).end()
		if err != nil {
			killed++
		}
		f = reopen(t, open, path)
		all, err := f.Trials(f.ctx, st.ID)
		f.must(err)
		checkSaid(t, said, all)
		for _, tr := range all {
			if tr.State == trials.Running {
				f.must(f.Requeue(f.ctx, tr.ID, "lost", "killed"))
			}
		}
		f.must(f.Close())
	}
	if killed < rounds/2 { // on a busy machine one may have ended before the signal came
		t.Errorf("only %d of %d processes were killed in the middle", killed, rounds)
	}
	if said, err := start(t, path, "last", points, 0).end(); err != nil {
		t.Fatalf("after %d kills: %v, said %v", killed, err, said)
	}
	f = reopen(t, open, path)
	all, err := f.Trials(f.ctx, st.ID)
	f.must(err)
	verify(t, all, points)
}

// checkSaid requires that every step a killed process said is in the store.
func checkSaid(t *testing.T, said []string, all []trials.Trial) {
	t.Helper()
	byKey := map[string]trials.Trial{}
	for _, tr := range all {
		whole(t, tr)
		if tr.State == trials.Complete {
			complete(t, tr)
		}
		byKey[tr.Key] = tr
	}
	for _, line := range said {
		step, key, _ := strings.Cut(line, " ")
		tr, ok := byKey[key]
		if !ok {
			t.Errorf("%s was %s and is not there", key, step)
			continue
		}
		epoch, measured := strings.CutPrefix(step, "recorded-")
		n, _ := strconv.Atoi(epoch)
		switch {
		case measured && len(tr.Measurements) < n:
			t.Errorf("%s: epoch %d was recorded, %d are there", key, n, len(tr.Measurements))
		case step == "claimed" && len(tr.Attempts) == 0:
			t.Errorf("%s was claimed and has no attempt", key)
		case step == "finished" && tr.State != trials.Complete:
			t.Errorf("%s was finished and is %s", key, tr.State)
		}
	}
}
