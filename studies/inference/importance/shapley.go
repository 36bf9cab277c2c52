package importance

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// MostKnobs bounds Shapley values: they need 2 to the power of the knobs configurations.
const MostKnobs = 6

// Attribution shares the gain between two configurations out among the knobs in which they differ.
type Attribution struct {
	From  string           `json:"from"`
	To    string           `json:"to"`
	Start float64          `json:"start"` // mean scores of the two
	End   float64          `json:"end"`
	Seeds int              `json:"seeds"` // replicates that have all configurations between them
	Gain  inference.Effect `json:"gain"`  // end minus start
	Knobs []Attributed     `json:"knobs"` // in the order given; Value sums to the gain
	Pairs []Synergy        `json:"pairs,omitempty"`
	Notes []string         `json:"notes,omitempty"`
}

// Attributed is one knob's part: its effect averaged over all orders of changing the knobs one after another.
type Attributed struct {
	Name  string           `json:"name"`
	Label string           `json:"label"` // "mosaic 1 → 0"
	Value inference.Effect `json:"value"` // Shapley value over seeds
	First float64          `json:"first"` // effect when it is changed first, alone
	Last  float64          `json:"last"`  // effect when it is changed last, all others being changed
}

// Synergy is what two knobs bring together beyond what each brings, averaged over the states of the others: the
// Shapley interaction index (Grabisch and Roubens 1999).
type Synergy struct {
	A     string           `json:"a"`
	B     string           `json:"b"`
	Value inference.Effect `json:"value"`
}

// Game is what Shapley values are computed from. Score is the score of the configuration in which the knobs whose bits
// are set in mask are changed, for one replicate; NaN where there is none.
type Game struct {
	Knobs  []Attributed // Name and Label
	Seeds  []int
	Score  func(seed int, mask uint) float64
	Option inference.Options
}

// Shapley shares a gain out (Shapley 1953): a knob's value is the sum over sets T of the others of
// |T|! (m-|T|-1)! / m! [v(T with it) - v(T)], for every replicate by itself. Their sum is v(all) - v(none). Intervals
// are t intervals over replicates, p values corrected by Holm over the knobs, and over the pairs.
func Shapley(g Game) (Attribution, error) {
	m := len(g.Knobs)
	switch {
	case m == 0:
		return Attribution{}, inference.Nothing("the two configurations do not differ")
	case m > MostKnobs:
		return Attribution{}, inference.Nothing(fmt.Sprintf("the two configurations differ in %d knobs: Shapley values need every combination of them, and at most %d knobs are shared out", m, MostKnobs))
	}
	values, seeds := g.table()
	if len(values) == 0 {
		return Attribution{}, inference.Nothing("no replicate has a score at every combination of the knobs in which the two configurations differ: that needs the full factorial of them")
	}
	a := Attribution{Seeds: len(seeds)}
	if left := len(g.Seeds) - len(seeds); left > 0 {
		a.Notes = append(a.Notes, fmt.Sprintf("%d of %d replicates are left out: a configuration between the two has no score there.", left, len(g.Seeds)))
	}
	all := uint(1)<<m - 1
	none := make([]float64, len(seeds))
	gain := make([]float64, len(seeds))
	for s, v := range values {
		a.Start += v[0] / float64(len(seeds))
		a.End += v[all] / float64(len(seeds))
		gain[s] = v[all] - v[0]
	}
	a.Gain = effect(none, gain, g.Option)
	a.Knobs, a.Pairs = g.knobs(values), g.pairs(values)
	if len(seeds) == 1 {
		a.Notes = append(a.Notes, "One replicate: no intervals, and nothing can be said about chance.")
	}
	return a, nil
}

// table is v[seed][mask] of the replicates that have all of them.
func (g Game) table() (values [][]float64, seeds []int) {
	for _, s := range g.Seeds {
		v := make([]float64, 1<<len(g.Knobs))
		whole := true
		for mask := range v {
			v[mask] = g.Score(s, uint(mask))
			whole = whole && !math.IsNaN(v[mask]) && !math.IsInf(v[mask], 0)
		}
		if whole {
			values, seeds = append(values, v), append(seeds, s)
		}
	}
	return values, seeds
}

func (g Game) knobs(values [][]float64) []Attributed {
	m := len(g.Knobs)
	var out []Attributed
	var es []inference.Effect
	for j, k := range g.Knobs {
		bit := uint(1) << j
		phi := make([]float64, len(values))
		for s, v := range values {
			for t := range uint(len(v)) {
				if t&bit == 0 {
					phi[s] += weight(bits.OnesCount(t), m) * (v[t|bit] - v[t])
				}
			}
			full := uint(len(v) - 1)
			k.First += (v[bit] - v[0]) / float64(len(values))
			k.Last += (v[full] - v[full&^bit]) / float64(len(values))
		}
		es = append(es, effect(make([]float64, len(phi)), tidy(phi, values), g.Option))
		out = append(out, k)
	}
	for j, e := range inference.Family(es) {
		out[j].Value = e
	}
	return out
}

func (g Game) pairs(values [][]float64) []Synergy {
	m := len(g.Knobs)
	var out []Synergy
	var es []inference.Effect
	for i := range m {
		for j := i + 1; j < m; j++ {
			a, b := uint(1)<<i, uint(1)<<j
			both := make([]float64, len(values))
			for s, v := range values {
				for t := range uint(len(v)) {
					if t&(a|b) == 0 {
						both[s] += weight(bits.OnesCount(t), m-1) * (v[t|a|b] - v[t|a] - v[t|b] + v[t])
					}
				}
			}
			es = append(es, effect(make([]float64, len(both)), tidy(both, values), g.Option))
			out = append(out, Synergy{A: g.Knobs[i].Name, B: g.Knobs[j].Name})
		}
	}
	for i, e := range inference.Family(es) {
		out[i].Value = e
	}
	return out
}

// weight is t! (m-t-1)! / m!: the chance that in a random order of m knobs a given one comes right after t given ones.
func weight(t, m int) float64 {
	w := 1 / float64(m)
	for i := range t { // 1 / (m C(m-1, t))
		w *= float64(t-i) / float64(m-1-i)
	}
	return w
}

// tidy takes for 0 what is rounding beside the scores that it is made of.
func tidy(x []float64, values [][]float64) []float64 {
	for s := range x {
		size := 0.0
		for _, v := range values[s] {
			size = math.Max(size, math.Abs(v))
		}
		if math.Abs(x[s]) <= 1e-14*float64(len(values[s]))*size {
			x[s] = 0
		}
	}
	return x
}

// effect is the paired comparison of numbers by position.
func effect(x, y []float64, o inference.Options) inference.Effect {
	a, b := map[int]float64{}, map[int]float64{}
	for i := range x {
		a[i], b[i] = x[i], y[i]
	}
	return inference.Compare(a, b, o)
}
