package native

import (
	"math"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

// solver moves the weights of a network: an optimiser and its state. Its arenas are arranged as the network's weights.
type solver struct {
	move     func(weights, grads []float32, n int, r optim.Rates) (norm float64) // makes update n, from 1
	momentum []float32                                                           // of SGD; average of the gradients of the others
	square   []float32                                                           // Adam and AdamW alone
	peak     []float32                                                           // AdamW with amsgrad alone
	updates  int                                                                 // done, of the whole run

	// Accumulation: sum holds the gradients of the last pending batches, after which weights did not move. sum is nil
	// where each batch moves them.
	batch, nominal, pending int
	sum                     []float32
}

// newSolver makes the optimiser of a run with batches of so many images.
func newSolver(net *model.Network, set *settings, batch int) (solver, error) {
	frozen, err := frozen(net.Params(), set.freeze)
	if err != nil {
		return solver{}, err
	}
	segments, decay, floats := optim.Segments(net.Params(), frozen...), set.weightDecay, len(net.Weights())
	s := solver{batch: batch, nominal: set.nominal, momentum: net.Alloc(floats)}
	if s.nominal > 0 {
		together := optim.Schedule{}.Accumulate(0, batch, s.nominal)
		decay *= float64(batch*together) / float64(s.nominal)
		if together > 1 {
			s.sum = net.Alloc(floats)
		}
	}
	threads := net.Config().Threads
	switch set.optimizer {
	case Adam, AdamW:
		s.square = net.Alloc(floats)
		if set.optimizer == AdamW && set.amsgrad {
			s.peak = net.Alloc(floats)
		}
		o := optim.AdamW{Segments: segments, Beta1: set.momentum, WeightDecay: decay, ClipNorm: set.clipNorm, L2: set.optimizer == Adam, Threads: threads}
		m := optim.Moments{Mean: s.momentum, Square: s.square, Peak: s.peak}
		s.move = func(w, g []float32, n int, r optim.Rates) float64 { return o.Step(w, g, m, n, r) }
	case LION:
		o := optim.LION{Segments: segments, Beta1: set.momentum, WeightDecay: decay, ClipNorm: set.clipNorm, Threads: threads}
		mean := s.momentum
		s.move = func(w, g []float32, _ int, r optim.Rates) float64 { return o.Step(w, g, mean, r) }
	default:
		o := optim.SGD{Segments: segments, WeightDecay: decay, ClipNorm: set.clipNorm, Threads: threads}
		momentum := s.momentum
		s.move = func(w, g []float32, _ int, r optim.Rates) float64 { return o.Step(w, g, momentum, r) }
	}
	return s, nil
}

// step takes in the gradients of a batch. moved says that the weights have moved, norm is then that of the gradients
// before clipping. A norm that is not finite moves nothing.
func (s *solver) step(net *model.Network, schedule optim.Schedule, step int) (norm float64, moved bool) {
	grads := net.Grads()
	if s.sum != nil {
		kernels.Accumulate(s.sum, grads)
		s.pending++
		if s.pending < schedule.Accumulate(step, s.batch, s.nominal) {
			return 0, false
		}
		grads = s.sum
	}
	norm = s.move(net.Weights(), grads, s.updates+1, schedule.At(step))
	s.updates++
	clear(s.sum)
	s.pending = 0
	return norm, true
}

// value is what one step saw.
type value struct{ loss, norm float64 }

// update runs one step: forward, backward, clipping, optimiser, average. Where gradients are summed over batches, the
// last three wait for the last of them; norm is 0 then.
func (r *run) update() (value, error) {
	net, err := r.network()
	if err != nil {
		return value{}, err
	}
	if err := net.SetImages(r.images); err != nil {
		return value{}, err
	}
	r.targets = nil
	v := value{}
	if v.loss, err = net.Step(); err != nil {
		return v, err
	}
	if !finite(v.loss) {
		return v, nil
	}
	var moved bool
	v.norm, moved = r.solver.step(r.net, r.schedule, r.step)
	r.step++
	if r.set.ema && moved {
		r.set.average.Move(r.average, r.net.Weights(), r.solver.updates)
		r.set.average.Move(r.averageStats, r.net.Stats(), r.solver.updates)
	}
	return v, nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
