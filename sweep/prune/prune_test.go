package prune_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/sweep/prune"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
	"github.com/mapsweep/mapsweep/trials"
)

func TestConformance(t *testing.T) {
	for name, c := range map[string]sweeptest.PrunerCase{
		"median":     {New: prune.Median},
		"percentile": {New: prune.Percentile},
		"wilcoxon":   {New: prune.Wilcoxon},
		"asha":       {New: prune.ASHA},
		"hyperband":  {New: prune.Hyperband},
		"threshold": {New: prune.Threshold, Absolute: true, Options: func(d trials.Direction) trials.Params {
			if d == trials.Minimize {
				return trials.Params{"upper": -0.11, "warm_up": int64(8)}
			}
			return trials.Params{"lower": 0.11, "warm_up": int64(8)}
		}},
	} {
		t.Run(name, func(t *testing.T) { sweeptest.TestPrunerCase(t, c) })
	}
}
