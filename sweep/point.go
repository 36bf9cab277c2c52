package sweep

import (
	"context"
	"fmt"
	"slices"

	"github.com/mapsweep/mapsweep/trials"
)

// AttrTry is which of search.try's points a trial is, from 0.
const AttrTry = "mapsweep:try"

// Bounds on asking a sampler again for one suggestion, each time with a fresh random stream.
const (
	maxInvalid   = 10  // points outside the space: the sampler is at fault
	maxForbidden = 200 // forbidden combinations
)

// point is the next suggestion: a point of search.try that was not tried yet, or what the sampler proposes.
func (d *Driver) point(ctx context.Context, v view) (trials.Suggestion, error) {
	if v.tried < len(d.tries) {
		s := d.tries[v.tried]
		s.Attrs = trials.CloneAttrs(s.Attrs)
		s.Attrs[AttrTry] = trials.Attr(v.tried)
		return s, nil
	}
	s, err := d.sample(ctx, d.sampler, v)
	if err != nil {
		return s, err
	}
	s.Attrs = trials.CloneAttrs(s.Attrs)
	s.Attrs[trials.AttrSampler] = trials.Attr(d.proposer)
	return s, nil
}

// sample asks the sampler until it proposes a point that lies in the space and is not forbidden.
func (d *Driver) sample(ctx context.Context, sampler Sampler, v view) (trials.Suggestion, error) {
	h := d.history(v)
	wrong, forbidden := 0, 0
	for k := 0; ; k++ {
		s, err := guardedSuggest(ctx, sampler, h, Rand(d.spec.Seed, v.next, k))
		if err != nil {
			return s, err
		}
		invalid := checkSuggestion(s)
		switch {
		case invalid != nil:
			if wrong++; wrong == maxInvalid {
				return trials.Suggestion{}, invalid
			}
			d.log.Warn("sampler proposed an invalid point, asking again", "suggestion", v.next, "error", invalid)
		case h.Forbids(s.Params):
			if forbidden++; forbidden == maxForbidden {
				return trials.Suggestion{}, fmt.Errorf("%d points in a row were forbidden by search.forbid, the last one %s: forbid less, or take what is forbidden out of the factors", forbidden, s.Params.Key())
			}
		default:
			return s, nil
		}
	}
}

// history is what the sampler sees of v: the log of the study behind what it starts from.
func (d *Driver) history(v view) History {
	h := History{Space: d.space, Direction: d.spec.Objective.Direction, Metric: d.spec.Objective.Metric, Goals: d.goals,
		Fixed: d.base, Forbidden: d.spec.Search.Forbid, Finished: v.log, Open: v.bare}
	if len(d.warmed) > 0 {
		d.joined = append(d.joined, v.log[len(d.joined)-len(d.warmed):]...)
		h.Finished = d.joined[:len(d.joined):len(d.joined)]
	}
	return h
}

// whole is what pruners see of v: open trials with all that they have measured, and only those of the study.
func (d *Driver) whole(v view) History {
	return History{Space: d.space, Direction: d.spec.Objective.Direction, Metric: d.spec.Objective.Metric, Goals: d.goals,
		Fixed: d.base, Forbidden: d.spec.Search.Forbid, Finished: v.log, Open: v.open}
}

// readTries completes the points of search.try.
func (d *Driver) readTries() error {
	spec := d.spec
	spec.Baseline = d.base
	for i, p := range d.spec.Search.Try {
		point, space, err := byHand(spec, p)
		if err != nil {
			return fmt.Errorf("search.try[%d]: %w", i, err)
		}
		space = slices.DeleteFunc(space, func(p trials.Param) bool { _, fixed := d.spec.Search.Fix[p.Name]; return fixed })
		d.tries = append(d.tries, trials.Suggestion{Space: space, Params: point})
	}
	return nil
}
