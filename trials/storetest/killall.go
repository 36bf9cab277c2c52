package storetest

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// RunSwarm lets a swarm work on a new store at path and kills a random member with SIGKILL again and again. Members
// that were killed are started anew until all trials are finished; then nothing may be lost or counted twice. The
// test binary's TestMain must be Main.
func RunSwarm(t *testing.T, open Open, path string, s Swarm) {
	f := reopen(t, open, path)
	st := f.study("s")
	f.must(f.Close())
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	p := &pack{t: t, env: append(os.Environ(), envPath+"="+path, envSwarm+"="+string(text)), rng: rand.New(rand.NewPCG(s.Seed, 0)),
		record: record{finished: map[string]int{}, killed: map[string]bool{}, robbed: map[string]bool{}}}
	began := time.Now()
	p.hunt(s)
	t.Logf("%.1f s", time.Since(began).Seconds())
	f = reopen(t, open, path)
	all, err := f.Trials(f.ctx, st.ID)
	f.must(err)
	checkSwarm(t, s, all, p.record)
}

// record is what the members of a swarm said, and what happened to them.
type record struct {
	finished map[string]int  // key -> how often a member said that it had finished it
	killed   map[string]bool // names of members that were killed
	robbed   map[string]bool // names of members from which a trial was taken while they lived
	kills    int
	taken    int
}

// attempts checks that all attempts of a trial but the last were lost by a member that was killed, or that seemed so,
// and returns how many were.
func (r record) attempts(t *testing.T, tr trials.Trial) (lost int) {
	t.Helper()
	for i, a := range tr.Attempts {
		want := trials.ClassLost
		if i == len(tr.Attempts)-1 {
			want = trials.OutcomeName(tr.State)
		}
		if a.Number != i+1 || a.Outcome != want || a.Ended.IsZero() {
			t.Errorf("trial %d (%s), attempt %d of %d: %+v", tr.Number, tr.Key, i+1, len(tr.Attempts), a)
		}
		if want != trials.ClassLost {
			continue
		}
		lost++
		if !r.killed[a.Worker] && !r.robbed[a.Worker] {
			t.Errorf("trial %d (%s): attempt %d of %s counts as lost, and it lived", tr.Number, tr.Key, i+1, a.Worker)
		}
	}
	if len(tr.Attempts) == 0 {
		t.Errorf("trial %d (%s) has no attempt", tr.Number, tr.Key)
	}
	if n := r.finished[tr.Key]; n > 1 {
		t.Errorf("trial %d (%s) was finished %d times", tr.Number, tr.Key, n)
	}
	return lost
}

// pack keeps the processes of a swarm running.
type pack struct {
	t      *testing.T
	env    []string
	rng    *rand.Rand
	mu     sync.Mutex
	living []*beast
	idle   int // kills since a trial was finished
	record
}

// beast is one process in all of its lives. The fields are guarded by the pack's lock.
type beast struct {
	number, life int
	process      *os.Process // nil between two lives
	spoke        bool        // it has said something in this life
	from         int         // the first of its trials that it has not said to be enqueued
}

// hunt runs the swarm to its end.
func (p *pack) hunt(s Swarm) {
	var all sync.WaitGroup
	for i := range s.Processes {
		b := &beast{number: i}
		p.living = append(p.living, b)
		all.Go(func() {
			for p.live(b) {
			}
		})
	}
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	for tick := time.NewTicker(s.Every); ; {
		select {
		case <-done:
			tick.Stop()
			return
		case <-tick.C:
			p.kill()
		}
	}
}

// kill ends a random process. One that has not come to do anything in this life is mostly spared, and a machine that is so
// slow that nothing gets finished between kills is given the time for it.
func (p *pack) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle > 3*len(p.living) {
		return
	}
	var prey []*beast
	spare := p.rng.IntN(2) > 0
	for _, b := range p.living {
		if b.process != nil && (b.spoke || !spare) {
			prey = append(prey, b)
		}
	}
	if len(prey) == 0 {
		return
	}
	b := prey[p.rng.IntN(len(prey))]
	if b.process.Kill() == nil {
		p.kills++
		p.idle++
		p.killed[memberName(b.number, strconv.Itoa(b.life))] = true
	}
	b.process = nil
}

// live runs a process once and says whether it has to live again: it was killed.
func (p *pack) live(b *beast) bool {
	cmd := exec.Command(os.Args[0])
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Error(err)
		return false
	}
	p.mu.Lock()
	name := memberName(b.number, strconv.Itoa(b.life))
	cmd.Env = append(p.env[:len(p.env):len(p.env)], envMember+"="+strconv.Itoa(b.number), envLife+"="+strconv.Itoa(b.life), envFrom+"="+strconv.Itoa(b.from))
	if err = cmd.Start(); err == nil {
		b.process, b.spoke = cmd.Process, false
	}
	p.mu.Unlock()
	if err != nil {
		p.t.Error(err)
		return false
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		p.hear(b, name, lines.Text())
	}
	err = cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	b.process = nil
	b.life++
	if err != nil && !p.killed[name] {
		p.t.Errorf("process %s: %v: %s", name, err, stderr.String())
		return false
	}
	return err != nil
}

// hear takes in what a process said; it has happened.
func (p *pack) hear(b *beast, name, line string) {
	step, key, _ := strings.Cut(line, " ")
	p.mu.Lock()
	defer p.mu.Unlock()
	b.spoke = true
	switch step {
	case "enqueued":
		b.from++
	case "finished":
		p.finished[key]++
		p.idle = 0
	case "robbed":
		p.robbed[name] = true
		p.taken++
	}
}
