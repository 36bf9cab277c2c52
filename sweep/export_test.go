package sweep

import (
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// Over says how the budget of spec is used up by ts, or "".
func Over(spec studies.Spec, ts []trials.Trial) string {
	c := newCounter(nil)
	for i := range ts {
		c.add(&ts[i], time.Time{}, 1)
	}
	return c.over(spec, time.Time{})
}
