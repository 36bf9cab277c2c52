package native

import (
	"context"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/dataset/batches"
	"github.com/mapsweep/mapsweep/trainer/native/layers/gpu"
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

func (e endingEngine) close() error {
	e.end()
	return e.gpuEngine.close()
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

// NoPolygons reckons that there are no polygons in recipes.
func NoPolygons(b *Backend) {
	onGPU(b, func(e *gpuEngine) engine {
		e.polygons = func([]dataset.Image, augment.Settings, int) int { return 0 }
		return e
	})
}

// Shelved is the numbers of users of what a backend keeps on GPUs.
func Shelved(b *Backend) (users []int) {
	b.shelf.mu.Lock()
	defer b.shelf.mu.Unlock()
	for _, s := range b.shelf.sets {
		users = append(users, s.users)
	}
	return users
}

// Reckon gives the seconds of the ways to compute convolutions on a GPU in place of measurements.
func Reckon(b *Backend, seconds func(pass, way string) float64) {
	onGPU(b, func(e *gpuEngine) engine {
		e.timer = gpu.Timer{Repeats: 1, Rounds: 1, Reckon: seconds}
		return e
	})
}
