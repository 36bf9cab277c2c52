package trainertest

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// Subject is a backend under test.
type Subject struct {
	// New makes the backend; it is called once per subtest.
	New func(t *testing.T) trainer.Backend
	// Job is a short run of at least 3 epochs that succeeds. Dir is filled in by the suite.
	Job trainer.Job
	// Objective is a metric that every epoch reports.
	Objective string
	// Exact: the same job gives the same numbers, whatever else runs, and a resumed run those of an uninterrupted one.
	Exact bool
	// Stop is how soon Train must return after its context has ended; 0: 5 s.
	Stop time.Duration
	// Failing, if it has parameters, is a job that must end in a *trainer.Failure of class FailClass.
	Failing   trainer.Job
	FailClass string
}

var errCause = errors.New("cancelled by the suite")

// Test runs the conformance suite.
func Test(t *testing.T, s Subject) {
	if s.Stop == 0 {
		s.Stop = 5 * time.Second
	}
	if s.Job.Epochs < 3 {
		t.Fatal("the suite needs a job of at least 3 epochs")
	}
	if s.Job.Threads == 0 {
		s.Job.Threads = 1
	}
	t.Run("reports every epoch", func(t *testing.T) { s.reports(t) })
	t.Run("cancelled before it starts", func(t *testing.T) { s.cancelledBefore(t) })
	t.Run("cancelled while it runs", func(t *testing.T) { s.cancelledDuring(t) })
	t.Run("resumes", func(t *testing.T) { s.resumes(t) })
	t.Run("repeats", func(t *testing.T) { s.repeats(t) })
	t.Run("runs beside another", func(t *testing.T) { s.parallel(t) })
	t.Run("fails with a class", func(t *testing.T) { s.fails(t) })
	t.Run("describes its knobs", func(t *testing.T) { s.knobs(t) })
	t.Run("tells its cost", func(t *testing.T) { s.probes(t) })
	t.Run("traces steps", func(t *testing.T) { s.traces(t) })
}

// outcome is what one call of Train did.
type outcome struct {
	measured []trials.Measurement
	late     bool // reported after it returned
	res      trainer.Result
	err      error
	took     time.Duration // from the end of the context to the return; 0 if it did not end
}

// train runs a job; after is called within each report.
func train(ctx context.Context, b trainer.Backend, job trainer.Job, after func(epoch int)) outcome {
	var o outcome
	returned := false
	ended := make(chan time.Time, 1)
	stop := context.AfterFunc(ctx, func() { ended <- time.Now() })
	defer stop()
	o.res, o.err = b.Train(ctx, job, func(m trials.Measurement) {
		if returned {
			o.late = true
			return
		}
		o.measured = append(o.measured, m.Clone())
		if after != nil {
			after(m.Epoch)
		}
	})
	returned = true
	if ctx.Err() != nil {
		o.took = time.Since(<-ended)
	}
	return o
}

func (s Subject) job(t *testing.T) trainer.Job {
	j := s.Job
	j.Dir = t.TempDir()
	j.Params = s.Job.Params.Clone()
	return j
}

func (s Subject) reports(t *testing.T) {
	job := s.job(t)
	params := job.Params.Key()
	o := train(t.Context(), s.New(t), job, nil)
	if o.err != nil {
		t.Fatalf("Train: %v", o.err)
	}
	if len(o.measured) != job.Epochs {
		t.Fatalf("%d epochs reported, want %d", len(o.measured), job.Epochs)
	}
	for i, m := range o.measured {
		if m.Epoch != i+1 {
			t.Errorf("report %d is of epoch %d: epochs count from 1, in order", i, m.Epoch)
		}
		if v, ok := m.Metrics[s.Objective]; !ok || math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("epoch %d: %s = %v, reported %v", m.Epoch, s.Objective, v, ok)
		}
	}
	if o.late {
		t.Error("reported after Train had returned")
	}
	if got := job.Params.Key(); got != params {
		t.Errorf("Train changed its job's parameters from %s to %s", params, got)
	}
	for name, v := range job.Params {
		if e, ok := o.res.Effective[name]; ok && !trials.SameValue(e, v) {
			t.Errorf("effective %s is %v, asked for %v", name, e, v)
		}
	}
	if c := o.res.Checkpoint; c != "" {
		if rel, err := filepath.Rel(job.Dir, c); err != nil || !filepath.IsLocal(rel) {
			t.Errorf("checkpoint %s lies outside the trial's directory %s", c, job.Dir)
		}
	}
}

func (s Subject) cancelledBefore(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errCause)
	s.checkCancelled(t, train(ctx, s.New(t), s.job(t), nil), 0)
}

func (s Subject) cancelledDuring(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	o := train(ctx, s.New(t), s.job(t), func(epoch int) {
		if epoch == 1 {
			cancel(errCause)
		}
	})
	s.checkCancelled(t, o, s.Job.Epochs-1)
}

// checkCancelled wants the cause, soon, after at most that many epochs.
func (s Subject) checkCancelled(t *testing.T, o outcome, most int) {
	t.Helper()
	if !errors.Is(o.err, errCause) {
		t.Errorf("Train returned %v, want the cause with which its context was cancelled", o.err)
	}
	if len(o.measured) > most {
		t.Errorf("%d epochs reported, want at most %d", len(o.measured), most)
	}
	if o.took > s.Stop {
		t.Errorf("returned %v after the end of its context, want at most %v", o.took, s.Stop)
	}
}

func (s Subject) resumes(t *testing.T) {
	b := s.New(t)
	r, ok := b.(trainer.Resumer)
	if !ok {
		t.Skip("this backend does not resume")
	}
	job := s.job(t)
	if path, epoch := r.Latest(job.Dir); path != "" || epoch != 0 {
		t.Errorf("Latest of an empty directory = %q, %d", path, epoch)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	before := train(ctx, b, job, func(epoch int) {
		if epoch == 2 {
			cancel(errCause)
		}
	})
	path, epoch := r.Latest(job.Dir)
	if path == "" || epoch < 1 || epoch > len(before.measured) {
		t.Fatalf("after %d epochs Latest = %q, %d", len(before.measured), path, epoch)
	}
	job.Resume = path
	after := train(t.Context(), b, job, nil)
	if after.err != nil {
		t.Fatalf("resume: %v", after.err)
	}
	for i, m := range after.measured {
		if m.Epoch != epoch+1+i {
			t.Errorf("report %d after resuming from epoch %d is of epoch %d", i, epoch, m.Epoch)
		}
	}
	if n := epoch + len(after.measured); n != job.Epochs {
		t.Errorf("resumed run ended at epoch %d of %d", n, job.Epochs)
	}
	if s.Exact {
		whole := train(t.Context(), s.New(t), s.job(t), nil)
		sameMetrics(t, "resumed and uninterrupted run", append(before.measured[:epoch:epoch], after.measured...), whole.measured)
	}
}

func (s Subject) repeats(t *testing.T) {
	if !s.Exact {
		t.Skip("this backend does not promise the same numbers twice")
	}
	a := train(t.Context(), s.New(t), s.job(t), nil)
	b := train(t.Context(), s.New(t), s.job(t), nil)
	sameMetrics(t, "two runs of one job", a.measured, b.measured)
	other := s.job(t)
	other.Seed += 1000
	c := train(t.Context(), s.New(t), other, nil)
	if c.err == nil && equalMetrics(a.measured, c.measured) {
		t.Error("another seed gives the same numbers: the seed does nothing")
	}
}

func (s Subject) parallel(t *testing.T) {
	b := s.New(t)
	alone := train(t.Context(), b, s.job(t), nil)
	jobs := []trainer.Job{s.job(t), s.job(t)}
	jobs[1].Seed += 1000
	done := make(chan outcome)
	go func() { done <- train(t.Context(), b, jobs[1], nil) }()
	beside := train(t.Context(), b, jobs[0], nil)
	other := <-done
	if beside.err != nil || other.err != nil {
		t.Fatalf("two trials at once: %v, %v", beside.err, other.err)
	}
	if s.Exact {
		sameMetrics(t, "alone and beside another trial", alone.measured, beside.measured)
	}
}

func (s Subject) fails(t *testing.T) {
	if len(s.Failing.Params) == 0 {
		t.Skip("no failing job given")
	}
	job := s.Failing
	job.Dir = t.TempDir()
	o := train(t.Context(), s.New(t), job, nil)
	var f *trainer.Failure
	if !errors.As(o.err, &f) {
		t.Fatalf("Train returned %v, want a *trainer.Failure", o.err)
	}
	if f.Class != s.FailClass || f.Reason == "" {
		t.Errorf("failure of class %q with reason %q, want class %q and a reason", f.Class, f.Reason, s.FailClass)
	}
}

func (s Subject) knobs(t *testing.T) {
	d, ok := s.New(t).(trainer.Describer)
	if !ok {
		t.Skip("this backend names no knobs")
	}
	seen := map[string]bool{}
	for _, k := range d.Knobs() {
		if k.Name == "" || seen[k.Name] || k.Help == "" {
			t.Errorf("knob %+v: wants a name of its own and a help text", k)
		}
		seen[k.Name] = true
		if v, num := trials.Number(k.Default); num && k.High >= k.Low && (v < k.Low || v > k.High) {
			t.Errorf("knob %s: default %v outside %v to %v", k.Name, v, k.Low, k.High)
		}
		if k.Kind == trials.Categorical && len(k.Choices) > 0 && !(trials.Param{Kind: k.Kind, Choices: k.Choices}).Contains(k.Default) {
			t.Errorf("knob %s: default %v is none of its choices %v", k.Name, k.Default, k.Choices)
		}
	}
}

func (s Subject) probes(t *testing.T) {
	p, ok := s.New(t).(trainer.Prober)
	if !ok {
		t.Skip("this backend cannot be probed")
	}
	est, err := p.Probe(t.Context(), s.job(t))
	if err != nil || est.Seconds <= 0 || math.IsInf(est.Seconds, 0) {
		t.Errorf("Probe = %+v, %v: want a positive number of seconds", est, err)
	}
}

// traces runs a job twice and once with another seed for two steps.
func (s Subject) traces(t *testing.T) {
	b, ok := s.New(t).(trainer.Auditor)
	if !ok {
		t.Skip("this backend cannot be audited")
	}
	for _, bare := range []bool{false, true} {
		jobs := []trainer.Job{s.job(t), s.job(t), s.job(t)}
		jobs[2].Seed++
		got, err := b.Trace(t.Context(), jobs, trainer.TraceOptions{Steps: 2, Bare: bare})
		if err != nil || len(got) != len(jobs) {
			t.Fatalf("Trace of %d jobs, bare %v: %d traces, %v", len(jobs), bare, len(got), err)
		}
		for i, tr := range got {
			if tr.Failed != "" || len(tr.Steps) != 2 {
				t.Fatalf("job %d, bare %v: %d steps, failed %q", i, bare, len(tr.Steps), tr.Failed)
			}
			for n, st := range tr.Steps {
				for _, c := range []string{trainer.ChannelLoss, trainer.ChannelWeights} {
					if len(st.Values[c]) == 0 && st.Hashes[c] == "" {
						t.Errorf("job %d, bare %v, step %d: channel %s is empty", i, bare, n+1, c)
					}
				}
				for c := range st.Hashes {
					if !slices.Contains(trainer.Channels, c) {
						t.Errorf("job %d, step %d: there is no channel %q", i, n+1, c)
					}
					if same := st.Hashes[c] == got[0].Steps[n].Hashes[c]; s.Exact && i == 1 && !same {
						t.Errorf("bare %v, step %d: %s of the same job differs", bare, n+1, c)
					}
				}
			}
		}
		if c := trainer.ChannelWeights; got[2].Steps[1].Hashes[c] == got[0].Steps[1].Hashes[c] {
			t.Errorf("bare %v: another seed gave the same weights", bare)
		}
		if list := trials.Mismatches(jobs[0].Params, got[0].Effective); !bare && len(list) > 0 {
			t.Errorf("effective configuration: %s", trials.MismatchText(list))
		}
	}
}

func equalMetrics(a, b []trials.Measurement) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Epoch != b[i].Epoch || len(a[i].Metrics) != len(b[i].Metrics) {
			return false
		}
		for k, v := range a[i].Metrics {
			w, ok := b[i].Metrics[k]
			if timed(k) {
				continue
			}
			if !ok || v != w && !(math.IsNaN(v) && math.IsNaN(w)) {
				return false
			}
		}
	}
	return true
}

// timed says whether a metric is a time or a rate, which no two runs share.
func timed(key string) bool { return len(key) > 5 && key[:5] == "time/" }

func sameMetrics(t *testing.T, what string, a, b []trials.Measurement) {
	t.Helper()
	if !equalMetrics(a, b) {
		t.Errorf("%s differ:\n%v\n%v", what, a, b)
	}
}
