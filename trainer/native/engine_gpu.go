package native

import (
	"context"
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/gpu"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

// stepsAhead is how many steps may be under way on a GPU.
const stepsAhead = 4

// gpuEngine trains on a GPU. A step is one captured graph of launches, from the pictures to the moving average; the host
// hands in pictures, objects and rates, and reads results some steps later. Arenas on the host are mirrors.
type gpuEngine struct {
	share  *cuda.Share       // the GPU, with other trials of this process
	part   *cuda.Reservation // of its memory
	place  gpu.Place
	rank   *rank          // among the GPUs of the trial; nil: alone
	net    *model.Network // for images of the data set's size; see at
	losses loss.Spec
	spec   optim.Spec

	optimizer kernel.Optimizer
	ring      *kernel.Ring
	step      kernel.Step
	sides     map[int]*gpuSide
	objects   int // room for those of a batch
	threads   int // of the host

	on      GPU
	choices *choices // nil: no choice of convolutions
	timer   gpu.Timer

	data          runData
	size          int // of its pictures, pixels a side
	shelf         *shelf
	train, scored claim    // of the data, on the GPU
	feed          *gpuFeed // nil: not made yet
	truths        *stage
	scores        *gpuScores // nil: not made yet

	candidates int // of a batch, that there is room for on the device when it is scored
	// polygons is room for those of the recipes of so many samples: kernel.PolygonRoom.
	polygons func(images []dataset.Image, s augment.Settings, samples int) int

	mirrors []mirror // of what the optimiser keeps
	spare   cuda.Ptr // weights and statistics while the average is scored
	pending []optim.Update
}

// gpuSide is what pictures of one side need.
type gpuSide struct {
	net    *model.Network
	device gpuDevice
	graph  *cuda.Captured // nil: not captured yet
}

// newGPUEngine builds the network of a run on a GPU.
func newGPUEngine(ctx context.Context, on GPU, c engineConfig) (engine, error) {
	e := &gpuEngine{losses: c.loss, sides: map[int]*gpuSide{}, objects: max(1, c.objects), threads: c.threads,
		data: c.data, size: c.model.Width, shelf: c.shelf, on: on, choices: c.choices, timer: gpu.Timer{Repeats: 8, Rounds: 3}, candidates: mostCandidates, polygons: kernel.PolygonRoom, rank: c.rank}
	if err := e.open(ctx, on, c); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// open joins the trials on a GPU, waits for its memory, and builds the network there.
func (e *gpuEngine) open(ctx context.Context, on GPU, c engineConfig) (err error) {
	if e.share, err = cuda.Acquire(ctx, on.Index, kernel.Image()); err != nil {
		return err
	}
	need, err := e.need(c)
	if err != nil {
		return err
	}
	if err := e.reserve(ctx, need); err != nil {
		return err
	}
	e.place = e.ranked(gpu.Place{GPU: e.share.GPU, Module: e.share.Module, Memory: e.part})
	if e.place.Stream, err = e.share.GPU.NewStream(); err != nil {
		return err
	}
	if e.rank != nil {
		e.rank.stream = e.place.Stream
	}
	e.net, err = e.build(c, e.place)
	return err
}

// ranked is a place with the GPUs that train along.
func (e *gpuEngine) ranked(p gpu.Place) gpu.Place {
	p.Ranks, p.SyncNorm = e.rank.others(), e.rank.synchronised()
	return p
}

// build makes the network in some place.
func (e *gpuEngine) build(c engineConfig, place gpu.Place) (*model.Network, error) {
	typ := kernel.Float32
	if c.model.BF16 {
		typ = kernel.BFloat16
	}
	m := c.model
	m.Device = func(g *graph.Graph) (model.Device, error) {
		d, err := gpu.New(g, place, typ)
		return gpuDevice{d}, err
	}
	return model.New(m)
}

// optimiserArenas is the most arenas as long as the weights that a run keeps beside them: momentum, squares, peaks, a sum,
// an average, and room for weights while the average is scored.
const optimiserArenas = 6

// need is the device memory that a run takes at most. It builds the network once where there is no device.
func (e *gpuEngine) need(c engineConfig) (int64, error) {
	place, count := gpu.Count()
	n, err := e.build(c, e.ranked(place))
	if err != nil {
		return 0, err
	}
	defer n.Close()
	if n, err = n.Resized(largestSize(n)); err != nil {
		return 0, err
	}
	d := n.Device().(gpuDevice)
	if err := d.UseLoss(e.losses, e.objects); err != nil {
		return 0, err
	}
	if e.choices != nil {
		if err := d.LendToCuDNN(); err != nil {
			return 0, err
		}
	}
	arenas := 4 * int64(len(d.Weights())+len(d.Stats())) * optimiserArenas
	if _, err := count.Alloc(arenas); err != nil {
		return 0, err
	}
	main, _ := n.Heads()
	own := n.Config() // of the network for the data's pictures
	own.Largest, own.Width = own.Width, e.size
	for _, bytes := range append(e.scoreBytes(own, main).all(), e.feedBytes(own)) {
		if _, err := count.Alloc(bytes); err != nil {
			return 0, err
		}
	}
	const tables = 8 << 20 // of the optimiser, and of networks for other image sizes
	return count.Bytes + tables, nil
}

// largestSize is the size of the largest pictures that a network is built for.
func largestSize(n *model.Network) (width, height int) {
	c := n.Config()
	return max(c.Width, c.Largest), max(c.Height, c.Largest)
}

// gpuDevice is a GPU's device as a network needs it.
type gpuDevice struct{ *gpu.Device }

var _ model.Device = gpuDevice{}

// Alloc is memory of the host.
func (d gpuDevice) Alloc(floats int) []float32 { return make([]float32, floats) }

// Entered is always true: no network finds anything in the memory that it shares but what it has put there itself.
func (d gpuDevice) Entered() bool { return true }

// CompileFront runs whole batches: the images behind the first ones are left over from before, and their outputs are not read.
func (d gpuDevice) CompileFront(steps []graph.Step, _ int) (graph.Program, error) {
	return d.Compile(steps)
}

// Outputs are brought to the host. Where that fails they are NaN, and the device's next call reports it.
func (d gpuDevice) Outputs(set *layers.HeadSet, images int) loss.Heads {
	h, err := d.Device.Outputs(set, images)
	if err != nil {
		for _, v := range [][]float32{h.Box, h.Class} {
			for i := range v {
				v[i] = float32(math.NaN())
			}
		}
	}
	return h
}

func (d gpuDevice) Resized(g *graph.Graph) (model.Device, error) {
	r, err := d.Device.Resized(g)
	return gpuDevice{r}, err
}

func (e *gpuEngine) network() *model.Network { return e.net }

// take is zeroed device memory that lives until close.
func (e *gpuEngine) take(bytes int64) (cuda.Ptr, error) {
	return e.place.Memory.Alloc(bytes)
}

func (e *gpuEngine) begin(s optim.Spec) error {
	e.spec = s
	if err := e.net.Device().Upload(); err != nil {
		return err
	}
	var err error
	if e.ring, err = kernel.NewRing(e.place.GPU, stepsAhead); err != nil {
		return err
	}
	return e.arrange()
}

// arrange makes the optimiser's memory.
func (e *gpuEngine) arrange() error {
	s, d := e.spec, e.net.Device().(gpuDevice)
	arenas := d.Arenas()
	floats, stats := int64(len(d.Weights())), int64(len(d.Stats()))
	var segments []kernel.Segment
	for _, g := range s.Segments {
		segments = append(segments, kernel.Segment{Off: int64(g.Off), Len: int64(g.Len), Decay: g.Decay, Bias: g.Bias, Frozen: g.Frozen})
	}
	e.optimizer = kernel.Optimizer{
		Kind:  map[optim.Kind]kernel.Kind{optim.BySGD: kernel.SGD, optim.ByAdam: kernel.Adam, optim.ByAdamW: kernel.AdamW, optim.ByLION: kernel.LION}[s.Kind],
		Beta1: s.Beta1, Beta2: s.Beta2(), Epsilon: s.Epsilon(), WeightDecay: s.WeightDecay, ClipNorm: s.ClipNorm,
		Floats: floats, Weights: arenas.Weights, Grads: arenas.Grads, W16: arenas.Rounded, StatFloats: stats, Stats: arenas.Stats,
	}
	o := &e.optimizer
	var err error
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
	state := take(kernel.StateBytes)
	table := kernel.Table(floats, segments)
	o.Table = take(int64(len(table)))
	o.Scratch = take(o.ScratchBytes())
	if err != nil {
		return err
	}
	st := e.place.Stream
	err = errors.Join(st.CopyIn(o.Table, table), st.Copy(o.KeptStats, arenas.Stats, 4*stats))
	if s.Averages {
		err = errors.Join(err, st.Copy(o.Average, arenas.Weights, 4*floats), st.Copy(o.AverageStats, arenas.Stats, 4*stats))
	}
	if err = errors.Join(err, st.Wait()); err != nil {
		return err
	}
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
	e.step = e.ring.Step(state, d.Losses()...)
	o.Step = e.step
	e.truths, err = newStage(e.place.GPU, stepsAhead, kernel.TruthBytes(e.net.Config().Batch, e.objects))
	return err
}

// at is the network for pictures of a side, with its captured step. All share parameters and one memory.
func (e *gpuEngine) at(side int) (*gpuSide, error) {
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

func (e *gpuEngine) prepare(side int) error {
	_, err := e.at(side)
	return err
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

func (e *gpuEngine) bytes() int64 { return e.part.Bytes() }

func (e *gpuEngine) close() error {
	var errs []error
	if e.place.Stream != nil {
		errs = append(errs, e.place.Stream.Wait())
	}
	for _, s := range e.sides {
		errs = append(errs, s.graph.Close())
	}
	errs = append(errs, e.scores.close(), e.feed.close(), e.truths.close())
	errs = append(errs, e.dropData())
	if e.ring != nil {
		errs = append(errs, e.ring.Close())
	}
	errs = append(errs, e.rank.leave())
	if e.net != nil {
		errs = append(errs, e.net.Close())
	}
	if e.place.Stream != nil {
		errs = append(errs, e.place.Stream.Close())
	}
	errs = append(errs, e.part.Release())
	if e.share != nil {
		errs = append(errs, e.share.Release())
	}
	return errors.Join(errs...)
}
