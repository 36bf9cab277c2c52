package native

import (
	"fmt"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

// gpuSide is what pictures of one side need.
type gpuSide struct {
	net    *model.Network
	device gpuDevice
	graph  *cuda.Captured // nil: not captured yet
}

// at is the network for pictures of a side, with its captured step. All share parameters and one memory.
func (e *gpuEngine) at(side int) (*gpuSide, error) {
	if err := e.ownFeed(); err != nil {
		return nil, err
	}
	s, err := e.sideOf(side)
	if err != nil || s.graph != nil {
		return s, err
	}
	if s.graph, err = e.capture(s); err != nil {
		return nil, fmt.Errorf("capture the step for pictures of %d pixels: %w", side, err)
	}
	return s, nil
}

// sideOf is the network for pictures of a side.
func (e *gpuEngine) sideOf(side int) (*gpuSide, error) {
	if s := e.sides[side]; s != nil {
		return s, nil
	}
	s := &gpuSide{net: e.net}
	var err error
	if side != e.net.Config().Width {
		if s.net, err = e.net.Resized(side, side); err != nil {
			return nil, err
		}
	}
	s.device = s.net.Device().(gpuDevice)
	if s.device.Truths().Capacity == 0 {
		if err := s.device.UseLoss(e.losses, e.objects); err != nil {
			return nil, err
		}
	}
	e.sides[side] = s
	return s, nil
}

// capture records a step.
func (e *gpuEngine) capture(s *gpuSide) (*cuda.Captured, error) {
	all, err := e.launches(s)
	if err != nil {
		return nil, err
	}
	return e.place.Module.Capture(e.place.Stream, all...)
}

// launches are a step: input, pictures, forward, loss, backward, optimiser and average, result.
func (e *gpuEngine) launches(s *gpuSide) ([]cuda.Launch, error) {
	g := s.net.Graph()
	if e.feed == nil {
		if err := e.feedPictures(); err != nil {
			return nil, err
		}
	}
	forward, err := s.device.Launches(g.Forward, true)
	if err != nil {
		return nil, err
	}
	backward, err := s.device.Launches(g.Backward, true)
	if err != nil {
		return nil, err
	}
	step, optimizer := e.step, e.optimizer
	step.Losses = s.device.Losses()
	optimizer.Step = step
	all := append([]cuda.Launch{step.Begin()}, e.feed.launches(s.device.Type(), s.device.Image(s.net.Image()))...)
	all = append(append(all, forward...), backward...)
	end := append(e.rank.sums(optimizer.Grads, optimizer.Floats, step.Losses), optimizer.Launches()...)
	end[0].Joined = true // it reads all gradients
	return append(append(all, end...), step.End()), nil
}

func (e *gpuEngine) submit(b batch, u optim.Update) error {
	if err := e.fit(b); err != nil {
		return err
	}
	s, err := e.at(b.side)
	if err != nil {
		return err
	}
	in := e.optimizer.Input(kernel.Rates{Weights: u.Rates.Weights, Bias: u.Rates.Bias, Momentum: u.Rates.Momentum,
		Average: e.spec.Average.Weight(u.Updates + 1), Update: u.Updates + 1, Move: u.Move})
	err = e.ring.Submit(e.place.Stream, in, func() error { return e.put(s, b) })
	if err == nil {
		e.pending = append(e.pending, u)
	}
	return err
}

// put stages a batch and puts its step into the stream.
func (e *gpuEngine) put(s *gpuSide, b batch) error {
	c, st := s.net.Config(), e.place.Stream
	input, err := e.feed.input(b)
	if err != nil {
		return err
	}
	if err := e.feed.put(st, e.feed.room, input); err != nil {
		return err
	}
	truths := e.truths.turn()
	if err := kernel.PackTruths(truths, b.truths, c.Batch, c.Classes, e.objects); err != nil {
		return err
	}
	if err := st.CopyIn(s.device.Truths().Box, truths); err != nil {
		return err
	}
	return s.graph.Launch(st)
}

func bytesOf(v []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}

func (e *gpuEngine) results(wait bool) ([]result, error) {
	read := e.ring.Results
	if wait {
		read = e.ring.Drain
	}
	ended, err := read()
	if err != nil {
		return nil, err
	}
	var all []result
	for _, r := range ended {
		u := e.pending[0]
		e.pending = e.pending[1:]
		if r.Idle() {
			continue
		}
		v := result{Update: u, norm: r.Norm, parts: loss.Parts{Box: r.Losses[0], Class: r.Losses[1], DFL: r.Losses[2]}, loss: r.Losses[3]}
		if len(e.step.Losses) > 1 {
			v.loss += r.Losses[8]
		}
		all = append(all, v)
	}
	return all, nil
}
