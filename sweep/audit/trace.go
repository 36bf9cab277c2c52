package audit

import (
	"context"
	"fmt"
	"maps"
	"os"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// batch collects configurations, each once, for one call of a trainer.
type batch struct {
	template trainer.Job // what all jobs share
	jobs     []trainer.Job
	index    map[string]int
	traces   []trainer.Trace
}

// newBatch begins with two runs of the reference, jobs 0 and 1.
func newBatch(template trainer.Job, base trials.Params) *batch {
	b := &batch{template: template, index: map[string]int{}}
	b.add(base, template.Seed)
	b.append(base, template.Seed)
	return b
}

// add returns the number of the job that runs these parameters with that seed.
func (b *batch) add(p trials.Params, seed int64) int {
	key := fmt.Sprint(seed, " ", p.Key())
	i, ok := b.index[key]
	if !ok {
		i = b.append(p, seed)
		b.index[key] = i
	}
	return i
}

func (b *batch) append(p trials.Params, seed int64) int {
	j := b.template
	j.Number, j.Params, j.Seed = len(b.jobs), p.Clone(), seed
	b.jobs = append(b.jobs, j)
	return j.Number
}

// run traces the jobs that have no trace yet, in one call if all goes well.
func (b *batch) run(ctx context.Context, a trainer.Auditor, opts trainer.TraceOptions) error {
	got, err := call(ctx, a, b.jobs[len(b.traces):], opts)
	if err != nil {
		if got, err = rescue(ctx, a, b.jobs, len(b.traces), opts, err); err != nil {
			return err
		}
	}
	b.traces = append(b.traces, got...)
	return nil
}

// rescue looks for the configuration that broke a call, so that the others have their traces. A trainer that
// cannot even run the reference is an error.
func rescue(ctx context.Context, a trainer.Auditor, jobs []trainer.Job, done int, opts trainer.TraceOptions, cause error) ([]trainer.Trace, error) {
	if ctx.Err() != nil {
		return nil, cause
	}
	if done > 0 { // the reference has run before
		return halve(ctx, a, jobs[done:], opts, cause)
	}
	base, err := call(ctx, a, jobs[:1], opts)
	if err != nil {
		return nil, err
	}
	rest, err := halve(ctx, a, jobs[1:], opts, nil)
	return append(base, rest...), err
}

// halve traces jobs in ever smaller calls. cause is the error of the call with all of them, if there was one.
func halve(ctx context.Context, a trainer.Auditor, jobs []trainer.Job, opts trainer.TraceOptions, cause error) ([]trainer.Trace, error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	if cause == nil {
		got, err := call(ctx, a, jobs, opts)
		if err == nil {
			return got, nil
		}
		cause = err
	}
	if ctx.Err() != nil {
		return nil, cause
	}
	if len(jobs) == 1 {
		return []trainer.Trace{{Failed: cause.Error()}}, nil
	}
	first, err := halve(ctx, a, jobs[:len(jobs)/2], opts, nil)
	if err != nil {
		return nil, err
	}
	rest, err := halve(ctx, a, jobs[len(jobs)/2:], opts, nil)
	return append(first, rest...), err
}

// call traces jobs, each with an empty folder of its own below theirs; a panic, or another number of traces than
// jobs, is an error.
func call(ctx context.Context, a trainer.Auditor, jobs []trainer.Job, opts trainer.TraceOptions) (got []trainer.Trace, err error) {
	defer func() {
		if p := recover(); p != nil {
			got, err = nil, fmt.Errorf("trainer panicked: %v", p)
		}
	}()
	copies := make([]trainer.Job, len(jobs))
	for i, j := range jobs {
		j.Params = maps.Clone(j.Params)
		if j.Dir, err = os.MkdirTemp(j.Dir, fmt.Sprintf("trial-%04d-", j.Number)); err != nil {
			return nil, fmt.Errorf("make folder of the audit: %w", err)
		}
		copies[i] = j
	}
	got, err = a.Trace(ctx, copies, opts)
	switch {
	case err != nil:
		return nil, err
	case len(got) != len(jobs):
		return nil, fmt.Errorf("the trainer traced %d of %d configurations", len(got), len(jobs))
	}
	for i := range got {
		if got[i].Failed == "" && len(got[i].Steps) == 0 {
			got[i].Failed = "the trainer reported no step"
		}
	}
	return got, nil
}
