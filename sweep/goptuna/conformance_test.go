package goptuna_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/goptuna"
	"github.com/mapsweep/mapsweep/sweep/sweeptest"
)

var samplers = map[string]sweep.NewSampler{
	"random": goptuna.Random, "tpe": goptuna.TPE, "cmaes": goptuna.CMAES, "sobol": goptuna.Sobol,
}

func TestSamplers(t *testing.T) {
	for name, s := range samplers {
		t.Run(name, func(t *testing.T) { sweeptest.TestSampler(t, s) })
	}
}

func TestPruners(t *testing.T) {
	t.Run("successive-halving", func(t *testing.T) { sweeptest.TestPruner(t, goptuna.SuccessiveHalving) })
}
