package native

import (
	"context"
	"errors"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
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
	*gpuKit // may have served another run before

	losses  loss.Spec
	spec    optim.Spec
	threads int   // of the host
	room    int   // for objects of a batch, that the run needs
	needs   int64 // bytes of the GPU's memory
	feeds   int64 // bytes among them that are the feed's
	made    bool  // pictures are, on the GPU; see hold
	pending []optim.Update

	on      GPU
	kits    *kits    // nil: the run's is kept for no other
	choices *choices // nil: no choice of convolutions
	timer   gpu.Timer
	counted bool // among those that run
	taken   bool // the kit is another run's

	data runData
	size int // of its pictures, pixels a side

	candidates int // of a batch, that there is room for on the device when it is scored
	// polygons is room for those of the recipes of so many samples: kernel.PolygonRoom.
	polygons func(images []dataset.Image, s augment.Settings, samples int) int
}

// newGPUEngine builds the network of a run on a GPU, or takes a kit that has it.
func newGPUEngine(ctx context.Context, on GPU, c engineConfig) (engine, error) {
	e := &gpuEngine{gpuKit: &gpuKit{sides: map[int]*gpuSide{}, shelf: c.shelf, rank: c.rank}, losses: c.loss, room: max(1, c.objects), threads: c.threads,
		data: c.data, size: c.model.Width, on: on, choices: c.choices, timer: gpu.Timer{Repeats: 8, Rounds: 3}, candidates: mostCandidates, polygons: kernel.PolygonRoom}
	if c.rank == nil && !c.apart {
		e.kits = c.kits
	}
	if err := e.open(ctx, c); err != nil {
		return nil, errors.Join(err, e.close(false))
	}
	return e, nil
}

// open takes a kit; or joins the trials on the GPU, waits for its memory, and builds the network there.
func (e *gpuEngine) open(ctx context.Context, c engineConfig) (err error) {
	if e.needs, err = e.need(c); err != nil {
		return err
	}
	e.key = e.keyOf(c)
	if !e.takeKit() {
		if e.share, err = cuda.Acquire(ctx, e.on.Index, kernel.Image()); err != nil {
			return err
		}
		if err := e.reserve(ctx); err != nil {
			return err
		}
	}
	if e.kits != nil {
		e.kits.began(e.on.Index)
		e.counted = true
	}
	if e.net != nil {
		return e.net.Reset(c.model.Seed)
	}
	e.objects, e.fed = e.room, e.feeds
	e.place = gpu.Place{GPU: e.share.GPU, Module: e.share.Module, Memory: e.part, Ranks: e.rank.others(), SyncNorm: e.rank.synchronised()}
	if e.place.Stream, err = e.share.GPU.NewStream(); err != nil {
		return err
	}
	if e.rank != nil {
		e.rank.stream = e.place.Stream
	}
	e.net, err = buildOnGPU(c, e.place)
	return err
}

// takeKit takes a kit of an ended run in place of an empty one, if there is one with room for this one.
func (e *gpuEngine) takeKit() bool {
	if e.kits == nil || kernel.AugmentationFits(e.data.sampling) != nil {
		return false
	}
	kit := e.kits.take(e.key, kitRoom{e.needs, e.feeds, e.room}, kernel.MostChanges(e.data.sampling))
	if kit == nil {
		return false
	}
	e.gpuKit, e.taken = kit, true
	return true
}

func (e *gpuEngine) network() *model.Network { return e.net }

// take is zeroed device memory that lives until close.
func (k *gpuKit) take(bytes int64) (cuda.Ptr, error) {
	return k.place.Memory.Alloc(bytes)
}

func (e *gpuEngine) begin(s optim.Spec) (err error) {
	e.spec = s
	if err := e.net.Device().Upload(); err != nil {
		return err
	}
	if e.ring == nil {
		if err := e.arrange(); err != nil {
			return err
		}
	}
	return e.start()
}

func (e *gpuEngine) prepare(side int) error {
	_, err := e.at(side)
	return err
}

func (e *gpuEngine) bytes() int64 { return e.needs }

// close ends the run. Where nothing failed its kit is kept.
func (e *gpuEngine) close(sound bool) error {
	if e.counted {
		e.counted = false
		e.kits.ended(e.on.Index)
	}
	if sound && e.kits != nil && e.whole() && e.rest() == nil {
		return e.kits.put(e.gpuKit)
	}
	return e.gpuKit.close()
}
