package sweep

import (
	"context"
	"sync"

	"github.com/mapsweep/mapsweep/studies/courses"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// settling is what a run knows of a study whose variants get replicates until they are settled. Everything but what
// this process has asked for and told of follows from the trials that are stored (studies/courses).
type settling struct {
	mu    sync.Mutex
	asked map[string]bool              // keys of points that this process has enqueued
	told  map[string]inference.Verdict // of variants whose end was told; e-BH may settle one that was given up
}

// settles says that variants get replicates until they are settled.
func (r *run) settles() bool { return r.settling != nil }

// advance judges every variant and enqueues the replicates that the unsettled ones need next, lowest first. more says
// whether any of them is new to this process; settled are the variants that are done and were not told of before.
// Several processes may do so at once: they enqueue the same keys. Once the budget is used up nothing is enqueued.
func (r *run) advance(ctx context.Context) (more bool, settled []VariantSettled, err error) {
	if !r.settles() {
		return false, nil, nil
	}
	s := r.settling
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := r.ledger.look(ctx); err != nil {
		return false, nil, err
	}
	at := courses.Read(r.spec, r.layout.plan, r.ledger.list(), false)
	for _, v := range at.Variants {
		if id := v.Data + "\x00" + v.Arm; v.Done && s.told[id] != v.Verdict {
			s.told[id] = v.Verdict
			settled = append(settled, VariantSettled{v})
		}
	}
	if !r.affordable() {
		return false, settled, nil
	}
	for _, p := range at.Missing {
		if err := r.enqueuePoint(ctx, p); err != nil {
			return more, settled, err
		}
		more = more || !s.asked[p.Key]
		s.asked[p.Key] = true
	}
	if more {
		r.wake()
	}
	return more, settled, nil
}

// stopped says for each trial whether its variant gets no more replicates, so that its failure needs no repetition.
func (r *run) stopped(ts []trials.Trial) func(trials.Trial) bool {
	if !r.settles() {
		return func(trials.Trial) bool { return false }
	}
	at := courses.Read(r.spec, r.layout.plan, ts, false)
	points := map[string]design.Point{}
	for _, p := range r.layout.plan.Points {
		points[p.Key] = p
	}
	return func(t trials.Trial) bool {
		p, ok := points[pointKey(t, r.layout.planned)]
		return ok && at.Stopped(p.Data, p.Arm)
	}
}

// nextReplicates asks for the replicates of unsettled variants, which may run when no trial waits.
func (r *run) nextReplicates(ctx context.Context) (more bool, err error) {
	more, settled, err := r.advance(ctx)
	r.tell(settled)
	return more, err
}

func (r *run) tell(settled []VariantSettled) {
	for _, ev := range settled {
		r.emit(ev)
	}
}
