package grid

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

type sampler struct {
	seed     int64
	points   int
	shuffled bool

	mu    sync.Mutex
	known *progress // memo
}

// progress is how far the log of finished trials has come through the grid.
type progress struct {
	*grid
	space       trials.Space
	tried       map[string]bool // points of the log
	next        int             // in the grid's order: all combinations before are in the log or left out
	read        int
	first, last *trials.Trial
}

// New makes a sampler that tries every combination of levels once. A combination that the history has is not tried again,
// however it ended. Options:
//
//	points: n                    values of each continuous factor without a step, from one end of its scale to the other
//	order: shuffled | declared   by the study's seed, or with the last factor running fastest
func New(c sweep.SamplerConfig) (sweep.Sampler, error) {
	o := sweep.ReadOptions(c.Options)
	s := &sampler{seed: c.Seed, points: o.Int("points", 0, 2, most), shuffled: o.Choice("order", "shuffled", "shuffled", "declared") == "shuffled"}
	if err := o.Err(); err != nil {
		return nil, err
	}
	_, err := newGrid(c.Space, s.points, s.shuffle())
	return s, err
}

func (s *sampler) shuffle() *rand.Rand {
	if !s.shuffled {
		return nil
	}
	return rand.New(rand.NewPCG(uint64(s.seed), 0x67726964)) // "grid"
}

// Suggest implements sweep.Sampler. The random stream is not used.
func (s *sampler) Suggest(ctx context.Context, h sweep.History, _ *rand.Rand) (trials.Suggestion, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, open, err := s.come(h)
	if err != nil {
		return trials.Suggestion{}, err
	}
	for i := p.next; i < len(p.order); i++ {
		if ctx.Err() != nil {
			return trials.Suggestion{}, context.Cause(ctx)
		}
		out, ok := p.at(h, p.order[i])
		ended := !ok || p.tried[out.Params.Key()]
		if ended && i == p.next {
			p.next++
		}
		if !ended && !open[out.Params.Key()] {
			return out, nil
		}
	}
	return trials.Suggestion{}, fmt.Errorf("grid of %d combinations: %w", len(p.order), sweep.ErrExhausted)
}

// Left implements sweep.Finite.
func (s *sampler) Left(h sweep.History, most int) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, open, err := s.come(h)
	if err != nil {
		return 0, err
	}
	for i := p.next; i < len(p.order) && n < most; i++ {
		if out, ok := p.at(h, p.order[i]); ok && !p.tried[out.Params.Key()] && !open[out.Params.Key()] {
			n++
		}
	}
	return n, nil
}

// come is how far a history has come through the grid, and its open points.
func (s *sampler) come(h sweep.History) (p *progress, open map[string]bool, err error) {
	if p = s.known; p == nil || !sweep.Extends(h.Finished, p.read, p.first, p.last) || !reflect.DeepEqual(p.space, h.Space) {
		g, err := newGrid(h.Space, s.points, s.shuffle())
		if err != nil {
			return nil, nil, err
		}
		p = &progress{grid: g, space: h.Space, tried: map[string]bool{}}
		s.known = p
	}
	p.extend(h)
	open = map[string]bool{}
	for _, t := range h.Open {
		open[key(t)] = true
	}
	return p, open, nil
}

// extend notes the points of the log that are new.
func (p *progress) extend(h sweep.History) {
	for _, t := range h.Finished[p.read:] {
		p.tried[key(t)] = true
	}
	if p.read = len(h.Finished); p.read > 0 {
		p.first, p.last = h.Finished[0], h.Finished[p.read-1]
	}
}

// key names the point of a trial by what varies.
func key(t *trials.Trial) string {
	at := trials.Params{}
	for _, q := range t.Space {
		at[q.Name] = t.Params[q.Name]
	}
	return at.Key()
}
