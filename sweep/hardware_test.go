package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/telemetry"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// rig is a set of devices whose memory the trials of a test take and give back.
type rig struct {
	mu    sync.Mutex
	total int64
	used  []int64
	most  map[string]int // trials at once, by device
	now   map[string]int
}

func newRig(n int, total int64) *rig {
	r := &rig{total: total, used: make([]int64, n), most: map[string]int{}, now: map[string]int{}}
	for i := range r.used {
		r.used[i] = 300
	}
	return r
}

func (r *rig) list() ([]telemetry.GPU, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []telemetry.GPU
	for i, used := range r.used {
		all = append(all, telemetry.GPU{Index: i, UUID: fmt.Sprint("GPU-rig-", i), Name: "Rig", TotalMiB: r.total, FreeMiB: r.total - used, Utilisation: 0.5, Fake: true})
	}
	return all, nil
}

// take changes the memory in use on a job's devices, and counts the trials on them.
func (r *rig) take(job trainer.Job, mib int64, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range job.Devices {
		i := 0
		if _, err := fmt.Sscanf(d, "cuda:%d", &i); err != nil {
			continue
		}
		r.used[i] += mib
		r.now[d] += n
		r.most[d] = max(r.most[d], r.now[d])
	}
}

// onRig is a backend whose trials hold memory while they run.
type onRig struct {
	trainertest.Fake
	rig   *rig
	needs func(job trainer.Job) int64
}

func (b *onRig) Train(ctx context.Context, job trainer.Job, report func(trials.Measurement)) (trainer.Result, error) {
	mib := b.needs(job)
	b.rig.take(job, mib, 1)
	defer b.rig.take(job, -mib, -1)
	return b.Fake.Train(ctx, job, report)
}

// telling is a backend that knows how much its trials hold.
type telling struct {
	trainer.Backend
	mib int64
}

func (b telling) Train(ctx context.Context, job trainer.Job, report func(trials.Measurement)) (trainer.Result, error) {
	res, err := b.Backend.Train(ctx, job, report)
	res.PeakMiB = b.mib
	return res, err
}

func rigBench(t *testing.T, r *rig, b trainer.Backend) *bench {
	w := newBench(t, b)
	w.Devices = local.Devices{GPUs: r.list, Pack: true, Settle: 100 * time.Millisecond}
	w.Sampler = telemetry.NewSampler(r.list, 5*time.Millisecond)
	return w
}

// Trials of two GPUs each on eight, and of one each on two: never two on a device, the jobs say where, and what the
// devices did is in every measurement.
func TestLeasesInEngine(t *testing.T) {
	for _, c := range []struct{ gpus, per, at int }{{2, 1, 2}, {8, 2, 4}, {8, 1, 6}} {
		t.Run(fmt.Sprintf("%d of %d", c.per, c.gpus), func(t *testing.T) {
			r := newRig(c.gpus, 24000)
			b := &onRig{Fake: trainertest.Fake{Pause: 20 * time.Millisecond}, rig: r, needs: func(trainer.Job) int64 { return 20000 }}
			w := rigBench(t, r, b)
			spec := fixed()
			spec.Trainer.GPUs, spec.Budget.Parallel = c.per, 0
			wantSummary(t, w.run(t, spec, nil), sweep.Summary{Planned: 6, Complete: 6})
			for d, n := range r.most {
				if n > 1 {
					t.Errorf("%d trials at once on %s", n, d)
				}
			}
			for _, j := range b.Jobs() {
				if len(j.Devices) != c.per || j.Devices[0] == "cpu" {
					t.Errorf("trial %d ran on %v", j.Number, j.Devices)
				}
			}
			for _, tr := range w.trials(t, "fixed") {
				total := 0.0
				for _, m := range tr.Measurements {
					if total += m.Metrics["time/epoch"]; math.Abs(m.Metrics["time/train"]-total) > 1e-9 {
						t.Errorf("trial %d, epoch %d: trained %v s, epochs took %v s", tr.Number, m.Epoch, m.Metrics["time/train"], total)
					}
					if m.Metrics["gpu/memory"] < 0.8 || m.Metrics["gpu/utilisation"] != 0.5 || m.Metrics["gpu/memory-mib"] != 20000 || m.Metrics["time/epoch"] <= 0 {
						t.Errorf("trial %d, epoch %d: %v", tr.Number, m.Epoch, m.Metrics)
					}
				}
				if n, _ := tr.Integer(trials.AttrPeakMiB); n != 20000 {
					t.Errorf("trial %d: peak %d MiB", tr.Number, n)
				}
			}
			st, _ := w.store.Study(t.Context(), "fixed")
			if len(st.Provenance.Devices) != c.gpus || !strings.Contains(st.Provenance.Devices[0], "FAKE") {
				t.Errorf("provenance %v does not say that devices are fake", st.Provenance.Devices)
			}
			if ev := w.events[0].(sweep.StudyStarted); len(ev.Devices) != c.gpus || ev.Parallel < c.at {
				t.Errorf("%+v", ev)
			}
		})
	}
}

// The first trial is the probe: after it three of 7000 MiB share a device of 24000. A time is not measured that way.
func TestPackingInEngine(t *testing.T) {
	for metric, most := range map[string]int{"mAP50-95": 3, "time/epoch": 1} {
		t.Run(metric, func(t *testing.T) {
			r := newRig(1, 24000)
			b := &onRig{Fake: trainertest.Fake{Pause: 20 * time.Millisecond}, rig: r, needs: func(trainer.Job) int64 { return 7000 }}
			w := rigBench(t, r, b)
			spec := fixed()
			spec.Objective.Metric, spec.Replicates, spec.Budget.Parallel = metric, 4, 0
			wantSummary(t, w.run(t, spec, nil), sweep.Summary{Planned: 12, Complete: 12})
			if r.most["cuda:0"] != most {
				t.Errorf("%d trials at once on the device, want %d", r.most["cuda:0"], most)
			}
		})
	}
	t.Run("without any memory", func(t *testing.T) {
		r := newRig(1, 24000)
		b := &onRig{Fake: trainertest.Fake{Pause: 30 * time.Millisecond}, rig: r, needs: func(trainer.Job) int64 { return 0 }}
		w := rigBench(t, r, b)
		spec := fixed()
		spec.Budget.Parallel = 3
		w.run(t, spec, nil)
		if n, ok := w.trials(t, "fixed")[0].Integer(trials.AttrPeakMiB); !ok || n != 0 || r.most["cuda:0"] != 3 {
			t.Errorf("%d trials at once that use no GPU memory (%d MiB)", r.most["cuda:0"], n)
		}
	})
	t.Run("told by the trainer", func(t *testing.T) { // whose trials the driver cannot tell apart: two of 9000 MiB
		r := newRig(1, 24000)
		b := &onRig{Fake: trainertest.Fake{Pause: 20 * time.Millisecond}, rig: r, needs: func(trainer.Job) int64 { return 100 }}
		w := rigBench(t, r, telling{b, 9000})
		spec := fixed()
		spec.Replicates, spec.Budget.Parallel = 4, 0
		w.run(t, spec, nil)
		if n, _ := w.trials(t, "fixed")[0].Integer(trials.AttrPeakMiB); n != 9000 || r.most["cuda:0"] != 2 {
			t.Errorf("%d trials at once, %d MiB", r.most["cuda:0"], n)
		}
		if d := w.trials(t, "fixed")[0].Text(trials.AttrDevices); d != "cuda:0" {
			t.Errorf("the trial ran on %q", d)
		}
	})
	t.Run("known from earlier", func(t *testing.T) {
		r := newRig(1, 24000)
		b := &onRig{Fake: trainertest.Fake{Pause: 20 * time.Millisecond}, rig: r, needs: func(trainer.Job) int64 { return 7000 }}
		w := rigBench(t, r, b)
		spec := fixed()
		w.run(t, spec, nil)
		r.most = map[string]int{}
		spec.Replicates, spec.Budget.Parallel = 4, 3
		first := time.Now()
		w.run(t, spec, nil)
		if r.most["cuda:0"] != 3 {
			t.Errorf("%d at once after %v, the peak of the first run was forgotten", r.most["cuda:0"], time.Since(first))
		}
	})
}

// memoryFails is a failure of that class as a trainer reports it.
func memoryFails(class string, peak int64) error {
	return &trainer.Failure{Class: class, Reason: "CUDA out of memory at step 3", LogTail: "Tried to allocate", PeakMiB: peak}
}

// Out of memory, or without a GPU that still works, with neighbours, then alone: the trial is complete and its retry is counted.
func TestRetryAlone(t *testing.T) {
	for _, class := range []string{trials.ClassMemory, trials.ClassDevice} {
		t.Run(class, func(t *testing.T) { retryAlone(t, class) })
	}
}

func retryAlone(t *testing.T, class string) {
	r := newRig(2, 24000)
	b := &onRig{rig: r, needs: func(trainer.Job) int64 { return 2000 }}
	var mu sync.Mutex
	failed := map[int]bool{}
	b.Before = func(_ context.Context, job trainer.Job, epoch int) error {
		mu.Lock()
		defer mu.Unlock()
		if job.Params["x"] == 0.0 && epoch == 2 && !failed[job.Number] {
			failed[job.Number] = true
			return memoryFails(class, 0)
		}
		return nil
	}
	w := rigBench(t, r, b)
	var leases []local.Lease
	w.Events = func(ev sweep.Event) {
		if ev, ok := ev.(sweep.TrialStarted); ok && len(ev.Trial.Attempts) > 1 {
			leases = append(leases, ev.Lease)
		}
	}
	wantSummary(t, w.run(t, fixed(), nil), sweep.Summary{Planned: 6, Complete: 6})
	if len(leases) != 2 || leases[0].Alone != local.AloneOnGPU || leases[1].Alone != local.AloneOnGPU {
		t.Errorf("second starts with the leases %+v", leases)
	}
	for _, tr := range w.trials(t, "fixed") {
		n := sweep.Retries(tr)
		if want := map[bool]int{true: 1}[tr.Params["x"] == 0.0]; n[class] != want || len(tr.Attempts) != 1+want {
			t.Errorf("trial %d: retries %v, %d attempts", tr.Number, n, len(tr.Attempts))
		} else if want == 1 && (tr.Attempts[0].Outcome != "fail" || !strings.Contains(tr.Attempts[0].Reason, class+": CUDA out of memory at step 3; it starts again, alone on its GPU")) {
			t.Errorf("trial %d: attempt %+v", tr.Number, tr.Attempts[0])
		}
		if len(tr.Measurements) != 4 {
			t.Errorf("trial %d: %d epochs", tr.Number, len(tr.Measurements))
		}
	}
}

// Out of memory alone, too: the point cannot be run, and the reason says what it held. The next run leaves it at that.
func TestInfeasible(t *testing.T) {
	r := newRig(2, 24000)
	b := &onRig{rig: r, needs: func(job trainer.Job) int64 {
		if job.Params["x"] == 0.0 {
			return 22000
		}
		return 2000
	}}
	b.Before = func(_ context.Context, job trainer.Job, epoch int) error {
		if job.Params["x"] == 0.0 && epoch == 2 {
			return memoryFails(trials.ClassMemory, 23456)
		}
		return nil
	}
	w := rigBench(t, r, b)
	wantSummary(t, w.run(t, fixed(), nil), sweep.Summary{Planned: 6, Complete: 4, Infeasible: 2})
	for _, tr := range w.trials(t, "fixed") {
		if tr.Params["x"] != 0.0 {
			continue
		}
		reason := tr.Text(trials.AttrReason)
		for _, part := range []string{"out of GPU memory again, alone on its GPU, cuda:", "Rig (24000 MiB) [FAKE", "at its peak it held 23456 MiB", "smaller batch", "CUDA out of memory at step 3"} {
			if !strings.Contains(reason, part) {
				t.Errorf("trial %d: no %q in %q", tr.Number, part, reason)
			}
		}
		if tr.Text(trials.AttrClass) != trials.ClassInfeasible || len(tr.Attempts) != 2 || tr.Text(trials.AttrLogTail) != "Tried to allocate" {
			t.Errorf("trial %d: %s after %d attempts", tr.Number, tr.Text(trials.AttrClass), len(tr.Attempts))
		}
		if n, _ := tr.Integer(trials.AttrPeakMiB); n != 23456 {
			t.Errorf("trial %d: peak %d", tr.Number, n)
		}
	}
	n := len(b.Jobs())
	w.run(t, fixed(), nil)
	if len(b.Jobs()) != n {
		t.Error("what cannot be run was run again")
	}
}

// The table of retries, one class at a time: how often a trial starts, and what shares the machine with it.
func TestRetriesByClass(t *testing.T) {
	for _, c := range []struct {
		class    string
		gpus     int
		attempts int
		counted  string // class of AttrRetries
		ends     string
	}{
		{trials.ClassMemory, 1, 2, trials.ClassMemory, trials.ClassInfeasible},
		{trials.ClassMemory, 0, 2, trials.ClassHostMemory, trials.ClassMemory}, // no GPU: it is the machine's
		{trials.ClassHostMemory, 1, 2, trials.ClassHostMemory, trials.ClassHostMemory},
		{trials.ClassHostMemory, 0, 2, trials.ClassHostMemory, trials.ClassHostMemory},
		{trials.ClassError, 1, 1, "", trials.ClassError},
		{trials.ClassTimeout, 1, 1, "", trials.ClassTimeout},
		{trials.ClassDiverged, 1, 1, "", trials.ClassDiverged},
		{trials.ClassInfeasible, 1, 1, "", trials.ClassInfeasible},
		{trials.ClassLost, 1, 1, "", trials.ClassLost},
	} {
		t.Run(fmt.Sprintf("%s, %d GPUs", c.class, c.gpus), func(t *testing.T) {
			r := newRig(c.gpus, 24000)
			b := &onRig{rig: r, needs: func(trainer.Job) int64 { return 1000 }}
			b.Before = func(_ context.Context, job trainer.Job, epoch int) error {
				if job.Params["x"] == 0.0 && epoch == 2 {
					return memoryFails(c.class, 0)
				}
				return nil
			}
			w := rigBench(t, r, b)
			if c.gpus == 0 {
				w.Devices = local.Devices{}
			}
			spec := fixed()
			spec.Replicates = 1
			w.run(t, spec, nil)
			tr := w.trials(t, "fixed")[1]
			got := sweep.Retries(tr)
			want := map[string]int{}
			if c.counted != "" {
				want[c.counted] = 1
			}
			if len(tr.Attempts) != c.attempts || !maps.Equal(got, want) || tr.Text(trials.AttrClass) != c.ends {
				t.Errorf("%d attempts, retries %v, ended as %s: %s", len(tr.Attempts), got, tr.Text(trials.AttrClass), tr.Text(trials.AttrReason))
			}
		})
	}
}

// A process that is killed after the count and before the trial is back has used up the retry: the next
// one starts the trial alone, and does not start it a third time.
func TestRetryIsCountedOnce(t *testing.T) {
	r := newRig(1, 24000)
	b := &onRig{rig: r, needs: func(trainer.Job) int64 { return 1000 }}
	b.Before = func(_ context.Context, job trainer.Job, _ int) error {
		if job.Number == 0 {
			return memoryFails(trials.ClassMemory, 0)
		}
		return nil
	}
	w := rigBench(t, r, b)
	w.Store = killedStore{w.store}
	if _, err := w.Run(t.Context(), fixed(), nil); !errors.Is(err, errKilled) {
		t.Fatalf("first run: %v", err)
	}
	tr := w.trials(t, "fixed")[0]
	if tr.State != trials.Running || sweep.Retries(tr)[trials.ClassMemory] != 1 {
		t.Fatalf("after the kill: %s, retries %v", tr.State, sweep.Retries(tr))
	}
	w.Store, w.Worker = w.store, "elsewhere/1/1.a.b"
	w.Probe = func(string) local.Life { return local.Dead }
	w.run(t, fixed(), nil)
	tr = w.trials(t, "fixed")[0]
	if n := sweep.Retries(tr); n[trials.ClassMemory] != 1 || n[trials.ClassLost] != 1 || len(tr.Attempts) != 2 || tr.Text(trials.AttrClass) != trials.ClassInfeasible {
		t.Errorf("retries %v, %d attempts, %s", n, len(tr.Attempts), tr.Text(trials.AttrClass))
	}
}

var errKilled = errors.New("killed")

// killedStore dies at the moment at which a trial is put back because it failed.
type killedStore struct{ trials.Store }

func (s killedStore) Requeue(context.Context, int64, string, string) error { return errKilled }

// A trial that waits to be alone is given up when the study is asked to stop, and stays in the queue with its count.
func TestStopWhileWaitingToBeAlone(t *testing.T) {
	dir := t.TempDir()
	other, err := local.NewPool(1, 1, local.Devices{Dir: dir}, nil) // another process, with a trial that goes on and on
	if err != nil {
		t.Fatal(err)
	}
	_, release, err := other.Acquire(t.Context(), local.Shared)
	if err != nil {
		t.Fatal(err)
	}
	fake := &trainertest.Fake{Before: func(context.Context, trainer.Job, int) error { return memoryFails(trials.ClassHostMemory, 0) }}
	w := newBench(t, fake)
	w.Devices = local.Devices{Dir: dir}
	stop := make(chan struct{})
	w.Stop = stop
	w.Events = func(ev sweep.Event) {
		if ev, ok := ev.(sweep.TrialFinished); ok && ev.Trial.State == trials.Waiting && strings.Contains(ev.Reason, "alone on the machine") {
			time.AfterFunc(200*time.Millisecond, func() { close(stop) }) // by then it waits
		}
	}
	spec := fixed()
	spec.Budget.Parallel = 1
	w.run(t, spec, sweep.ErrStopped)
	tr := w.trials(t, "fixed")[0]
	if n := sweep.Retries(tr); tr.State != trials.Waiting || n[trials.ClassHostMemory] != 1 || len(tr.Attempts) != 2 || tr.Attempts[1].Outcome != "interrupted" {
		t.Fatalf("%s, retries %v, attempts %+v", tr.State, n, tr.Attempts)
	}
	if n := len(fake.Jobs()); n != 1 {
		t.Errorf("%d trials ran beside one that wants the machine alone", n)
	}
	release()
	w.Stop, w.Events, fake.Before = nil, nil, nil
	if sum := w.run(t, spec, nil); sum.Complete != 6 {
		t.Errorf("afterwards: %+v", sum)
	}
}

// A fault that every trial shares ends the study after the first one, says so, and is repeated when it is mended.
func TestFaultOfEveryTrial(t *testing.T) {
	for _, c := range []struct {
		name  string
		class string
		bad   func(job trainer.Job) bool
		from  int // epoch in which it fails
		data  []string
		tried int // trials that started, at most; 0: all
	}{
		{"data", trials.ClassData, func(trainer.Job) bool { return true }, 1, nil, 1},
		{"package", trials.ClassPackage, func(trainer.Job) bool { return true }, 1, nil, 1},
		{"script", trials.ClassScript, func(trainer.Job) bool { return true }, 1, nil, 1},
		{"usage", trials.ClassUsage, func(trainer.Job) bool { return true }, 1, nil, 1},
		{"usage of an arm", trials.ClassUsage, func(j trainer.Job) bool { return j.Params["x"] == 0.0 }, 1, nil, 0},
		{"after an epoch", trials.ClassData, func(trainer.Job) bool { return true }, 2, nil, 0},
		{"one data set of two", trials.ClassData, func(j trainer.Job) bool { return j.Data == "digits" }, 1, []string{"digits", "trees"}, 0},
		{"both data sets", trials.ClassData, func(trainer.Job) bool { return true }, 1, []string{"digits", "trees"}, 7},
		{"error is no such class", trials.ClassError, func(trainer.Job) bool { return true }, 1, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			mended := false
			fake := &trainertest.Fake{}
			fake.Before = func(_ context.Context, job trainer.Job, epoch int) error {
				if !mended && c.bad(job) && epoch == c.from {
					return &trainer.Failure{Class: c.class, Reason: "broken for all"}
				}
				return nil
			}
			w := newBench(t, fake)
			spec := fixed()
			spec.Budget.Parallel = 1
			if c.data != nil {
				spec.Trainer.Data = c.data
			}
			all := 6 * len(spec.Trainer.Data)
			sum, err := w.Run(t.Context(), spec, nil)
			if c.tried == 0 {
				if err != nil || len(fake.Jobs()) != all {
					t.Fatalf("%v after %d of %d trials", err, len(fake.Jobs()), all)
				}
				return
			}
			if !errors.Is(err, sweep.ErrEveryTrial) || !strings.Contains(err.Error(), c.class+": broken for all") || len(fake.Jobs()) > c.tried {
				t.Fatalf("%v after %d trials", err, len(fake.Jobs()))
			}
			if sum.Failed != len(fake.Jobs()) || sum.Waiting != all-sum.Failed || sum.Planned != all {
				t.Errorf("%+v", sum)
			}
			mended = true
			if sum := w.run(t, spec, nil); sum.Complete != all {
				t.Errorf("after it was mended: %+v", sum)
			}
		})
	}
}

// A device that is asked for and not there ends the run before anything is stored.
func TestNoDevice(t *testing.T) {
	w := rigBench(t, newRig(1, 24000), &trainertest.Fake{})
	spec := fixed()
	spec.Trainer.Device = "cuda:3"
	w.run(t, spec, trainer.ErrNoDevice)
	if all, _ := w.store.Studies(t.Context()); len(all) != 0 {
		t.Error("a study was stored")
	}
	spec.Trainer.Device = "cpu"
	w.run(t, spec, nil)
	for _, tr := range w.trials(t, "fixed") {
		if _, leased := tr.Attrs[trials.AttrPeakMiB]; leased || slices.Contains(slices.Collect(maps.Keys(tr.Measurements[0].Metrics)), "gpu/memory") {
			t.Error("a trial on the CPU has GPU figures")
		}
	}
}

// What the trainer itself reports is not replaced by what was sampled, and what was sampled is no metric of the trainer's.
func TestTrainerGoesFirst(t *testing.T) {
	w := rigBench(t, newRig(1, 24000), &trainertest.Fake{Metrics: func(trainer.Job, int) map[string]float64 {
		return map[string]float64{"time/epoch": 42, "other": 1}
	}})
	spec := fixed()
	spec.Objective.Metric = "time/epoch"
	spec.Objective.Direction = trials.Minimize
	w.run(t, spec, nil)
	if tr := w.trials(t, "fixed")[0]; tr.Values[0] != 42 {
		t.Errorf("time/epoch %v, the trainer said 42", tr.Values)
	}
	spec.Name, spec.Objective.Metric = "missing", "mAP50-95"
	w.run(t, spec, nil)
	if reason := w.trials(t, "missing")[0].Text(trials.AttrReason); !strings.HasSuffix(reason, "it reported other, time/epoch") && !strings.HasSuffix(reason, "it reported other") {
		t.Errorf("reason %q names what the trainer did not report", reason)
	}
}
