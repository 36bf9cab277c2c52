package native

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/dataset/batches"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/layers/gpu"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
	"github.com/mapsweep/mapsweep/trials"
)

// BestF1 is bestF1, for its test.
var BestF1 = bestF1

// Exhausted is what a run of so many epochs with the given knobs says after the given ones.
func Exhausted(params trials.Params, epochs int, finished []map[string]float64) (string, error) {
	set, _, err := resolve(knobs(), params)
	r := run{set: set, job: trainer.Job{Epochs: epochs}}
	for i, m := range finished {
		r.curves = append(r.curves, curve{Epoch: i + 1, Metrics: m})
	}
	return r.exhausted(), err
}

// Scored returns the tensors that training scores with.
func Scored(path string) (map[string][]float32, error) {
	_, _, named, err := readScored(path)
	return named, err
}

// FakeGPUs makes a backend train on GPUs that are the CPU. err, if there is one, is what opening one comes to.
func FakeGPUs(b *Backend, err error) {
	b.openGPU = func(_ context.Context, _ GPU, c engineConfig) (engine, error) {
		if err != nil {
			return nil, err
		}
		return newCPUEngine(c)
	}
}

// picturedEngine makes no pictures.
type picturedEngine struct{ engine }

func (picturedEngine) hold(context.Context) (func() batches.Recipes, []string, error) {
	return nil, nil, nil
}

// greedyEngine is asked for more operations than kernels make.
type greedyEngine struct{ *gpuEngine }

func (e greedyEngine) hold(ctx context.Context) (func() batches.Recipes, []string, error) {
	e.data.sampling.AutoAugment, e.data.sampling.RandN = augment.RandAugment, 21
	if err := e.dropData(); err != nil {
		return nil, nil, err
	}
	e.claimData()
	return e.gpuEngine.hold(ctx)
}

// onGPU changes the engines of a backend's runs on a GPU.
func onGPU(b *Backend, change func(*gpuEngine) engine) {
	open := b.openGPU
	b.openGPU = func(ctx context.Context, g GPU, c engineConfig) (engine, error) {
		e, err := open(ctx, g, c)
		if err != nil {
			return nil, err
		}
		return change(e.(*gpuEngine)), nil
	}
}

// Pictured makes the pictures of a backend's batches on the CPU.
func Pictured(b *Backend) { onGPU(b, func(e *gpuEngine) engine { return picturedEngine{e} }) }

// Greedy makes recipes of a backend's runs too long for a GPU.
func Greedy(b *Backend) { onGPU(b, func(e *gpuEngine) engine { return greedyEngine{e} }) }

// endingEngine is looked at before it is closed.
type endingEngine struct {
	*gpuEngine
	end func()
}

func (e endingEngine) close(sound bool) error {
	e.end()
	return e.gpuEngine.close(sound)
}

// FewCandidates gives the candidates of a batch little room on a GPU, and tells of the last run's end whether that was too little.
func FewCandidates(b *Backend, n int) (exceeded func() bool) {
	var few bool
	onGPU(b, func(e *gpuEngine) engine {
		e.candidates = n
		return endingEngine{e, func() {
			_, ok := e.scores.nms.Read(e.scores.batches[0].found.Bytes, 0, nil)
			few = !ok
		}}
	})
	return func() bool { return few }
}

// Held tells how many bytes of a GPU the last run's engine held.
func Held(b *Backend) func() int64 {
	var bytes int64
	onGPU(b, func(e *gpuEngine) engine { return endingEngine{e, func() { bytes = e.bytes() }} })
	return func() int64 { return bytes }
}

// NoPolygons reckons that there are no polygons in recipes: of all ranks, or of some.
func NoPolygons(b *Backend, ranks ...int) {
	onGPU(b, func(e *gpuEngine) engine {
		if len(ranks) == 0 || e.rank != nil && slices.Contains(ranks, e.rank.number) {
			e.polygons = func([]dataset.Image, augment.Settings, int) int { return 0 }
		}
		return e
	})
}

// KeepPictures has those of a backend stay on GPUs between runs, until back is called.
func KeepPictures(b *Backend) (back func() error) { return b.shelf.keep() }

// Shelved is the numbers of users of what a backend keeps on GPUs.
func Shelved(b *Backend) (users []int) {
	b.shelf.mu.Lock()
	defer b.shelf.mu.Unlock()
	for _, s := range b.shelf.sets {
		users = append(users, s.users)
	}
	return users
}

// Kits tells how many of a backend's runs had the kit of another, and how many kits are idle, where they are kept for so long.
func Kits(b *Backend, keeps time.Duration) func() (taken, idle int) {
	b.kits.keeps = keeps
	var served atomic.Int32
	onGPU(b, func(e *gpuEngine) engine {
		if e.ring != nil {
			served.Add(1)
		}
		return e
	})
	return func() (taken, idle int) {
		b.kits.mu.Lock()
		defer b.kits.mu.Unlock()
		return int(served.Load()), len(b.kits.idle)
	}
}

// BreakKits has what is idle fail to close.
func BreakKits(b *Backend) {
	b.kits.shut = func(k *gpuKit) error { return errors.Join(k.close(), errors.New("broken")) }
}

// Reckon gives the seconds of the ways to compute convolutions on a GPU in place of measurements.
func Reckon(b *Backend, seconds func(pass, way string) float64) {
	onGPU(b, func(e *gpuEngine) engine {
		e.timer = gpu.Timer{Repeats: 1, Rounds: 1, Reckon: seconds}
		return e
	})
}

// OneRank makes a backend's runs on a GPU ranks, of which each has only itself.
func OneRank(b *Backend, syncNorm bool) {
	inner := &Backend{openGPU: b.openGPU}
	b.openGPU = func(ctx context.Context, on GPU, c engineConfig) (engine, error) {
		library, err := b.library()
		if err != nil {
			return nil, err
		}
		return inner.newRanksEngine(ctx, ranksSpec{gpus: []GPU{on}, syncNorm: syncNorm, library: library}, c)
	}
}

// failingEngine does not submit step number `left`.
type failingEngine struct {
	*gpuEngine
	left int
}

func (e *failingEngine) submit(b batch, u optim.Update) error {
	if e.left--; e.left < 0 {
		return cuda.ErrLost
	}
	return e.gpuEngine.submit(b, u)
}

// FailRank has one rank of a backend's runs fail after some steps.
func FailRank(b *Backend, number, steps int) {
	onGPU(b, func(e *gpuEngine) engine {
		if e.rank.number == number {
			return &failingEngine{e, steps}
		}
		return e
	})
}

// Step is what the first rank of a run holds after a step that began at the initial weights.
type Step struct {
	Grads             []float32
	Value, Normaliser float64
}

// StepAt takes step number n as a run's first.
func StepAt(ctx context.Context, b *Backend, job trainer.Job, n int) (s Step, err error) {
	r, err := b.newRun(ctx, job)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.hold(ctx); err != nil {
		return s, err
	}
	if err := r.startLoader(ctx); err != nil {
		return s, err
	}
	defer r.loader.Close()
	for range n + 1 {
		if err := r.next(); err != nil {
			return s, err
		}
	}
	if err := r.submit(); err != nil {
		return s, err
	}
	if err := r.collect(true); err != nil {
		return s, err
	}
	e, ok := r.engine.(*gpuEngine)
	if !ok {
		e = r.engine.(*ranksEngine).first().(*gpuEngine)
	}
	values := make([]float64, 5)
	l := e.sides[r.batch.side].device.Losses()[0]
	err = errors.Join(e.place.Stream.CopyOut(unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), 40), l.P), e.net.Device().Download())
	return Step{slices.Clone(e.net.Device().Grads()), values[3], values[4]}, err
}

// absentEngine leaves a step out.
type absentEngine struct {
	*gpuEngine
	left int
}

func (e *absentEngine) submit(b batch, u optim.Update) error {
	if e.left--; e.left < 0 {
		return nil
	}
	return e.gpuEngine.submit(b, u)
}

// SkipRank has one rank of a backend's runs take no part after some steps.
func SkipRank(b *Backend, number, steps int) {
	onGPU(b, func(e *gpuEngine) engine {
		if e.rank.number == number {
			return &absentEngine{e, steps}
		}
		return e
	})
}
