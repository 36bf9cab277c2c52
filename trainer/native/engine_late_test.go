package native

import (
	"slices"

	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

// lateEngine is the CPU's engine with results that come some steps late, as those of a device that works by itself.
type lateEngine struct {
	engine
	lag     int
	waiting []lateStep
	ended   []result
	stopped bool
	err     error
}

type lateStep struct {
	batch  batch
	update optim.Update
}

// Late makes a backend's runs use an engine whose results come so many steps late.
func Late(b *Backend, lag int) {
	b.openCPU = func(c engineConfig) (engine, error) {
		e, err := newCPUEngine(c)
		return &lateEngine{engine: e, lag: lag}, err
	}
}

func (e *lateEngine) submit(b batch, u optim.Update) error {
	b.images, b.truths = slices.Clone(b.images), slices.Clone(b.truths)
	e.waiting = append(e.waiting, lateStep{b, u})
	return e.work(e.lag)
}

// work runs steps until no more than some are left.
func (e *lateEngine) work(left int) error {
	for ; len(e.waiting) > left && e.err == nil; e.waiting = e.waiting[1:] {
		if e.stopped {
			continue
		}
		if e.err = e.engine.submit(e.waiting[0].batch, e.waiting[0].update); e.err != nil {
			break
		}
		r, err := e.engine.results(true)
		e.ended, e.err = append(e.ended, r...), err
		e.stopped = r[0].notFinite() != ""
	}
	return e.err
}

func (e *lateEngine) results(wait bool) ([]result, error) {
	if wait {
		_ = e.work(0)
	}
	ended := e.ended
	e.ended = nil
	return ended, e.err
}

func (e *lateEngine) scoring() (func(), error) {
	if err := e.work(0); err != nil {
		return nil, err
	}
	return e.engine.scoring()
}

func (e *lateEngine) finite() (bool, error) {
	if err := e.work(0); err != nil {
		return false, err
	}
	return e.engine.finite()
}

func (e *lateEngine) state() ([]arenas, error) {
	if err := e.work(0); err != nil {
		return nil, err
	}
	return e.engine.state()
}
