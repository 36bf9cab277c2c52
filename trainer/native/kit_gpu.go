package native

import (
	"errors"

	"github.com/mapsweep/mapsweep/trainer/native/assign"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/layers/gpu"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

// gpuKit is what a run on a GPU has made that another run can use when it has ended: the network in its memory, room for the
// optimiser, captured steps, and the use of the data. kits keeps them.
type gpuKit struct {
	share *cuda.Share       // the GPU, with other trials of this process
	part  *cuda.Reservation // of its memory
	place gpu.Place
	rank  *rank // among the GPUs of the trial; nil: alone

	net     *model.Network // for images of the data set's size; see at
	objects int            // room for those of a batch
	fed     int64          // bytes of the part that a feed can have
	sides   map[int]*gpuSide

	optimizer kernel.Optimizer
	ring      *kernel.Ring // nil: nothing is arranged yet
	step      kernel.Step
	mirrors   []mirror      // of what the optimiser keeps
	spare     cuda.Ptr      // weights and statistics while the average is scored
	chosen    *convolutions // nil: no choice was made

	shelf         *shelf
	train, scored claim    // of the data, on the GPU
	feed          *gpuFeed // nil: not made yet
	truths        *stage
	scores        *gpuScores // nil: not made yet

	key  kitKey
	idle *cuda.Idle // while kits has it
}

// kitKey is all that is fixed in a kit, so that runs of equal keys can use it one after the other. Other settings reach the GPU
// with each step, or when a run begins.
type kitKey struct {
	gpu           int
	net           netKey
	solver        solverKey
	train, scored shelfKey
}

// netKey is what a network on a GPU is built of, and its loss.
type netKey struct {
	file            *spec.File
	model           string
	classes, batch  int
	width, largest  int
	bf16, direct    bool
	aux, auxMain    bool
	topK            int
	allClaim        bool // assign.Method.All
	fastest         bool // convolutions are chosen
	ranks           int
	synchronisedToo bool // normalisation
}

// solverKey is what memory and which kernels an optimiser takes.
type solverKey struct {
	kind                   optim.Kind
	sums, peaks, averaging bool
}

func (e *gpuEngine) keyOf(c engineConfig) kitKey {
	m, method, s := c.model, c.loss.Method, c.solver
	if method == (assign.Method{}) {
		method = assign.Usual
	}
	key := kitKey{gpu: e.on.Index, train: e.trainKey(), scored: e.scoredKey(),
		net: netKey{file: m.File, model: m.Model, classes: m.Classes, batch: m.Batch, width: m.Width, largest: max(m.Width, m.Largest), bf16: m.BF16, direct: m.Direct,
			aux: m.Aux, auxMain: c.loss.AuxMain, topK: method.TopK, allClaim: method.All, fastest: c.choices != nil},
		solver: solverKey{s.Kind, s.Sums, s.Peaks(), s.Averages},
	}
	if o := c.rank.others(); o != nil {
		key.net.ranks, key.net.synchronisedToo = o.Count, c.rank.synchronised()
	}
	return key
}

// kitRoom is what a run of a key needs room for.
type kitRoom struct {
	bytes, feed int64 // on the GPU, and of them for the feed: recipes with polygons take more
	objects     int   // of a batch
}

// serves says whether the kit has the room for a run of its key. What a kit has for more objects is not free for a feed.
func (k *gpuKit) serves(r kitRoom) bool {
	return k.part.Err() == nil && k.part.Bytes() >= r.bytes && k.fed >= r.feed && k.objects >= r.objects
}

// whole says whether the kit has all that a run begins with, and nothing that the next one could not use.
func (k *gpuKit) whole() bool {
	return k.rank == nil && k.ring != nil && k.train.set != nil && k.scored.set != nil && k.part.Err() == nil
}

// rest waits for all work, so that the kit can be kept.
func (k *gpuKit) rest() error { return k.place.Stream.Wait() }

func (k *gpuKit) close() error {
	var errs []error
	if k.place.Stream != nil {
		errs = append(errs, k.place.Stream.Wait())
	}
	for _, s := range k.sides {
		errs = append(errs, s.graph.Close())
	}
	errs = append(errs, k.scores.close(), k.feed.close(), k.truths.close())
	errs = append(errs, k.dropData())
	if k.ring != nil {
		errs = append(errs, k.ring.Close())
	}
	errs = append(errs, k.rank.leave())
	if k.net != nil {
		errs = append(errs, k.net.Close())
	}
	if k.place.Stream != nil {
		errs = append(errs, k.place.Stream.Close())
	}
	errs = append(errs, k.part.Release())
	if k.share != nil {
		errs = append(errs, k.share.Release())
	}
	return errors.Join(errs...)
}
