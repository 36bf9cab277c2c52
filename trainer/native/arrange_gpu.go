package native

import (
	"errors"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

// arrange makes the memory that the optimiser and the loss take.
func (e *gpuEngine) arrange() (err error) {
	if e.ring, err = kernel.NewRing(e.place.GPU, stepsAhead); err != nil {
		return err
	}
	if err := e.useLoss(); err != nil {
		return err
	}
	state, err := e.arrangeOptimizer()
	if err != nil {
		return err
	}
	e.step = e.ring.Step(state, e.net.Device().(gpuDevice).Losses()...)
	e.optimizer.Step = e.step
	e.truths, err = newStage(e.place.GPU, stepsAhead, kernel.TruthBytes(e.net.Config().Batch, e.objects))
	return err
}

// useLoss has the devices of the network compute the loss.
func (e *gpuEngine) useLoss() error {
	first, err := e.net.Resized(largestSize(e.net))
	if err != nil {
		return err
	}
	for _, n := range []*model.Network{first, e.net} { // the largest first: others use its memory
		if d := n.Device().(gpuDevice); d.Truths().Capacity == 0 {
			if err := d.UseLoss(e.losses, e.objects); err != nil {
				return err
			}
		}
	}
	return nil
}

// arrangeOptimizer returns the room for the state of a step.
func (e *gpuEngine) arrangeOptimizer() (state cuda.Ptr, err error) {
	s, d := e.spec, e.net.Device().(gpuDevice)
	arenas := d.Arenas()
	floats, stats := int64(len(d.Weights())), int64(len(d.Stats()))
	e.optimizer = kernel.Optimizer{
		Kind:  map[optim.Kind]kernel.Kind{optim.BySGD: kernel.SGD, optim.ByAdam: kernel.Adam, optim.ByAdamW: kernel.AdamW, optim.ByLION: kernel.LION}[s.Kind],
		Beta2: s.Beta2(), Epsilon: s.Epsilon(),
		Floats: floats, Weights: arenas.Weights, Grads: arenas.Grads, W16: arenas.Rounded, StatFloats: stats, Stats: arenas.Stats,
	}
	o := &e.optimizer
	take := func(bytes int64) (p cuda.Ptr) {
		if err == nil {
			p, err = e.take(bytes)
		}
		return p
	}
	keep := func(part string, wanted bool, withStats bool) (w, st cuda.Ptr) {
		if !wanted || err != nil {
			return 0, 0
		}
		m := mirror{part: part, weights: make([]float32, floats), onWeights: take(4 * floats)}
		if withStats {
			m.stats, m.onStats = make([]float32, stats), take(4*stats)
		}
		e.mirrors = append(e.mirrors, m)
		return m.onWeights, m.onStats
	}
	o.Momentum, _ = keep(partMomentum, true, false)
	o.Square, _ = keep(partSquare, s.Squares(), false)
	o.Peak, _ = keep(partPeak, s.Peaks(), false)
	o.Sum, _ = keep(partSum, s.Sums, false)
	o.Average, o.AverageStats = keep(partAverage, s.Averages, true)
	o.KeptStats = take(4 * stats)
	if s.Averages {
		e.spare = take(4 * (floats + stats))
	}
	state = take(kernel.StateBytes)
	o.Table = take(int64(len(kernel.Table(floats, nil))))
	o.Scratch = take(o.ScratchBytes())
	return state, err
}

// start makes everything that steps change, or that a run sets, what this run begins with, whatever the kit has served before:
// weights and statistics are there already.
func (e *gpuEngine) start() error {
	o, s, st := &e.optimizer, e.spec, e.place.Stream
	o.Beta1, o.WeightDecay, o.ClipNorm = s.Beta1, s.WeightDecay, s.ClipNorm
	var segments []kernel.Segment
	for _, g := range s.Segments {
		segments = append(segments, kernel.Segment{Off: int64(g.Off), Len: int64(g.Len), Decay: g.Decay, Bias: g.Bias, Frozen: g.Frozen})
	}
	table := kernel.Table(o.Floats, segments)
	errs := []error{e.ring.Reset(), st.Fill(e.step.State, 0, kernel.StateBytes), st.CopyIn(o.Table, table), st.Copy(o.KeptStats, o.Stats, 4*o.StatFloats)}
	for _, p := range []cuda.Ptr{o.Grads, o.Momentum, o.Square, o.Peak, o.Sum} {
		if p != 0 {
			errs = append(errs, st.Fill(p, 0, 4*o.Floats))
		}
	}
	if s.Averages {
		errs = append(errs, st.Copy(o.Average, o.Weights, 4*o.Floats), st.Copy(o.AverageStats, o.Stats, 4*o.StatFloats))
	}
	return errors.Join(append(errs, st.Wait(), e.setLoss())...)
}

// setLoss gives the losses of all sizes what the run sets of them.
func (e *gpuEngine) setLoss() error {
	first, err := e.net.Resized(largestSize(e.net))
	errs := []error{err}
	if err == nil {
		errs = append(errs, first.Device().(gpuDevice).SetLoss(e.losses), e.net.Device().(gpuDevice).SetLoss(e.losses))
	}
	for _, side := range e.sides {
		errs = append(errs, side.device.SetLoss(e.losses))
	}
	return errors.Join(errs...)
}
