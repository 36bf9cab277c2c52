package native

import (
	"math"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

// solver moves the weights of a network: an optimiser and its state. Its arenas are arranged as the network's weights.
type solver struct {
	sgd      optim.SGD
	adamw    *optim.AdamW // nil: SGD
	momentum []float32    // of SGD; average of the gradients of AdamW
	square   []float32    // AdamW alone
	peak     []float32    // AdamW with amsgrad alone
	updates  int          // done, of the whole run

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
	s.sgd = optim.SGD{Segments: segments, WeightDecay: decay, ClipNorm: set.clipNorm, Threads: threads}
	if set.adamw {
		s.adamw = &optim.AdamW{Segments: segments, Beta1: set.momentum, WeightDecay: decay, ClipNorm: set.clipNorm, Threads: threads}
		s.square = net.Alloc(floats)
		if set.amsgrad {
			s.peak = net.Alloc(floats)
		}
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
	rates := schedule.At(step)
	if s.adamw != nil {
		m := optim.Moments{Mean: s.momentum, Square: s.square, Peak: s.peak}
		norm = s.adamw.Step(net.Weights(), grads, m, s.updates+1, rates)
	} else {
		norm = s.sgd.Step(net.Weights(), grads, s.momentum, rates)
	}
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
	if err := r.net.SetImages(r.images); err != nil {
		return value{}, err
	}
	r.targets = nil
	v := value{}
	var err error
	if v.loss, err = r.net.Step(); err != nil {
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
