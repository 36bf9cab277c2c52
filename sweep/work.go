package sweep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trials"
)

// work runs one worker per lease, and a watch beside them, until nothing is left or someone stops it.
func (r *run) work(ctx context.Context) error {
	select {
	case <-r.Stop:
		r.halt() // asked before we began
	default:
	}
	g, gctx := errgroup.WithContext(ctx)
	accept, refuse := context.WithCancelCause(gctx)
	defer refuse(nil)
	go func() {
		select {
		case <-r.stopping:
			refuse(ErrStopped)
		case <-accept.Done():
		}
	}()
	for range r.pool.Size() {
		g.Go(func() error { return r.worker(gctx, accept) })
	}
	done := make(chan struct{})
	var watched error
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		watched = r.watch(gctx, done)
	}()
	err := g.Wait()
	close(done)
	<-watching
	if err == nil {
		err = watched
	}
	return err
}

// worker leases, claims and runs one trial after the other. accept ends when nothing new may start.
func (r *run) worker(ctx, accept context.Context) error {
	for ctx.Err() == nil && !r.isStopping() {
		news := r.listen()
		err := r.one(ctx, accept)
		switch {
		case err == nil:
		case accept.Err() != nil && errors.Is(err, context.Cause(accept)):
			return nil // stopped while it waited for a lease
		case errors.Is(err, trials.ErrNoneWaiting):
			more, err := r.others(ctx)
			if err != nil || !more {
				return quiet(ctx, err)
			}
			r.pause(ctx, news)
		case errors.Is(err, ErrBudget):
			return nil
		default:
			return quiet(ctx, err)
		}
	}
	return nil
}

// one runs one trial. The lease comes before the claim: a trial that waits for a device must be free for another
// process that has one.
func (r *run) one(ctx, accept context.Context) error {
	lease, release, err := r.pool.Acquire(accept, local.Shared)
	if err != nil {
		return err
	}
	h := &holding{lease, release}
	defer h.end()
	t, err := r.next(ctx)
	if err != nil {
		return err
	}
	return r.runTrial(ctx, accept, h, t)
}

// holding is the lease of the trial that a worker runs.
type holding struct {
	lease   local.Lease
	release func()
}

func (h *holding) end() {
	if h.release != nil {
		h.release()
	}
}

// change gives the lease back and waits for one of another kind.
func (h *holding) change(ctx context.Context, pool *local.Pool, how local.Alone) error {
	h.release()
	h.release = nil
	lease, release, err := pool.Acquire(ctx, how)
	if err != nil {
		return err
	}
	h.lease, h.release = lease, release
	return nil
}

// quiet drops errors that only say that the context ended.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return nil
	}
	return err
}

// listen gives a channel that is closed when a trial of this process has ended and what it brought is enqueued.
func (r *run) listen() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.news
}

// wake lets idle workers look again.
func (r *run) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.news)
	r.news = make(chan struct{})
}

// pause waits before looking again for trials.
func (r *run) pause(ctx context.Context, news <-chan struct{}) {
	t := time.NewTimer(r.Limits.Poll)
	defer t.Stop()
	select {
	case <-t.C:
	case <-news:
	case <-ctx.Done():
	case <-r.stopping:
	}
}

// next claims a waiting trial; a search suggests one if none waits, and unsettled variants get replicates. ErrNoneWaiting: all are
// claimed. ErrBudget: nothing more may start.
func (r *run) next(ctx context.Context) (trials.Trial, error) {
	r.asking.Lock()
	defer r.asking.Unlock()
	for {
		if ok, err := r.checkBudget(ctx); err != nil || !ok {
			return trials.Trial{}, errors.Join(err, map[bool]error{false: ErrBudget}[ok])
		}
		if r.isStopping() || ctx.Err() != nil {
			return trials.Trial{}, trials.ErrNoneWaiting
		}
		if r.driver != nil && r.hasEnded() == "" {
			t, err := r.driver.Ask(ctx, r.Worker)
			var end *Ended
			if errors.As(err, &end) {
				err = errors.Join(trials.ErrNoneWaiting, r.endSearch(ctx, end.Why))
			}
			return t, err
		}
		t, err := r.Store.Claim(ctx, r.study.ID, r.Worker)
		if !errors.Is(err, trials.ErrNoneWaiting) {
			return t, err
		}
		if more, err := r.nextReplicates(ctx); err != nil || !more {
			if err == nil {
				err = trials.ErrNoneWaiting
			}
			return t, err
		}
	}
}

// others says whether to go on waiting: trials of other processes are running and may come
// back to the queue, or trials of this one may show that more replicates are needed, or that a pruned one should go on. It puts those of
// vanished workers back itself.
func (r *run) others(ctx context.Context) (bool, error) {
	v, err := r.ledger.look(ctx)
	if err != nil {
		return false, err
	}
	more := false
	for _, t := range v.open {
		if t.State == trials.Waiting {
			more = true // put back since we looked
		}
		if t.State != trials.Running || foreign(*t) {
			continue
		}
		r.mu.Lock()
		_, ours := r.active[t.ID]
		r.mu.Unlock()
		if ours {
			continue
		}
		more = true
		lost, err := r.reclaim(ctx, *t)
		if err != nil {
			return false, err
		}
		if lost {
			r.Log.Warn("another worker vanished, its trial runs again", "trial", t.Number)
		}
	}
	_, promotes := r.promoter()
	if more || !r.settles() && !promotes {
		return more, nil
	}
	r.mu.Lock()
	busy := len(r.active) > 0
	r.mu.Unlock()
	if busy {
		return true, nil
	}
	if promotes {
		return r.driver.goesOn(ctx)
	}
	return r.nextReplicates(ctx) // the last trial may have ended after they were asked for
}

// watch gives signs of life for the running trials and passes on requests to stop.
func (r *run) watch(ctx context.Context, done <-chan struct{}) error {
	tick := time.NewTicker(r.Limits.Heartbeat)
	defer tick.Stop()
	stop := r.Stop
	for {
		select {
		case <-done:
			return nil
		case <-stop:
			stop = nil
			r.halt()
		case <-tick.C:
			if ctx.Err() != nil {
				continue // wait for the workers
			}
			if err := r.beat(ctx); err != nil && ctx.Err() == nil {
				r.abort(err)
				return err
			}
		}
	}
}

// alive asks a store that keeps a file whether the file is still there.
func (r *run) alive(ctx context.Context) error {
	if g, ok := r.Store.(trials.Guard); ok {
		return g.Alive(ctx)
	}
	return nil
}

// beat looks for the store's file, sends heartbeats and looks for a stop request.
func (r *run) beat(ctx context.Context) error {
	if err := r.alive(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	var running []*active
	for _, a := range r.active {
		running = append(running, a)
	}
	r.mu.Unlock()
	for _, a := range running {
		err := r.Store.Heartbeat(a.holding(ctx), a.trial.ID)
		switch {
		case errors.Is(err, trials.ErrNotRunning), errors.Is(err, trials.ErrTaken):
			a.cancel(errTaken)
		case errors.Is(err, trials.ErrFinished): // it has just ended, or someone else ended it
			if !a.ending() {
				a.cancel(errTaken)
			}
		case err != nil:
			return fmt.Errorf("send heartbeat: %w", err)
		}
	}
	stop, err := r.stopRequested(ctx)
	if err != nil {
		return fmt.Errorf("look for stop request: %w", err)
	}
	if stop {
		r.halt()
	}
	return nil
}

// abort cancels the running trials because the study cannot go on.
func (r *run) abort(err error) {
	r.stopOnce.Do(func() { close(r.stopping) })
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.active {
		a.cancel(storeError{err})
	}
}
