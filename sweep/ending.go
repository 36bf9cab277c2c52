package sweep

import (
	"context"
	"fmt"

	"github.com/mapsweep/mapsweep/trials"
)

// Ended is the error of a search that is done before it has all the trials that it may have. It matches
// trials.ErrNoneWaiting.
type Ended struct{ Why string }

// Error says why.
func (e *Ended) Error() string { return "the search is done: " + e.Why }

// Is matches trials.ErrNoneWaiting.
func (e *Ended) Is(target error) bool { return target == trials.ErrNoneWaiting }

// Expecter is an optional interface of samplers that can tell what the next point is expected to gain over the best one so
// far, in the objective's unit; ok is false while it cannot.
type Expecter interface {
	Expected(ctx context.Context, h History) (gain float64, ok bool, err error)
}

// checkStop refuses a rule that nothing can follow.
func (d *Driver) checkStop() error {
	s := d.spec.Search
	if s.Stop == nil || s.Stop.Expected <= 0 {
		return nil
	}
	if _, ok := d.sampler.(Expecter); !ok {
		return invalidf("search.stop.expected: sampler %s does not tell what it expects, gp does; stop by no_improvement", s.Sampler)
	}
	return nil
}

// ends says why the search ends here, *Ended, or nil: by its own rules, not by its number of trials.
func (d *Driver) ends(ctx context.Context, v view) error {
	stop := d.spec.Search.Stop
	if stop == nil || v.tried < len(d.tries) {
		return nil
	}
	if n := stop.NoImprovement; n > 0 {
		d.stale.read(v.log, d.goals[0].Direction)
		if len(d.stale.points) >= n {
			return &Ended{fmt.Sprintf("the last %d points that ended were no better than trial %d", len(d.stale.points), d.stale.best)}
		}
	}
	e, ok := d.sampler.(Expecter)
	if !ok || stop.Expected <= 0 {
		return nil
	}
	gain, ok, err := guardedExpected(ctx, e, d.history(v))
	if err != nil {
		return fmt.Errorf("ask %s for the expected improvement: %w", d.spec.Search.Sampler, err)
	}
	if ok && gain < stop.Expected {
		return &Ended{fmt.Sprintf("the next point is expected to gain %.3g at most, less than %.3g", gain, stop.Expected)}
	}
	return nil
}

// guardedExpected turns a panicking sampler into an error.
func guardedExpected(ctx context.Context, e Expecter, h History) (gain float64, ok bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("sampler panicked: %v", p)
		}
	}()
	return e.Expected(ctx, h)
}

// staleness follows a log: which points have ended since the best trial did.
type staleness struct {
	seen   int // entries of the log
	best   int // number of the best trial
	value  float64
	any    bool                 // there is a best one
	points map[int]map[int]bool // by suggestion, numbers of the trials of it that have ended
}

// read goes on to the end of log. A point counts once, whatever the number of its trials; those that were lost, or
// left out, do not count, nor those that another one repeats or continues: that one has yet to end.
func (s *staleness) read(log []*trials.Trial, dir trials.Direction) {
	if s.points == nil {
		s.points = map[int]map[int]bool{}
	}
	for _, t := range log[s.seen:] {
		i, ok := suggestionIndex(*t)
		if !ok {
			i = -1 - t.Number
		}
		switch {
		case t.State == trials.Complete && t.Feasible() && len(t.Values) > 0 && (!s.any || dir.Better(t.Values[0], s.value)):
			s.best, s.value, s.any = t.Number, t.Values[0], true
			clear(s.points)
		case !t.Counts():
			if delete(s.points[i], t.Number); len(s.points[i]) == 0 {
				delete(s.points, i)
			}
		case !s.any || t.State == trials.Fail && !AgainstPoint(t):
		default:
			if s.points[i] == nil {
				s.points[i] = map[int]bool{}
			}
			s.points[i][t.Number] = true
		}
	}
	s.seen = len(log)
}
