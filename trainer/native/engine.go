package native

import (
	"context"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/dataset/batches"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

// engine carries out what a run does with tensors, on some device. It belongs to the run's goroutine. What happens when,
// and at which rates, is the run's to say, so that it is the same on every device.
type engine interface {
	// network is the network that is trained. From begin on its arenas are the engine's.
	network() *model.Network
	// begin makes optimiser and moving average, and starts from the weights that the network has in its arenas. It comes
	// before everything below.
	begin(optim.Spec) error
	// choose has convolutions computed by the fastest of several ways where the run asks for that, and says by which: the stored
	// choice where there is one. It comes after begin, and restored, and before anything below that computes. nil: no choice.
	choose(stored *convolutions) (*convolutions, error)
	// prepare makes what a step with pictures of that many pixels a side needs, so that no step has to.
	prepare(side int) error

	// hold brings the run's data to where the engine makes batches of recipes itself, and says what receives those of a
	// batch: nil where batches come with pictures, as they do without hold. notes are lines for the trial's log: where pictures
	// are, and why. It comes after begin, once, and before steps.
	hold(context.Context) (recipes func() batches.Recipes, notes []string, err error)

	// pictures are those of a batch as a step learns from them: N x side x side x 3, RGB interleaved, 0..1. They are valid until the
	// next call of any method. It comes after hold, and while no step is under way.
	pictures(batch) ([]float32, error)
	// submit begins the next step: forward, loss, backward, and, with Move, clipping, optimiser and average; without, the
	// gradients join their sum. When it returns the batch may be overwritten. After a step that saw a loss or a norm that is
	// not finite nothing changes any more, and submit does nothing.
	submit(batch, optim.Update) error
	// results are those of steps that have ended, in order, each once; with wait it first waits for all that were
	// submitted. One that is not finite is the last.
	results(wait bool) ([]result, error)

	// scoring makes evaluate use the moving average, where there is one, until back is called.
	scoring() (back func(), err error)
	// evaluate runs pictures of the network's own size through it, a batch at a time, and hands out what it finds in each of
	// them, in order: the list is overwritten afterwards. They are the data's that are scored.
	// room makes room for so many floats, for a batch of pictures.
	evaluate(ctx context.Context, images []dataset.Image, room func(floats int) []float32, found func(image int, all []evaluate.Candidate)) error
	// finite says whether all weights and statistics are.
	finite() (bool, error)

	// state lists the arenas of all that training changes, as checkpoints keep them, after all steps that were submitted.
	// They are valid until the next step.
	state() ([]arenas, error)
	// restored makes what was written into the arenas of state what the engine goes on from.
	restored() error

	// bytes is the memory held: that of the GPU where there is one, else that outside of Go's heap.
	bytes() int64
	// close ends the run. sound: nothing failed, and what the engine has made may serve another run.
	close(sound bool) error
}

// runData is what a run reads.
type runData struct {
	hash     string          // of the data set
	train    []dataset.Image // all of one size
	split    string          // that is scored
	scored   []dataset.Image
	sampling augment.Settings // that recipes are made with
}

// batch is what a step learns from.
type batch struct {
	images  []float32       // N x side x side x 3, RGB interleaved, 0..1
	recipes batches.Recipes // in place of images, where hold said so
	side    int             // pixels
	truths  []loss.Truth    // its objects, by image
}

// result is what one step saw.
type result struct {
	optim.Update            // that the step was submitted with
	loss         float64    // weighted by gains, of all heads
	norm         float64    // of the gradients before clipping; 0 where weights did not move
	parts        loss.Parts // of the main head, without gains
}

// arenas are one part of the state; see the names of parts of checkpoints.
type arenas struct {
	part           string
	weights, stats []float32 // arranged as the network's; nil: none
}

// engineConfig is what every engine needs to be made.
type engineConfig struct {
	model   model.Config // without device and losses
	loss    loss.Spec
	threads int // of the run, for what is done on the CPU
	objects int // that a batch has at most
	data    runData
	shelf   *shelf
	choices *choices // nil: no choice of convolutions
	rank    *rank    // of a GPU that is one of several; nil: alone

	solver optim.Spec // without segments
	kits   *kits      // that the run may take from and leave to; nil: none
	apart  bool       // the run uses none
}
