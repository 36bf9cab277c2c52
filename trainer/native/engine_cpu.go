package native

import (
	"context"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/batches"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

// cpuEngine trains in the calling goroutine: a step has ended when submit returns. Arenas are memory of the network's,
// arranged as its own.
type cpuEngine struct {
	net    *model.Network // for images of the data set's size; see at
	losses *loss.Training
	spec   optim.Spec

	moments optim.Moments
	sum     []float32 // of the gradients of the batches since weights moved; nil where each moves them
	// average and averageStats follow Weights and Stats; spare and spareStats hold those aside while the average is scored.
	// Empty without a moving average.
	average, averageStats, spare, spareStats []float32

	ended   []result // at most one, and not asked for yet
	level   [256]float32
	decoder decoder
}

func (e *cpuEngine) choose(*convolutions) (*convolutions, error) { return nil, nil }

func newCPUEngine(c engineConfig) (engine, error) {
	e := &cpuEngine{losses: loss.NewTraining(c.loss, c.threads), level: levels()}
	m := c.model
	m.Threads, m.Loss, m.AuxLoss = c.threads, e.losses.Main, e.losses.Aux
	var err error
	if e.net, err = model.New(m); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *cpuEngine) network() *model.Network { return e.net }

func (e *cpuEngine) begin(s optim.Spec) error {
	e.spec = s
	weights, stats := e.net.Weights(), e.net.Stats()
	e.moments.Mean = e.net.Alloc(len(weights))
	if s.Sums {
		e.sum = e.net.Alloc(len(weights))
	}
	if s.Squares() {
		e.moments.Square = e.net.Alloc(len(weights))
	}
	if s.Peaks() {
		e.moments.Peak = e.net.Alloc(len(weights))
	}
	if s.Averages {
		e.average, e.averageStats = e.net.Alloc(len(weights)), e.net.Alloc(len(stats))
		copy(e.average, weights)
		copy(e.averageStats, stats)
		e.spare, e.spareStats = e.net.Alloc(len(weights)), e.net.Alloc(len(stats))
	}
	return nil
}

// at is the network for pictures of a side. All share one memory, made for the largest.
func (e *cpuEngine) at(side int) (*model.Network, error) {
	if side == e.net.Config().Width {
		return e.net, nil
	}
	return e.net.Resized(side, side)
}

func (e *cpuEngine) prepare(side int) error {
	_, err := e.at(side)
	return err
}

// hold does nothing: pictures are made on the CPU.
func (e *cpuEngine) hold(context.Context) (func() batches.Recipes, []string, error) {
	return nil, nil, nil
}

func (e *cpuEngine) pictures(b batch) ([]float32, error) { return b.images, nil }

func (e *cpuEngine) submit(b batch, u optim.Update) error {
	net, err := e.at(b.side)
	if err != nil {
		return err
	}
	if err := net.SetImages(b.images); err != nil {
		return err
	}
	e.losses.Begin(b.truths)
	r := result{Update: u}
	if r.loss, err = net.Step(); err != nil {
		return err
	}
	r.parts = e.losses.Parts
	if finite(r.loss) {
		r.norm = e.move(u)
	}
	e.ended = append(e.ended[:0], r)
	return nil
}

// move takes in the gradients of a batch and returns their norm before clipping, or 0 where weights do not move. A norm that
// is not finite moves nothing but the average.
func (e *cpuEngine) move(u optim.Update) (norm float64) {
	grads, weights := e.net.Grads(), e.net.Weights()
	if e.sum != nil {
		kernels.Accumulate(e.sum, grads)
		grads = e.sum
	}
	if !u.Move {
		return 0
	}
	norm = e.spec.Step(weights, grads, e.moments, u.Updates+1, u.Rates)
	clear(e.sum)
	if e.spec.Averages {
		e.spec.Average.Move(e.average, weights, u.Updates+1)
		e.spec.Average.Move(e.averageStats, e.net.Stats(), u.Updates+1)
	}
	return norm
}

func (e *cpuEngine) results(bool) ([]result, error) {
	ended := e.ended
	e.ended = e.ended[:0]
	return ended, nil
}

func (e *cpuEngine) scoring() (back func(), err error) {
	if !e.spec.Averages {
		return func() {}, nil
	}
	weights, stats := e.net.Weights(), e.net.Stats()
	copy(e.spare, weights)
	copy(e.spareStats, stats)
	copy(weights, e.average)
	copy(stats, e.averageStats)
	return func() {
		copy(weights, e.spare)
		copy(stats, e.spareStats)
	}, nil
}

func (e *cpuEngine) evaluate(ctx context.Context, images []dataset.Image, room func(int) []float32, found func(int, []evaluate.Candidate)) error {
	c := e.net.Config()
	for first := 0; first < len(images); first += c.Batch {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		some := images[first:min(first+c.Batch, len(images))]
		h, err := e.outputs(some, room(len(some)*c.Width*c.Width*3))
		if err != nil {
			return err
		}
		for j := range some {
			found(first+j, e.decoder.found(h, j, float64(c.Width)))
		}
	}
	return nil
}

// outputs are those for some pictures, at most a batch; pix has as many floats as they have.
func (e *cpuEngine) outputs(images []dataset.Image, pix []float32) (loss.Heads, error) {
	one := len(pix) / len(images)
	for i := range images {
		stored, err := images[i].Pixels()
		if err != nil {
			return loss.Heads{}, err
		}
		to := pix[i*one : (i+1)*one]
		for j, v := range stored {
			to[j] = e.level[v]
		}
	}
	if err := e.net.SetImages(pix); err != nil {
		return loss.Heads{}, err
	}
	if err := e.net.Eval(); err != nil {
		return loss.Heads{}, err
	}
	return e.net.HeadOutputs(), nil
}

func (e *cpuEngine) finite() (bool, error) {
	return finite(kernels.SumSquares(e.net.Weights()) + kernels.SumSquares(e.net.Stats())), nil
}

func (e *cpuEngine) state() ([]arenas, error) {
	all := []arenas{{partWeights, e.net.Weights(), e.net.Stats()}, {partMomentum, e.moments.Mean, nil},
		{partSquare, e.moments.Square, nil}, {partPeak, e.moments.Peak, nil}, {partSum, e.sum, nil}}
	if e.spec.Averages {
		all = append(all, arenas{partAverage, e.average, e.averageStats})
	}
	return all, nil
}

func (e *cpuEngine) restored() error { return nil }

func (e *cpuEngine) bytes() int64 { return e.net.Bytes() }

func (e *cpuEngine) close(bool) error { return e.net.Close() }
