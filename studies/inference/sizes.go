package inference

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Meaningful is the chance of being better above which Bouthillier et al. (2021) call an improvement meaningful.
const Meaningful = 0.75

// bootstrapDraws is how often small samples are drawn again.
const bootstrapDraws = 10_000

// Sizes are an effect in units that do not depend on the metric's. Intervals are at level 1-alpha of this effect alone. Numbers
// that the data do not give are NaN.
type Sizes struct {
	// Above is P(A>B): the chance that a training of the variant is better than one of its reference (same seed, where
	// seeds pair them), ties half, with its bootstrap percentile interval.
	Above     float64 `json:"above"`
	AboveLow  float64 `json:"above_low"`
	AboveHigh float64 `json:"above_high"`
	// D is the standardised effect with Hedges' correction: the mean difference over the standard deviation of
	// differences, or over that of single trainings, pooled, for arms that are not paired. Its interval is the
	// noncentral t's.
	D     float64 `json:"d"`
	DLow  float64 `json:"d_low"`
	DHigh float64 `json:"d_high"`
	// Significant and Meaningful are the reading of Bouthillier et al. of Above: its interval lies above 0.5, above 0.75.
	// Bootstrap intervals of fewer than ten pairs are too narrow; verdicts follow the t interval, not this.
	Significant bool `json:"significant"`
	Meaningful  bool `json:"meaningful"`
}

// EffectSizes of a variant against its reference, by the method that Compare takes.
func EffectSizes[K cmp.Ordered](reference, variant map[K]float64, o Options) Sizes {
	e := Compare(reference, variant, o)
	x, y := common(reference, variant)
	var s Sizes
	if e.Method == Paired {
		s.pairedAbove(x, y, o)
		s.standard(e.Mean/e.SD, math.Sqrt(float64(e.N)), float64(e.N-1), o.alpha())
	} else {
		x, y = finite(sortedValues(reference)), finite(sortedValues(variant))
		s.freeAbove(x, y, o)
		nx, ny := float64(len(x)), float64(len(y))
		sd := math.Sqrt((sumSquares(e.Reference) + sumSquares(e.Variant)) / (nx + ny - 2))
		s.standard(e.Mean/sd, math.Sqrt(nx*ny/(nx+ny)), nx+ny-2, o.alpha())
	}
	s.Significant, s.Meaningful = s.AboveLow > 0.5, s.AboveLow > Meaningful
	return s
}

// common are the values of the keys that both have, by key.
func common[K cmp.Ordered](reference, variant map[K]float64) (x, y []float64) {
	for k := range reference {
		if v, ok := variant[k]; !ok || !isFinite(v) || !isFinite(reference[k]) {
			continue
		}
		x, y = append(x, reference[k]), append(y, variant[k])
	}
	return x, y
}

// better is 1, ½ or 0.
func (o Options) better(y, x float64) float64 {
	if o.Minimize {
		x, y = y, x
	}
	return (1 + float64(cmp.Compare(y, x))) / 2
}

// pairedAbove draws whole pairs. A sum of n draws from wins, ties and losses has so few values that its distribution is
// computed and not sampled: after each draw, the chance of every number of half points.
func (s *Sizes) pairedAbove(x, y []float64, o Options) {
	n := len(x)
	s.Above, s.AboveLow, s.AboveHigh = math.NaN(), math.NaN(), math.NaN()
	if n == 0 {
		return
	}
	var share [3]float64 // of losses, ties, wins
	for i := range x {
		share[int(2*o.better(y[i], x[i]))] += 1 / float64(n)
	}
	s.Above = share[2] + share[1]/2
	if n < 2 {
		return
	}
	chance := []float64{1} // of 0, 1, 2 ... half points
	for range n {
		next := make([]float64, len(chance)+2)
		for points, c := range chance {
			for gain, p := range share {
				next[points+gain] += c * p
			}
		}
		chance = next
	}
	at := func(p float64) float64 {
		sum := 0.0
		for points, c := range chance {
			if sum += c; sum >= p-1e-12 {
				return float64(points) / float64(2*n)
			}
		}
		return 1
	}
	s.AboveLow, s.AboveHigh = at(o.alpha()/2), at(1-o.alpha()/2)
}

// freeAbove compares every value with every other (Mann and Whitney's U over n_x n_y) and draws each arm again.
func (s *Sizes) freeAbove(x, y []float64, o Options) {
	s.Above, s.AboveLow, s.AboveHigh = math.NaN(), math.NaN(), math.NaN()
	if len(x) == 0 || len(y) == 0 {
		return
	}
	win := make([][]float64, len(x))
	for i := range x {
		for j := range y {
			win[i] = append(win[i], o.better(y[j], x[i]))
		}
	}
	mean := func(pick func(n int) int) float64 {
		sum := 0.0
		columns := make([]int, len(y))
		for j := range columns {
			columns[j] = pick(len(y))
		}
		for range x {
			row := win[pick(len(x))]
			for _, j := range columns {
				sum += row[j]
			}
		}
		return sum / float64(len(x)*len(y))
	}
	s.Above = 0
	for _, row := range win {
		for _, w := range row {
			s.Above += w / float64(len(x)*len(y))
		}
	}
	if len(x) < 2 || len(y) < 2 {
		return
	}
	rng := rand.New(rand.NewPCG(1, 2))
	draws := make([]float64, bootstrapDraws)
	for i := range draws {
		draws[i] = mean(rng.IntN)
	}
	s.AboveLow, s.AboveHigh = percentiles(draws, o.alpha())
}

// percentiles are the ends of the middle 1-alpha of draws, which it sorts; linear between neighbours.
func percentiles(draws []float64, alpha float64) (low, high float64) {
	slices.Sort(draws)
	at := func(p float64) float64 {
		place := p * float64(len(draws)-1)
		i := min(int(place), len(draws)-2)
		return draws[i] + (place-float64(i))*(draws[i+1]-draws[i])
	}
	return at(alpha / 2), at(1 - alpha/2)
}

// standard sets the standardised effect from its plain estimate d: d*root is the t statistic with df degrees of freedom.
// Hedges' factor is Gamma(df/2) / (sqrt(df/2) Gamma((df-1)/2)), which one degree has none of.
func (s *Sizes) standard(d, root, df, alpha float64) {
	s.D, s.DLow, s.DHigh = math.NaN(), math.NaN(), math.NaN()
	if !(df >= 2) || !isFinite(d) {
		return
	}
	a, _ := math.Lgamma(df / 2)
	b, _ := math.Lgamma((df - 1) / 2)
	s.D = d * math.Exp(a-b) / math.Sqrt(df/2)
	s.DLow = noncentrality(d*root, df, 1-alpha/2) / root
	s.DHigh = noncentrality(d*root, df, alpha/2) / root
}

// Noether is the number of pairs with which the sign of P(A>B) = gamma is found at one-sided level alpha with chance
// power: ((z[1-alpha] + z[power]) / (sqrt(6) (1/2 - gamma)))² (Noether 1987).
func Noether(gamma, alpha, power float64) int {
	z := distuv.UnitNormal
	n := math.Pow((z.Quantile(1-alpha)+z.Quantile(power))/(math.Sqrt(6)*(0.5-gamma)), 2)
	if !isFinite(n) {
		return 0
	}
	return int(math.Ceil(n))
}
