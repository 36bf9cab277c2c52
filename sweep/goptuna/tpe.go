package goptuna

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/c-bata/goptuna"
	"github.com/c-bata/goptuna/tpe"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/axis"
	"github.com/mapsweep/mapsweep/trials"
)

// Candidates is how many points TPE draws per parameter to choose from, goptuna's and Optuna's number.
const candidates = 24

type tpeSampler struct{ startup int }

// TPE is the tree-structured Parzen estimator (Bergstra et al. 2011), each parameter by itself: goptuna's
// Parzen estimator over the best tenth of the trials, and over the others, and of 24 draws
// from the first the one where it exceeds the second most. A quarter of the trials, 5 to 10, are random
// to begin with. Running trials, and failed ones that speak against their point,
// count among the others, so that parallel workers do not propose the same twice. It has no options.
func TPE(c sweep.SamplerConfig) (sweep.Sampler, error) {
	if _, err := axis.All(c.Space); err != nil {
		return nil, err
	}
	return tpeSampler{startup: min(max(c.Trials/4, 5), 10)}, sweep.ReadOptions(c.Options).Err()
}

// Suggest implements sweep.Sampler.
func (s tpeSampler) Suggest(ctx context.Context, h sweep.History, rng *rand.Rand) (trials.Suggestion, error) {
	xs, err := axis.All(h.Space)
	if err != nil {
		return trials.Suggestion{}, err
	}
	p := &parzen{history: freeze(h, xs), startup: s.startup, random: seeded(rng), rng: rng, xs: map[string]axis.Axis{}, liars: liars(h)}
	for _, x := range xs {
		p.xs[x.Param.Name] = x
	}
	study, st, err := newStudy(nil, goptuna.StudyOptionSampler(p))
	if err != nil {
		return trials.Suggestion{}, err
	}
	a := asker{study: study, storage: st}
	draws := 0
	return allowed(ctx, h, func() (trials.Suggestion, error) {
		if draws++; draws > insisted {
			p.startup = math.MaxInt // at random
		}
		return a.ask(ctx, h, xs)
	})
}

// liars are the numbers of trials without a result that TPE takes for bad ones: those under way, and
// those that failed in a way that speaks against their point.
func liars(h sweep.History) map[int]bool {
	l := map[int]bool{}
	for _, t := range h.All() {
		switch t.State {
		case trials.Running, trials.Waiting:
			l[t.Number] = true
		case trials.Fail:
			l[t.Number] = sweep.AgainstPoint(t)
		}
	}
	return l
}

// parzen is a goptuna.Sampler that draws from its own random stream only.
type parzen struct {
	history []goptuna.FrozenTrial
	startup int
	random  *goptuna.RandomSampler
	rng     *rand.Rand
	xs      map[string]axis.Axis
	liars   map[int]bool
}

var _ goptuna.Sampler = (*parzen)(nil)

// Sample draws the place of one parameter on the unit interval.
func (s *parzen) Sample(study *goptuna.Study, trial goptuna.FrozenTrial, name string, dist any) (float64, error) {
	below, above, n := s.split(s.history, name)
	if n < s.startup {
		return s.random.Sample(study, trial, name, dist)
	}
	if x := s.xs[name]; x.Param.Kind == trials.Categorical {
		return s.category(x, below, above), nil
	}
	return s.numeric(below, above), nil
}

// observation is one trial's place on an axis, and its rank: complete trials by loss, then pruned
// ones, those that came further first.
type observation struct {
	number int
	u      float64
	group  float64
	loss   float64
}

// split separates the best of the finished trials from the rest, both by number. n is how many
// trials with a result there are.
func (s *parzen) split(ts []goptuna.FrozenTrial, name string) (below, above []float64, n int) {
	var seen []observation
	var rest []observation
	for _, t := range ts {
		u, ok := t.InternalParams[name]
		if !ok {
			continue
		}
		o := observation{number: t.Number, u: u}
		switch {
		case t.State == goptuna.TrialStateComplete:
			o.group, o.loss = math.Inf(-1), t.Value
			seen = append(seen, o)
		case t.State == goptuna.TrialStatePruned:
			o.group = math.Inf(1)
			if step, ok := t.GetLatestStep(); ok {
				o.group, o.loss = float64(-step), t.IntermediateValues[step]
			}
			seen = append(seen, o)
		case s.liars[t.Number]:
			rest = append(rest, o)
		}
	}
	slices.SortStableFunc(seen, func(a, b observation) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.loss, b.loss))
	})
	g := min(tpe.DefaultGamma(len(seen)), len(seen))
	return places(seen[:g]), places(append(rest, seen[g:]...)), len(seen)
}

// places lists the places of observations by trial number: later ones weigh more.
func places(os []observation) []float64 {
	os = slices.Clone(os)
	slices.SortFunc(os, func(a, b observation) int { return cmp.Compare(a.number, b.number) })
	us := make([]float64, len(os))
	for i, o := range os {
		us[i] = o.u
	}
	return us
}

// mixture is goptuna's Parzen estimator on the unit interval, from observations by trial
// number. goptuna gets them sorted, with the weights in that order.
func mixture(us []float64) *tpe.ParzenEstimator {
	order := make([]int, len(us))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(us[a], us[b]) })
	sorted := make([]float64, len(us))
	for i, j := range order {
		sorted[i] = us[j]
	}
	return tpe.NewParzenEstimator(sorted, 0, 1, tpe.ParzenEstimatorParams{
		ConsiderPrior: true, PriorWeight: 1, ConsiderMagicClip: true,
		Weights: func(n int) []float64 {
			byNumber := tpe.DefaultWeights(n)
			w := make([]float64, n)
			for i, j := range order {
				w[i] = byNumber[j]
			}
			return w
		},
	})
}

// numeric returns of several draws from below the one that is likeliest compared to above.
func (s *parzen) numeric(below, above []float64) float64 {
	l, g := mixture(below), mixture(above)
	best, score := 0.5, math.Inf(-1)
	for range candidates {
		u := s.draw(l)
		if r := logDensity(l, u) - logDensity(g, u); r > score {
			best, score = u, r
		}
	}
	return best
}

// draw takes a component by its weight and a point of its normal distribution cut to [0, 1], by the
// inverse distribution function.
func (s *parzen) draw(m *tpe.ParzenEstimator) float64 {
	k := pick(m.Weights, s.rng)
	lo, hi := mass(0, m.Mus[k], m.Sigmas[k]), mass(1, m.Mus[k], m.Sigmas[k])
	p := lo + s.rng.Float64()*(hi-lo)
	u := m.Mus[k] + m.Sigmas[k]*math.Sqrt2*math.Erfinv(2*p-1)
	return math.Min(math.Max(u, 0), 1)
}

// pick draws an index by weights that add up to about 1.
func pick(weights []float64, rng *rand.Rand) int {
	r := rng.Float64()
	for i, w := range weights {
		if r -= w; r < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// mass is the normal distribution function.
func mass(x, mu, sigma float64) float64 { return 0.5 * math.Erfc((mu-x)/(sigma*math.Sqrt2)) }

// logDensity is the logarithm of a mixture of normals, each cut to [0, 1], at u.
func logDensity(m *tpe.ParzenEstimator, u float64) float64 {
	logs := make([]float64, len(m.Mus))
	for k, mu := range m.Mus {
		sigma := m.Sigmas[k]
		z := (u - mu) / sigma
		inside := mass(1, mu, sigma) - mass(0, mu, sigma)
		logs[k] = math.Log(m.Weights[k]) - z*z/2 - math.Log(sigma*math.Sqrt(2*math.Pi)*inside)
	}
	top := slices.Max(logs)
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l - top)
	}
	return top + math.Log(sum)
}

// category does the same for choices: their weighted counts, plus one each.
func (s *parzen) category(x axis.Axis, below, above []float64) float64 {
	l, g := frequencies(below, int(x.Cells())), frequencies(above, int(x.Cells()))
	best, score := 0, math.Inf(-1)
	for range candidates {
		if c := pick(l, s.rng); math.Log(l[c])-math.Log(g[c]) > score {
			best, score = c, math.Log(l[c])-math.Log(g[c])
		}
	}
	return (float64(best) + 0.5) / x.Cells()
}

func frequencies(us []float64, n int) []float64 {
	f := make([]float64, n)
	sum := 0.0
	weights := tpe.DefaultWeights(len(us))
	for i, u := range us {
		f[min(int(u*float64(n)), n-1)] += weights[i]
		sum += weights[i]
	}
	for i := range f {
		f[i] = (f[i] + 1) / (sum + float64(n))
	}
	return f
}
