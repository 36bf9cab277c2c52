package nsga

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/axis"
	"github.com/mapsweep/mapsweep/trials"
)

// population is what the algorithm knows from the log that it has read.
type population struct {
	size    int
	axes    []axis.Axis
	space   trials.Space
	goals   []trials.Goal
	id      string // of space and goals: labels of another search do not count here
	parents []*individual
	young   []*individual   // of the present generation, so far
	number  int             // of the present generation
	tried   map[string]bool // keys of points that have ended

	read        int
	first, last *trials.Trial
}

func newPopulation(h sweep.History, size int) (*population, error) {
	xs, err := axis.All(h.Space)
	if err != nil {
		return nil, err
	}
	name := fnv.New64a()
	fmt.Fprint(name, size, h.Objectives())
	for _, p := range h.Space {
		fmt.Fprint(name, p.Name, p.Kind)
	}
	return &population{size: size, axes: xs, space: h.Space, goals: h.Objectives(), id: fmt.Sprintf("%016x", name.Sum64()), tried: map[string]bool{}}, nil
}

// continues says whether what was read is the beginning of h's log, in the same space.
func (p *population) continues(h sweep.History) bool {
	return sweep.Extends(h.Finished, p.read, p.first, p.last) && slices.Equal(h.Objectives(), p.goals) && slices.EqualFunc(h.Space, p.space, same)
}

func same(a, b trials.Param) bool {
	return a.Name == b.Name && a.Kind == b.Kind && a.Low == b.Low && a.High == b.High && a.Step == b.Step && a.Log == b.Log &&
		slices.EqualFunc(a.Choices, b.Choices, trials.SameValue) && a.Requires.Key() == b.Requires.Key()
}

func (p *population) label() string { return fmt.Sprintf("%s-%d", p.id, p.number) }

// extend reads what the log holds beyond what was read. A generation is over when a population of its trials has ended; the
// parents of the next are chosen from them and their own parents. Trials of older generations that end later are left out, those
// of no generation (tried first, or from another study) count for the present one.
func (p *population) extend(h sweep.History) {
	for _, t := range h.Finished[p.read:] {
		p.add(t)
		if len(p.young) >= p.size {
			p.parents = selected(append(p.parents, p.young...), p.size)
			p.young = nil
			p.number++
		}
	}
	if p.read = len(h.Finished); p.read > 0 {
		p.first, p.last = h.Finished[0], h.Finished[p.read-1]
	}
}

func (p *population) add(t *trials.Trial) {
	p.tried[key(t)] = true
	p.young = slices.DeleteFunc(p.young, func(a *individual) bool { return a.number == t.Number }) // it comes again
	if label := t.Text(AttrGeneration); label != "" && label != p.label() || !t.Counts() {
		return
	}
	if t.State == trials.Fail && !sweep.AgainstPoint(t) {
		return
	}
	a := &individual{number: t.Number, violation: math.Inf(1)}
	a.place, a.known = axis.Place(p.axes, t)
	if !slices.Contains(a.known, true) {
		return // of another space altogether
	}
	if t.State == trials.Complete && len(t.Values) == len(p.goals) {
		a.losses, a.violation = losses(p.goals, t.Values), violation(t)
	}
	p.young = append(p.young, a)
}

// key names the point of a trial by what varies.
func key(t *trials.Trial) string {
	at := trials.Params{}
	for _, q := range t.Space {
		at[q.Name] = t.Params[q.Name]
	}
	return at.Key()
}

func losses(goals []trials.Goal, values []float64) []float64 {
	out := slices.Clone(values)
	for i, g := range goals {
		if g.Direction == trials.Maximize {
			out[i] = -out[i]
		}
	}
	return out
}

// violation is by how much a complete trial broke its constraints, +Inf if a value is missing.
func violation(t *trials.Trial) float64 {
	sum := 0.0
	for _, v := range t.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return math.Inf(1)
		}
	}
	for _, c := range t.Constraints {
		if !(c <= 0) {
			sum += c
		}
	}
	if math.IsNaN(sum) {
		return math.Inf(1)
	}
	return sum
}
