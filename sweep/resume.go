package sweep

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// link is an earlier trial of a chain.
type link struct {
	number int
	curve  []trials.Measurement // of the chain up to and with it
}

// chain lists the trials that t goes on from, the last one first; none for a trial that continues no other.
func (r *run) chain(ctx context.Context, t trials.Trial) ([]link, error) {
	if _, ok := t.Continues(); !ok {
		return nil, nil
	}
	if _, err := r.ledger.look(ctx); err != nil {
		return nil, fmt.Errorf("read the trials that trial %d continues: %w", t.Number, err)
	}
	by := func(n int) (*trials.Trial, bool) {
		o, ok := r.ledger.byNumber(n)
		return &o, ok
	}
	var links []link
	for at := &t; ; {
		n, ok := at.Continues()
		if ok {
			at, ok = by(n)
		}
		if !ok {
			return links, nil
		}
		links = append(links, link{n, at.Curve(by)})
	}
}

// start is where an attempt begins.
type start struct {
	path  string               // checkpoint to go on from, or ""
	again int                  // last epochs of it that are reported again
	known []trials.Measurement // of the epochs that are finished, those of earlier trials of the chain among them
	note  string               // what has to be said of it, or ""
}

// from finds what an attempt goes on from: what an earlier attempt left in the trial's directory, else what the trial that it continues
// left in its own, else what that one continues. first says that there was no earlier attempt.
func (r *run) from(t trials.Trial, links []link, dir string, first bool) (s start, err error) {
	b, ok := r.Backend.(trainer.Resumer)
	if !ok {
		return s, nil
	}
	curve := t.Measurements
	if len(links) > 0 {
		curve = trials.Join(links[0].curve, curve)
	}
	if !first {
		s, refused := r.latest(b, t, dir, curve)
		if refused { // what lies there is of no use here, and must not be taken for what comes now
			if err := errors.Join(setAside(dir, r.Now()), os.MkdirAll(dir, 0o755)); err != nil {
				return s, fmt.Errorf("make directory of trial %d anew: %w", t.Number, err)
			}
		}
		if s.path != "" {
			return s, nil
		}
	}
	for i, l := range links {
		s, _ := r.latest(b, t, trialDir(r.Dir, l.number), l.curve)
		if s.path == "" {
			continue
		}
		if i > 0 {
			s.note = fmt.Sprintf("trial %d left no checkpoint that it could go on from: it went on from trial %d, after epoch %d", links[0].number, l.number, lastEpoch(s.known))
		}
		return s, nil
	}
	if len(links) > 0 {
		s.note = fmt.Sprintf("trial %d left no checkpoint that it could go on from: it started from epoch 1", links[0].number)
		r.Log.Warn("pruned trial left no checkpoint, the trial that continues it starts from epoch 1", "trial", t.Number, "continues", links[0].number)
	}
	return s, nil
}

// latest looks for a checkpoint in a directory whose epochs are all measured, or can be reported again. refused: there is one, but
// it does not fit here.
func (r *run) latest(b trainer.Resumer, t trials.Trial, dir string, curve []trials.Measurement) (s start, refused bool) {
	path, epoch := b.Latest(dir)
	if path == "" {
		return s, false
	}
	known := epoch
	if !hasEpochs(curve, epoch) {
		known = gapless(curve)
	}
	if known < epoch && !rereports(b, path, known+1, epoch) {
		return s, false
	}
	if !r.canResume(t, path) {
		return s, true
	}
	s.path, s.again = path, epoch-known
	s.known = slices.DeleteFunc(slices.Clone(curve), func(m trials.Measurement) bool { return m.Epoch > known })
	return s, false
}
