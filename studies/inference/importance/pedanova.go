package importance

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Constants of PED-ANOVA, as its authors and Optuna have them.
const (
	topShare  = 0.1 // of the points that count as the best
	gridSteps = 50  // places of a number
	fewestTop = 5   // best points below which the estimate is shaky
)

// PED is PED-ANOVA (Watanabe, Bansal and Hutter 2023): for each parameter the Pearson divergence between the density of
// its values in the best tenth of the points and that in all points, by Parzen estimators with Scott's bandwidth on a
// grid. What the sampler liked is in both densities, and so it counts little. A parameter that does not matter at some
// points is compared where it does, weighted by a²/b, where a and b are the shares of the best and of all points at
// which it does (conditional PED-ANOVA). Shares are parts of the sum.
func PED(p Problem) (Result, error) {
	e, err := encode(p)
	if err != nil {
		return Result{}, err
	}
	r := Result{Method: PEDANOVA, N: len(e.y), Fit: math.NaN()}
	top := best(e.y, p.Minimize)
	n := 0
	for _, t := range top {
		if t {
			n++
		}
	}
	if n == len(e.y) {
		return Result{}, inference.Nothing("the best tenth of the configurations and all others scored alike: there is nothing to explain")
	}
	sum := 0.0
	for d := range e.dims {
		v := e.divergence(d, top, n)
		r.Single = append(r.Single, Share{e.dims[d].Name, v, math.NaN()})
		sum += v
	}
	if !(sum > 0) {
		return Result{}, inference.Nothing("no parameter takes other values in the best configurations than in all of them")
	}
	for i := range r.Single {
		r.Single[i].Value /= sum
	}
	slices.SortStableFunc(r.Single, func(a, b Share) int { return cmp.Compare(b.Value, a.Value) })
	e.conditional("it is compared there")
	r.Notes = e.notes
	if n < fewestTop {
		r.Notes = append(r.Notes, fmt.Sprintf("The best tenth is %d configurations only: take the order with care.", n))
	}
	return r, nil
}

// best marks the points in the best tenth, with all that score like the last of them.
func best(y []float64, minimize bool) []bool {
	s := slices.Clone(y)
	slices.Sort(s)
	k := int(math.Ceil(topShare*float64(len(y)))) - 1
	if !minimize {
		k = len(y) - 1 - k
	}
	out := make([]bool, len(y))
	for i, v := range y {
		out[i] = minimize && v <= s[k] || !minimize && v >= s[k]
	}
	return out
}

// divergence is the importance of one dimension; n is how many points are the best.
func (e *encoded) divergence(d int, top []bool, n int) float64 {
	counts := e.grid(d)
	in := make([]float64, counts) // best points by place
	all := make([]float64, counts)
	a, b := 0.0, 0.0
	for i, x := range e.x[d] {
		if e.absent[d][i] {
			continue
		}
		k := e.dims[d].step(x, counts)
		all[k]++
		b++
		if top[i] {
			in[k]++
			a++
		}
	}
	if a == 0 || b < 2 {
		return 0
	}
	density := kernels
	if e.dims[d].choices > 0 {
		density = shares
	}
	p, q := density(in), density(all)
	sum := 0.0
	for k := range p {
		x, y := p[k]+1e-12, q[k]+1e-12
		sum += y * (x/y - 1) * (x/y - 1)
	}
	total := float64(len(e.y))
	a /= float64(n)
	b /= total
	gamma := float64(n) / total
	return a * a / b * sum * gamma * gamma
}

// grid is how many places a dimension has.
func (e *encoded) grid(d int) int {
	q := e.dims[d]
	switch {
	case q.choices > 0:
		return q.choices
	case q.Kind == trials.Categorical:
		return len(q.Choices)
	case q.Kind == trials.Int && q.Log:
		return min(int(math.Ceil(math.Log(q.High-q.Low+1)/math.Log(2)))+1, gridSteps)
	case q.Kind == trials.Int && q.Step == 0:
		return min(int(q.High-q.Low)+1, gridSteps)
	case q.Step > 0:
		return min(int(math.Round((q.High-q.Low)/q.Step))+1, gridSteps)
	}
	return gridSteps
}

// step is the place of an encoded value; halves go to the lower one.
func (d dim) step(x float64, places int) int {
	if d.choices > 0 {
		return int(x)
	}
	low, high := d.Low, d.High
	if d.Kind == trials.Categorical {
		low, high = 0, float64(len(d.Choices)-1)
	} else if d.Log {
		low, high = math.Log(low), math.Log(high)
	}
	v := d.low + x*(d.high-d.low) // on the scale
	k := math.Ceil((v-low)/((high-low)/float64(places-1)) - 0.5 - 1e-9)
	return int(min(max(k, 0), float64(places-1)))
}

// shares is the density of choices: each observation a kernel with most of its weight on its own choice, and one that
// is even over all.
func shares(counts []float64) []float64 {
	k := float64(len(counts))
	kernels, sum := 1.0, 1.0
	for _, c := range counts {
		if c > 0 {
			kernels++
		}
		sum += c
	}
	out := make([]float64, len(counts))
	for i := range out {
		out[i] = 1 / k / sum // the even kernel
		for j, c := range counts {
			w := 1 / kernels / (1 + k/kernels)
			if i == j {
				w = (1 + 1/kernels) / (1 + k/kernels)
			}
			out[i] += c / sum * w
		}
	}
	return out
}

// kernels is the density of a number on places 0 ... K-1: a normal kernel, cut off at the ends, at each place that has
// observations, and a wide one over all. The bandwidth is Scott's (1992), from the smaller of standard deviation and
// quartile range.
func kernels(counts []float64) []float64 {
	last := float64(len(counts) - 1)
	type kernel struct{ at, width, weight float64 }
	var ks []kernel
	n, mean := 0.0, 0.0
	for i, c := range counts {
		if c > 0 {
			ks = append(ks, kernel{at: float64(i), weight: c})
			n += c
			mean += c * float64(i)
		}
	}
	mean /= n
	square := 0.0
	for _, k := range ks {
		square += k.weight * (k.at - mean) * (k.at - mean)
	}
	sigma := math.Sqrt(square / math.Max(1, n-1))
	quartile := func(target float64, after bool) float64 { // the first place at (or after) which that many have come
		sum := 0.0
		for _, k := range ks {
			if sum += k.weight; sum > target || !after && sum == target {
				return k.at
			}
		}
		return ks[len(ks)-1].at
	}
	spread := quartile(math.Floor(3*n/4), true) - quartile(math.Floor(n/4), false)
	width := math.Max(1.059*math.Min(spread/1.34, sigma)*math.Pow(n, -0.2), 0.5/1.64)
	for i := range ks {
		ks[i].width = width
	}
	ks = append(ks, kernel{at: last / 2, width: last + 1, weight: 1})
	out := make([]float64, len(counts))
	for _, k := range ks {
		whole := mass((-0.5-k.at)/k.width, (last+0.5-k.at)/k.width)
		for i := range out {
			x := float64(i) - k.at
			out[i] += k.weight / (n + 1) * mass((x-0.5)/k.width, (x+0.5)/k.width) / whole
		}
	}
	return out
}

// mass of the standard normal distribution between a < b, without cancellation in the tails.
func mass(a, b float64) float64 {
	if a > 0 {
		a, b = -b, -a
	}
	return 0.5 * (math.Erfc(-b/math.Sqrt2) - math.Erfc(-a/math.Sqrt2))
}
