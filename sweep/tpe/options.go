package tpe

import (
	"math"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// settings are what search.sampler_options can say.
type settings struct {
	startup      int     // trials with a result before the model is asked
	candidates   int     // draws from the density of the best, of which one is proposed
	share        float64 // of the trials that count as the best
	most         int     // of these
	kernels      int     // of the others, at most about so many
	prior        float64 // weight of the prior kernel, that of an observation being 1
	floor        float64 // least bandwidth among the best, as a fraction of 1 / (observations + 2): continuous parameters
	ranked       bool    // the best weigh by their order, not all the same
	even         bool    // the first trials are spread evenly, not drawn at random
	fresh        bool    // points that were tried before are avoided
	liar         bool    // trials under way count among the others
	multivariate bool    // all parameters together, not each by itself
}

// The two sets of defaults. Those of Optuna 5.0 are for comparisons; docs/BENCHMARKS.md has what ours gain.
var (
	ours = settings{startup: 10, candidates: 48, share: 0.13, most: 25, kernels: 500, prior: 1,
		floor: 0.5, ranked: true, even: true, fresh: true, liar: true, multivariate: true}
	optuna = settings{startup: 10, candidates: 24, share: 0.1, most: 25, kernels: 500, prior: 1,
		floor: 1, liar: true, multivariate: true}
)

// read reads the options of a study file. planned is how many points may be asked for: of few, a quarter comes before the model.
func read(p trials.Params, planned int) (settings, error) {
	o := sweep.ReadOptions(p)
	s := ours
	if o.Choice("defaults", "mapsweep", "mapsweep", "optuna") == "optuna" {
		s = optuna
	}
	if planned > 0 {
		s.startup = min(s.startup, max(planned/4, 5))
	}
	s.startup = o.Int("startup", s.startup, 1, math.MaxInt)
	s.candidates = o.Int("candidates", s.candidates, 1, 100_000)
	s.share = o.Float("gamma", s.share, 0.001, 0.9)
	s.most = o.Int("gamma_most", s.most, 1, depth)
	s.kernels = o.Int("kernels", s.kernels, 50, 100_000)
	s.prior = o.Float("prior_weight", s.prior, 1e-6, 1e6)
	s.floor = o.Float("bandwidth_floor", s.floor, 0.01, 10)
	s.ranked = o.Bool("ranked", s.ranked)
	s.even = o.Bool("even_startup", s.even)
	s.fresh = o.Bool("avoid_repeats", s.fresh)
	s.liar = o.Bool("constant_liar", s.liar)
	s.multivariate = o.Bool("multivariate", s.multivariate)
	return s, o.Err()
}

// gamma is how many of n trials count as the best.
func (s settings) gamma(n int) int { return min(int(math.Ceil(s.share*float64(n))), s.most) }
