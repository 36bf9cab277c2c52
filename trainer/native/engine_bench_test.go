package native

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/dataset/batches"
	"github.com/mapsweep/mapsweep/trainer/native/assign"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

// StepConfig says which training step is compared or timed.
type StepConfig struct {
	Network string // name of a built-in model, without an auxiliary head
	Size    int    // pixels a side
	Batch   int
	BF16    bool
	Sums    bool // gradients are kept in the sum, and weights do not move
	Held    bool // the pictures lie on the GPU as bytes, and batches are composed of them there, as in trials
}

// Classes of a Stepper.
const Classes = 3

// Stepper is an engine that takes the same random batch of pictures and objects again and again, or with Held batches that are
// composed of its pictures.
type Stepper struct {
	StepConfig
	e       engine
	batch   batch
	updates int
	loader  *batches.Loader // with Held
}

// NewStepper opens the engine of a GPU, or of the CPU where it is nil.
func NewStepper(on *GPU, c StepConfig) (*Stepper, error) {
	s := &Stepper{StepConfig: c}
	s.draw()
	open := newCPUEngine
	if on != nil {
		open = func(c engineConfig) (engine, error) { return newGPUEngine(context.Background(), *on, c) }
	}
	data, err := s.data()
	if err != nil {
		return nil, err
	}
	s.e, err = open(engineConfig{threads: 1, objects: c.Batch * augment.MostObjects(data.train, data.sampling), data: data, shelf: newShelf(),
		loss:  loss.Spec{Method: assign.Usual, Gains: loss.Gains{Box: 7.5, Class: 0.5, DFL: 1.5}},
		model: model.Config{Model: c.Network, Classes: Classes, Width: c.Size, Height: c.Size, Batch: c.Batch, Seed: 1, BF16: c.BF16, Direct: true}})
	if err != nil {
		return nil, err
	}
	spec := optim.Spec{Kind: optim.BySGD, Segments: optim.Segments(s.e.network().Params()), WeightDecay: 0.0005, ClipNorm: 10, Sums: c.Sums,
		Averages: true, Average: optim.Average{Decay: 0.9999, Tau: 2000}}
	if err := s.e.begin(spec); err != nil {
		return nil, err
	}
	if c.Held {
		return s, s.hold(data)
	}
	return s, nil
}

// data is the batch as a data set, with the augmentation of a study that says nothing of it.
func (s *Stepper) data() (runData, error) {
	set, _, err := resolve(knobs(), nil)
	d := runData{hash: "random", train: make([]dataset.Image, s.Batch), split: "val", sampling: set.sampling()}
	one := s.Size * s.Size * 3
	for i := range d.train {
		m := dataset.Image{Name: fmt.Sprint("random-", i), W: s.Size, H: s.Size, Pix: make([]uint8, one)}
		for j := range m.Pix {
			m.Pix[j] = uint8(255 * s.batch.images[i*one+j])
		}
		d.train[i] = m
	}
	for _, o := range s.batch.truths {
		m := &d.train[o.Image]
		m.Boxes = append(m.Boxes, dataset.Box{Class: o.Class, X0: o.X0, Y0: o.Y0, X1: o.X1, Y1: o.Y1})
	}
	d.scored = d.train[:1]
	return d, err
}

// hold brings the data to the GPU and begins to make batches, in one goroutine, as a run does.
func (s *Stepper) hold(data runData) error {
	recipes, notes, err := s.e.hold(context.Background())
	if err != nil || recipes == nil {
		return fmt.Errorf("pictures are not held on the GPU: %q, %w", notes, err)
	}
	sampler, err := augment.New(data.train, s.Size, data.sampling)
	if err != nil {
		return err
	}
	s.loader = batches.Start(context.Background(), batches.Plan{Count: math.MaxInt32, Values: len(s.batch.images), Recipes: recipes,
		Batch: func(n int) batches.Request {
			return batches.Request{Seed: 1, Epoch: n, Indices: augment.Order(1, n, s.Batch)}
		}}, sampler)
	return nil
}

// draw makes pictures of noise on smooth ground, and two to five objects in each.
func (s *Stepper) draw() {
	r := rand.New(rand.NewPCG(1, uint64(s.Size)))
	side := float32(s.Size)
	s.batch = batch{side: s.Size, images: make([]float32, s.Batch*s.Size*s.Size*3)}
	for i := range s.Batch {
		picture := s.batch.images[i*s.Size*s.Size*3:][:s.Size*s.Size*3]
		var ground [8][8][3]float32
		for y := range 8 {
			for x := range 8 {
				ground[y][x] = [3]float32{r.Float32(), r.Float32(), r.Float32()}
			}
		}
		for j := range picture {
			y, x := j/3/s.Size, j/3%s.Size
			picture[j] = 0.8*ground[y*8/s.Size][x*8/s.Size][j%3] + 0.2*r.Float32()
		}
		for range 2 + r.IntN(4) {
			w, h := side*(0.15+0.6*r.Float32()), side*(0.15+0.6*r.Float32())
			x, y := r.Float32()*(side-w), r.Float32()*(side-h)
			s.batch.truths = append(s.batch.truths, loss.Truth{Image: i, Class: r.IntN(Classes), X0: x, Y0: y, X1: x + w, Y1: y + h})
		}
	}
}

func (s *Stepper) next() optim.Update {
	u := optim.Update{Step: s.updates, Updates: s.updates, Move: !s.Sums, Rates: optim.Rates{Weights: 0.001, Bias: 0.001, Momentum: 0.937}}
	s.updates++
	return u
}

// Step submits a step with the batch in host memory, or with Held with the next one that was decided.
func (s *Stepper) Step() error {
	if s.loader == nil {
		return s.e.submit(s.batch, s.next())
	}
	made, err := s.loader.Next()
	if err != nil {
		return err
	}
	b := batch{recipes: made.Recipes, side: s.Size, truths: s.batch.truths[:0]}
	for i, boxes := range made.Boxes {
		for _, o := range boxes {
			b.truths = append(b.truths, loss.Truth{Image: i, Class: o.Class, X0: o.X0, Y0: o.Y0, X1: o.X1, Y1: o.Y1})
		}
	}
	s.batch.truths = b.truths
	return s.e.submit(b, s.next())
}

// Again submits the captured step of a GPU with the batch that the last Step has left there.
func (s *Stepper) Again() error {
	e := s.e.(*gpuEngine)
	return s.with(func() error { return e.sides[s.Size].graph.Launch(e.place.Stream) })
}

// with submits a step that launch puts into the stream.
func (s *Stepper) with(launch func() error) error {
	e, u := s.e.(*gpuEngine), s.next()
	in := e.optimizer.Input(kernel.Rates{Weights: u.Rates.Weights, Bias: u.Rates.Bias, Momentum: u.Rates.Momentum,
		Average: e.spec.Average.Weight(u.Updates + 1), Update: u.Updates + 1, Move: u.Move})
	e.pending = append(e.pending, u)
	return e.ring.Submit(e.place.Stream, in, launch)
}

// Wait ends all steps and returns the loss of the last one.
func (s *Stepper) Wait() (float64, error) {
	all, err := s.e.results(true)
	if err != nil || len(all) == 0 {
		return 0, errors.Join(err, errors.New("no step has ended"))
	}
	last := all[len(all)-1]
	if why := last.notFinite(); why != "" {
		return last.loss, errors.New(why)
	}
	return last.loss, nil
}

// Gradients are the sums of gradients by parameter, in their logical form, after Wait. For Sums.
func (s *Stepper) Gradients() (map[string][]float32, error) {
	all, err := s.e.state()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(a arenas) bool { return a.part == partSum })
	named := map[string][]float32{}
	for t := range s.e.network().NamedTensors() {
		if !t.Stat {
			if named[t.Name], err = t.Get(all[i].weights); err != nil {
				return nil, err
			}
		}
	}
	return named, nil
}

// FLOP of the convolutions of one step; of each of forward, gradient of inputs and gradient of weights a third.
func (s *Stepper) FLOP() float64 {
	_, train := s.e.network().ForwardFLOP()
	return 3 * float64(train) * float64(s.Batch)
}

// Dependent is how many of the captured step's launches there are, and how many may begin before the one ahead has ended.
func (s *Stepper) Dependent() (dependent, launches int) {
	g := s.e.(*gpuEngine).sides[s.Size].graph
	return g.Dependent, g.Nodes
}

// Bytes of GPU memory held.
func (s *Stepper) Bytes() int64 { return s.e.bytes() }

// Close gives everything back.
func (s *Stepper) Close() error {
	if s.loader != nil {
		s.loader.Close()
	}
	return s.e.close(false)
}
