//go:build peers

package peers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// storeMetric is the objective of the store benchmark.
const storeMetric = "loss"

// storeValue is testdata/store.py's value: the Rosenbrock valley on the unit cube, scaled to [-2, 2].
func storeValue(p trials.Params) float64 {
	sum := 0.0
	for i := range 5 {
		a, b := 4*p[storeName(i)].(float64)-2, 4*p[storeName(i+1)].(float64)-2
		sum += 100*(b-a*a)*(b-a*a) + (1-a)*(1-a)
	}
	return sum
}

func storeName(i int) string { return "x" + strconv.Itoa(i) }

// storeSpec is a search of n trials over six floats of the unit interval.
func storeSpec(n int) studies.Spec {
	low, high := 0.0, 1.0
	s := studies.Spec{Name: "s", Seed: 1, Design: studies.DesignSearch, Replicates: 1,
		Objective: studies.Objective{Metric: storeMetric, Direction: trials.Minimize},
		Baseline:  trials.Params{}, Search: &studies.Search{Sampler: "tpe", Trials: n}}
	s.Trainer.Epochs = 1
	for i := range 6 {
		s.Factors = append(s.Factors, studies.Factor{Name: storeName(i), Low: &low, High: &high})
		s.Baseline[storeName(i)] = 0.5
	}
	return s
}

// counted counts the transactions of a driver: every call that writes is one.
type counted struct {
	trials.Store
	commits int
}

func (c *counted) Start(ctx context.Context, study int64, worker string, s ...trials.Suggestion) (trials.Trial, error) {
	c.commits++
	return c.Store.Start(ctx, study, worker, s...)
}

func (c *counted) Claim(ctx context.Context, study int64, worker string) (trials.Trial, error) {
	c.commits++
	return c.Store.Claim(ctx, study, worker)
}

func (c *counted) Record(ctx context.Context, id int64, m trials.Measurement) error {
	c.commits++
	return c.Store.Record(ctx, id, m)
}

func (c *counted) Finish(ctx context.Context, id int64, o trials.Outcome) error {
	c.commits++
	return c.Store.Finish(ctx, id, o)
}

// storeRun is one study of ours on the disk.
type storeRun struct {
	t      *testing.T
	store  *counted
	study  trials.Study
	driver *sweep.Driver
}

// openRun opens the database at path and drives the study in it, which is made if need be.
func openRun(t *testing.T, path string, level sqlite.Durability) *storeRun {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, sqlite.WithDurability(level))
	check(t, err)
	r := &storeRun{t: t, store: &counted{Store: db}}
	spec := storeSpec(1 << 30)
	if r.study, err = db.Study(t.Context(), spec.Name); err != nil {
		r.study, err = db.CreateStudy(t.Context(), trials.Study{Name: spec.Name, Directions: []trials.Direction{trials.Minimize}, Objective: storeMetric})
	}
	check(t, err)
	sampler, err := storeSampler(sweep.SamplerConfig{Seed: 1, Space: spec.Space(), Trials: spec.Search.Trials})
	check(t, err)
	r.driver, err = sweep.NewDriver(t.Context(), r.store, r.study, sweep.DriverConfig{Spec: spec, Sampler: sampler})
	check(t, err)
	return r
}

func (r *storeRun) close() { check(r.t, r.store.Close()) }

// one asks, records and tells one trial, and says how long asking took.
func (r *storeRun) one() time.Duration {
	ctx := r.t.Context()
	began := time.Now()
	t, err := r.driver.Ask(ctx, "host/1/0")
	asked := time.Since(began)
	check(r.t, err)
	v := storeValue(t.Params)
	check(r.t, r.driver.Record(ctx, t.ID, trials.Measurement{Epoch: 1, At: trials.Now(), Metrics: map[string]float64{storeMetric: v}}))
	check(r.t, r.driver.Tell(ctx, t.ID, trials.Outcome{State: trials.Complete, Values: []float64{v}}))
	return asked
}

// prefill lays n finished trials of random points down, without the sampler.
func (r *storeRun) prefill(n int) {
	const batch = 500
	ctx, rng, space := r.t.Context(), rand.New(rand.NewPCG(1, 1)), storeSpec(n).Space()
	for i := 0; i < n; {
		var sgs []trials.Suggestion
		for ; i < n && len(sgs) < batch; i++ {
			s := trials.Suggestion{Key: fmt.Sprintf("suggestion-%04d", i), Space: space, Params: trials.Params{},
				Attrs: map[string]json.RawMessage{trials.AttrSeed: trials.Attr(1), trials.AttrReplicate: trials.Attr(0), trials.AttrData: trials.Attr(""),
					trials.AttrEpochs: trials.Attr(1), trials.AttrSaw: trials.Attr(trials.Saw{Log: int64(i), Trials: i})}}
			for j := range 6 {
				s.Params[storeName(j)] = rng.Float64()
			}
			sgs = append(sgs, s)
		}
		t, err := r.store.Start(ctx, r.study.ID, "host/1/0", sgs...)
		for range sgs {
			check(r.t, err)
			v := storeValue(t.Params)
			check(r.t, r.store.Record(ctx, t.ID, trials.Measurement{Epoch: 1, At: trials.Now(), Metrics: map[string]float64{storeMetric: v, "mAP50": v, "loss/box": v}}))
			check(r.t, r.store.Finish(ctx, t.ID, trials.Outcome{State: trials.Complete, Values: []float64{v},
				Attrs: map[string]json.RawMessage{trials.AttrScoreEpoch: trials.Attr(1), trials.AttrFinal: trials.Attr(trials.At{Epoch: 1, Value: v}), trials.AttrBest: trials.Attr(trials.At{Epoch: 1, Value: v})}}))
			if t, err = r.store.Claim(ctx, r.study.ID, "host/1/0"); t.ID == 0 {
				break
			}
		}
	}
}

// storeRate is what one run of one side came to.
type storeRate struct {
	Trials  int     `json:"trials"`
	Seconds float64 `json:"seconds"`
	Asking  float64 `json:"asking"`    // seconds of asking and suggesting
	CPU     float64 `json:"processor"` // seconds of processor time
	Commits float64 `json:"commits"`   // a trial; 0: not known
}

func (r storeRate) perSecond() float64   { return float64(r.Trials) / r.Seconds }
func (r storeRate) suggestions() float64 { return float64(r.Trials) / r.Asking }

// measure runs n trials. One goes ahead of the clock: it reads what is there.
func (r *storeRun) measure(n int) storeRate {
	r.one()
	r.store.commits = 0
	began, cpu, asking := time.Now(), processor(), time.Duration(0)
	for range n {
		asking += r.one()
	}
	return storeRate{Trials: n, Seconds: time.Since(began).Seconds(), Asking: asking.Seconds(), CPU: (processor() - cpu).Seconds(), Commits: float64(r.store.commits) / float64(n)}
}

// storePeer runs testdata/store.py in the same directory as ours.
func storePeer(t *testing.T, python, dir, peer, setting string, n, prefill int, limit time.Duration) storeRate {
	t.Helper()
	dir, err := os.MkdirTemp(dir, peer)
	check(t, err)
	defer os.RemoveAll(dir)
	cmd := exec.CommandContext(t.Context(), python, "testdata/store.py", peer, setting, dir+"/x.db",
		strconv.Itoa(n), strconv.FormatFloat(limit.Seconds(), 'f', -1, 64), strconv.Itoa(prefill))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	check(t, err)
	var r storeRate
	check(t, json.Unmarshal(out, &r))
	return r
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
