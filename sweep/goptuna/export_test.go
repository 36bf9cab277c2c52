package goptuna

import (
	"math/rand/v2"

	"github.com/c-bata/goptuna/tpe"
)

// For the tests of TPE's arithmetic.
var (
	Mixture    = mixture
	LogDensity = logDensity
)

// Draw draws one point from m.
func Draw(m *tpe.ParzenEstimator, rng *rand.Rand) float64 { return (&parzen{rng: rng}).draw(m) }
