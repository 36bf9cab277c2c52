package goptuna

import (
	"context"
	"fmt"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// redraws is how often a point is drawn again because it is forbidden.
const redraws = 1000

// insisted is how often a model may draw a forbidden point before the place of one is drawn at random: a model is never told how
// good a forbidden point is, and one that wants that point would want it for ever.
const insisted = 100

// allowed draws until a point is not forbidden.
func allowed(ctx context.Context, h sweep.History, draw func() (trials.Suggestion, error)) (trials.Suggestion, error) {
	for range redraws {
		s, err := draw()
		if err != nil || !h.Forbids(s.Params) {
			return s, err
		}
		if ctx.Err() != nil {
			return s, context.Cause(ctx)
		}
	}
	return trials.Suggestion{}, fmt.Errorf("%d points in a row were forbidden combinations: forbid less, or take levels out of the factors", redraws)
}
