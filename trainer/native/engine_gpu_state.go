package native

// What a GPU's engine holds, between it and the host.

import (
	"errors"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
)

// mirror is an arena of the optimiser, with the part of a checkpoint that it is.
type mirror struct {
	part           string
	weights, stats []float32
	onWeights      cuda.Ptr
	onStats        cuda.Ptr
}

func (e *gpuEngine) finite() (bool, error) {
	d := e.net.Device()
	if err := d.Download(); err != nil {
		return false, err
	}
	sum := 0.0
	for _, arena := range [][]float32{d.Weights(), d.Stats()} {
		for _, v := range arena {
			sum += float64(v) * float64(v)
		}
	}
	return finite(sum), nil
}

func (e *gpuEngine) state() ([]arenas, error) {
	d := e.net.Device()
	if err := d.Download(); err != nil {
		return nil, err
	}
	all := []arenas{{partWeights, d.Weights(), d.Stats()}}
	var errs []error
	for _, m := range e.mirrors {
		errs = append(errs, e.place.Stream.CopyOut(bytesOf(m.weights), m.onWeights))
		if m.stats != nil {
			errs = append(errs, e.place.Stream.CopyOut(bytesOf(m.stats), m.onStats))
		}
		all = append(all, arenas{m.part, m.weights, m.stats})
	}
	return all, errors.Join(append(errs, e.place.Stream.Wait())...)
}

func (e *gpuEngine) restored() error {
	errs := []error{e.net.Device().Upload()}
	for _, m := range e.mirrors {
		errs = append(errs, e.place.Stream.CopyIn(m.onWeights, bytesOf(m.weights)))
		if m.stats != nil {
			errs = append(errs, e.place.Stream.CopyIn(m.onStats, bytesOf(m.stats)))
		}
	}
	errs = append(errs, e.place.Stream.Copy(e.optimizer.KeptStats, e.optimizer.Stats, 4*e.optimizer.StatFloats))
	return errors.Join(append(errs, e.place.Stream.Wait())...)
}

// scoring swaps the average in.
func (e *gpuEngine) scoring() (back func(), err error) {
	if !e.spec.Averages {
		return func() {}, nil
	}
	o, st := &e.optimizer, e.place.Stream
	floats, stats := 4*o.Floats, 4*o.StatFloats
	err = errors.Join(st.Copy(e.spare, o.Weights, floats), st.Copy(e.spare.Add(floats), o.Stats, stats),
		st.Copy(o.Weights, o.Average, floats), st.Copy(o.Stats, o.AverageStats, stats), e.round())
	return func() {
		_ = errors.Join(st.Copy(o.Weights, e.spare, floats), st.Copy(o.Stats, e.spare.Add(floats), stats), e.round()) // what fails here fails the next step too
	}, err
}

// round renews the bf16 copy of the weights.
func (e *gpuEngine) round() error {
	if e.optimizer.W16 == 0 {
		return nil
	}
	return e.place.Module.Run(e.place.Stream, kernel.Round(e.optimizer.Weights, e.optimizer.W16, e.optimizer.Floats))
}
