package goptuna

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"reflect"

	"github.com/c-bata/goptuna/cmaes"
	"gonum.org/v1/gonum/mat"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/axis"
	"github.com/mapsweep/mapsweep/trials"
)

type strategyOptions struct {
	seed       int64
	restart    string // none, ipop, bipop
	sigma      float64
	start      string // middle, baseline
	population int    // 0: the optimizer's own
}

// strategy is goptuna's CMA-ES optimizer over the unit cube, told one generation after another from the log of
// finished trials, and its restarts. goptuna's own sampler restarts, too, but gives the generations of all restarts
// the same names, so that it tells a new strategy the trials of the first one again; here each has its own.
type strategy struct {
	strategyOptions
	space     []axis.Axis
	direction trials.Direction
	id        string // of the space and options: what another search recorded is left alone

	optimizer *cmaes.Optimizer
	rng       *rand.Rand // of the restarts alone
	run       int        // restarts so far
	first     int        // population of the first run
	doubled   int        // large runs so far
	small     bool       // the present run is one of BIPOP's small ones
	spent     [2]int     // points told to large and to small runs
	pending   []*cmaes.Solution

	read0, readN *trials.Trial // ends of what was read of the log
	n            int
}

func newStrategy(o strategyOptions, h sweep.History, xs []axis.Axis) (*strategy, error) {
	name := fnv.New64a()
	fmt.Fprint(name, o, h.Direction, h.Metric)
	for _, x := range xs {
		fmt.Fprint(name, x.Param)
	}
	s := &strategy{strategyOptions: o, space: xs, direction: h.Direction, id: fmt.Sprintf("%016x", name.Sum64()),
		rng: rand.New(rand.NewPCG(uint64(o.seed), 0x636d612d6573))} // "cma-es"
	mean := make([]float64, len(xs))
	for i, x := range xs {
		mean[i] = 0.5
		if u, ok := x.Unit(h.Fixed[x.Param.Name]); ok && o.start == "baseline" {
			mean[i] = u
		}
	}
	err := s.begin(mean, o.population)
	if err == nil {
		s.first = s.optimizer.PopulationSize()
	}
	return s, err
}

// continues says whether what the strategy was told is the beginning of h's log.
func (s *strategy) continues(h sweep.History, xs []axis.Axis) bool {
	return s.direction == h.Direction && sweep.Extends(h.Finished, s.n, s.read0, s.readN) && reflect.DeepEqual(s.space, xs)
}

// begin starts a run of the strategy.
func (s *strategy) begin(mean []float64, population int) (err error) {
	bounds := mat.NewDense(len(mean), 2, nil)
	for i := range mean {
		bounds.Set(i, 1, 1)
	}
	options := []cmaes.OptimizerOption{cmaes.OptimizerOptionBounds(bounds)}
	if population > 0 {
		options = append(options, cmaes.OptimizerOptionPopulationSize(population))
	}
	s.pending = nil
	s.optimizer, err = cmaes.NewOptimizer(mean, s.sigma, options...)
	if err != nil {
		return fmt.Errorf("start CMA-ES: %w", err)
	}
	return nil
}

func (s *strategy) label() string {
	return fmt.Sprintf("%s-%d-%d", s.id, s.run, s.optimizer.Generation())
}

// read tells the strategy what the log holds beyond what it was told.
func (s *strategy) read(ctx context.Context, h sweep.History) error {
	label := s.label()
	for _, t := range h.Finished[s.n:] {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if t.Text(AttrGeneration) != label || t.Superseded() {
			continue
		}
		at, complete := s.place(t)
		if !complete {
			continue // an edited study may have moved a range away from it
		}
		s.pending = append(s.pending, &cmaes.Solution{Params: at, Value: rankOf(h, t)})
		if len(s.pending) == s.optimizer.PopulationSize() {
			if err := s.tell(); err != nil {
				return err
			}
			label = s.label()
		}
	}
	if s.n = len(h.Finished); s.n > 0 {
		s.read0, s.readN = h.Finished[0], h.Finished[s.n-1]
	}
	return nil
}

func (s *strategy) place(t *trials.Trial) ([]float64, bool) {
	us, known := axis.Place(s.space, t)
	for _, k := range known {
		if !k {
			return nil, false
		}
	}
	return us, true
}

// tell ends a generation. A strategy whose matrices broke down, or that has converged if there are restarts, is
// followed by another from a random mean.
func (s *strategy) tell() error {
	broken := s.optimizer.Tell(s.pending)
	s.pending = nil
	if broken == nil && (s.restart == "none" || !s.optimizer.ShouldStop()) {
		return nil
	}
	mean := make([]float64, len(s.space))
	for i := range mean {
		mean[i] = s.rng.Float64()
	}
	population := s.next()
	s.run++
	return s.begin(mean, population)
}

// next is the population after a restart: twice the last large one, or with BIPOP (Hansen 2009, section 2), when small
// runs have had fewer points than large ones, first * (large/first)^(r^2) with r uniform in [0, 1].
func (s *strategy) next() int {
	size := s.optimizer.PopulationSize()
	if s.restart == "none" {
		return size
	}
	at := 0
	if s.small {
		at = 1
	}
	s.spent[at] += size * s.optimizer.Generation()
	s.small = s.restart == "bipop" && s.doubled > 0 && s.spent[1] < s.spent[0]
	if s.small {
		r := s.rng.Float64()
		return int(float64(s.first) * math.Pow(math.Pow(2, float64(s.doubled)), r*r))
	}
	s.doubled++
	return s.first << s.doubled
}

// draw draws a point, coordinates in [0, 1], with a random stream of that seed.
func (s *strategy) draw(seed int64) ([]float64, error) {
	cmaes.OptimizerOptionSeed(seed)(s.optimizer)
	at, err := s.optimizer.Ask()
	if err != nil {
		return nil, fmt.Errorf("draw from CMA-ES: %w", err)
	}
	return at, nil
}
