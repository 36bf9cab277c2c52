package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// Swarm is many processes that work on one study while one of them after another is killed.
type Swarm struct {
	Processes int
	Trials    int           // that each process enqueues; any process may run them
	Every     time.Duration // between two kills of a random process
	Lost      time.Duration // a running trial without a sign of life for so long is put back
	Seed      uint64        // of the choice of victims
}

// Variables of a process of a swarm, beside envPath.
const (
	envMember = "MAPSWEEP_STORETEST_MEMBER" // number of the process, from 0
	envLife   = "MAPSWEEP_STORETEST_LIFE"   // how often it was started before
	envFrom   = "MAPSWEEP_STORETEST_FROM"   // first of its trials that it does not know to be enqueued
	envSwarm  = "MAPSWEEP_STORETEST_SWARM"  // the Swarm, as JSON
)

// member is one process of a swarm, in one of its lives.
type member struct {
	trials.Store
	swarm   Swarm
	studyID int64
	number  int
	name    string // as the worker of attempts
	say     func(step, key string)
}

// swarmChild runs a member until all trials of the study are finished.
func swarmChild(open Open, path string) error {
	ctx := context.Background()
	m := member{say: func(step, key string) { fmt.Println(step, key) }} // unbuffered: the parent counts on what it has read
	if err := json.Unmarshal([]byte(os.Getenv(envSwarm)), &m.swarm); err != nil {
		return err
	}
	number, err := strconv.Atoi(os.Getenv(envMember))
	if err != nil {
		return err
	}
	from, err := strconv.Atoi(os.Getenv(envFrom))
	if err != nil {
		return err
	}
	m.number, m.name = number, memberName(number, os.Getenv(envLife))
	if m.Store, err = open(ctx, path); err != nil {
		return err
	}
	st, err := m.Study(ctx, "s")
	if err != nil {
		return err
	}
	m.studyID = st.ID
	if err := m.work(ctx, from); err != nil {
		return err
	}
	return m.Close()
}

func memberName(number int, life string) string { return fmt.Sprintf("host/%d/%s", number, life) }

func memberKey(number, i int) string { return fmt.Sprintf("%03d-%05d", number, i) }

// memberPoint is a point that no other key has.
func memberPoint(key string) trials.Suggestion {
	sg := point(key)
	var number, i int
	if _, err := fmt.Sscanf(key, "%d-%d", &number, &i); err != nil {
		panic("storetest: key " + key)
	}
	sg.Params["lr0"], sg.Params["box"] = 0.001+float64(i)/1e6, 1+float64(number)
	return sg
}

// work enqueues the member's own trials one by one and runs what is waiting, its own or another's; then it looks
// after the trials of others until none is left.
func (m *member) work(ctx context.Context, from int) error {
	for i := from; i < m.swarm.Trials; i++ {
		key := memberKey(m.number, i)
		t, err := m.Start(ctx, m.studyID, m.name, memberPoint(key))
		none := errors.Is(err, trials.ErrNoneWaiting)
		if err != nil && !none {
			return err
		}
		m.say("enqueued", key)
		if none { // it was there, and is finished or runs elsewhere
			continue
		}
		if err := m.run(ctx, t); err != nil {
			return err
		}
		if i%32 == 0 {
			if _, err := m.reclaim(ctx); err != nil {
				return err
			}
		}
	}
	for {
		t, err := m.Claim(ctx, m.studyID, m.name)
		if err == nil {
			err = m.run(ctx, t)
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, trials.ErrNoneWaiting) {
			return err
		}
		open, err := m.reclaim(ctx)
		if err != nil || open == 0 {
			return err
		}
		m.say("looked", "-")
		time.Sleep(m.swarm.Lost / 20)
	}
}

// run trains a trial: it fails if its key says so. A trial that was taken away meanwhile, because this process seemed
// dead, is left alone.
func (m *member) run(ctx context.Context, t trials.Trial) error {
	m.say("claimed", t.Key)
	ctx = trials.Holding(ctx, t)
	for e := 1; e <= epochs; e++ {
		if err := m.Record(ctx, t.ID, trials.Measurement{Epoch: e, At: trials.Now(), Metrics: map[string]float64{"mAP50-95": score(t.Key, e)}}); err != nil {
			return m.robbed(t, err)
		}
	}
	if err := m.Heartbeat(ctx, t.ID); err != nil {
		return m.robbed(t, err)
	}
	if err := m.Finish(ctx, t.ID, memberOutcome(t.Key)); err != nil {
		return m.robbed(t, err)
	}
	m.say("finished", t.Key)
	return nil
}

// memberOutcome is how the trial with that key ends: every tenth fails.
func memberOutcome(key string) trials.Outcome {
	if key[len(key)-1] == '3' {
		return trials.Outcome{State: trials.Fail, Attrs: map[string]json.RawMessage{
			trials.AttrClass: trials.Attr(trials.ClassDiverged), trials.AttrReason: trials.Attr("loss is NaN")}}
	}
	return trials.Outcome{State: trials.Complete, Values: []float64{score(key, epochs)}}
}

func (m *member) robbed(t trials.Trial, err error) error {
	if !errors.Is(err, trials.ErrTaken) && !errors.Is(err, trials.ErrFinished) {
		return err
	}
	m.say("robbed", t.Key)
	return nil
}

// reclaim puts trials back whose worker gave no sign of life for too long, and counts those that have not finished.
func (m *member) reclaim(ctx context.Context) (open int, err error) {
	c, err := m.Changes(ctx, m.studyID, math.MaxInt64)
	if err != nil {
		return 0, err
	}
	for _, t := range c.Open {
		silent := time.Since(t.LostAt(trials.Now()))
		if t.State != trials.Running || silent < m.swarm.Lost {
			continue
		}
		err := m.Reclaim(ctx, *t, fmt.Sprintf("no sign of life for %v", silent), nil)
		if err != nil && !errors.Is(err, trials.ErrNotRunning) {
			return 0, err
		}
	}
	return len(c.Open), nil
}

// checkSwarm requires that every trial of a swarm was run to its end exactly once.
func checkSwarm(t *testing.T, s Swarm, all []trials.Trial, r record) {
	t.Helper()
	if want := s.Processes * s.Trials; len(all) != want {
		t.Errorf("%d trials, want %d", len(all), want)
	}
	byKey := make(map[string]trials.Trial, len(all))
	lost := 0
	for i, tr := range all {
		if tr.Number != i || i > 0 && tr.ID <= all[i-1].ID {
			t.Errorf("place %d holds number %d with ID %d", i, tr.Number, tr.ID)
		}
		byKey[tr.Key] = tr
		lost += r.attempts(t, tr)
		if want := memberPoint(tr.Key); tr.Params.Key() != want.Params.Key() || len(tr.Space) != len(want.Space) {
			t.Errorf("trial %d (%s) is half: %v", i, tr.Key, tr.Params)
		}
		want := memberOutcome(tr.Key)
		if tr.State != want.State || len(tr.Values) != len(want.Values) || len(want.Values) > 0 && tr.Values[0] != want.Values[0] {
			t.Errorf("trial %d (%s) is %s with %v", i, tr.Key, tr.State, tr.Values)
		}
		if tr.State == trials.Fail && tr.Text(trials.AttrClass) != trials.ClassDiverged {
			t.Errorf("trial %d (%s) failed as %q", i, tr.Key, tr.Text(trials.AttrClass))
		}
		if len(tr.Measurements) != epochs || tr.Measurements[epochs-1].Metrics["mAP50-95"] != score(tr.Key, epochs) {
			t.Errorf("trial %d (%s) has the measurements %v", i, tr.Key, tr.Measurements)
		}
	}
	for p := range s.Processes {
		for i := range s.Trials {
			if _, ok := byKey[memberKey(p, i)]; !ok {
				t.Errorf("trial %s is missing", memberKey(p, i))
			}
		}
	}
	if lost == 0 && r.kills > 4*s.Processes {
		t.Errorf("no attempt was lost in %d kills: they came when there was nothing to lose", r.kills)
	}
	t.Logf("%d trials, %d kills, %d attempts lost, %d of them taken from processes that lived", len(all), r.kills, lost, r.taken)
}
