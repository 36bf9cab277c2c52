package native

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/model"
)

// mostCandidates of a batch have room on the device when it is scored, in 32 MiB. Where an image has more than its share, the
// host looks for its objects.
const mostCandidates = 4 << 20

// batchesAhead is how many batches are under way as pictures are scored: the host reads what was found in one while the
// device works at the next.
const batchesAhead = 2

// gpuScores finds the objects of pictures a batch at a time, in one captured graph: pictures, forward, outputs, suppression.
type gpuScores struct {
	device  gpuDevice
	heads   *layers.HeadSet
	threads int      // that may read pictures
	set     *shelved // where the pictures lie on the device; nil: they come with each batch
	feed    *stage   // of recipes, that choose among the set's pictures, or of pictures
	room    cuda.Ptr // that the feed goes to
	nms     kernel.NMS
	graph   *cuda.Captured
	memory  []cuda.Ptr // to give back

	recipes *recipeRoom
	batches [batchesAhead]scoredBatch
	decoder decoder
	list    []evaluate.Candidate
}

// scoredBatch is a batch of pictures that is under way.
type scoredBatch struct {
	first, n int          // of the split's pictures
	input    []byte       // in the feed's memory
	found    *cuda.Pinned // kernel.NMS.Found
	done     *cuda.Event  // found is there
}

// scoreSizes are the bytes of device memory that scoring takes.
type scoreSizes struct{ recipes, canvas, pictures, keys, found int64 }

func (s scoreSizes) all() []int64 { return []int64{s.recipes, s.canvas, s.pictures, s.keys, s.found} }

// scoreBytes is what scoring with the outputs of a head takes at most.
func (e *gpuEngine) scoreBytes(c model.Config, heads kernel.Heads) scoreSizes {
	nms := e.suppression(c, heads)
	return scoreSizes{
		recipes: int64(kernel.RecipesBytes(c.Batch, 0)), canvas: kernel.Augmentation{Size: c.Width}.ScratchBytes(c.Batch),
		pictures: int64(c.Batch) * int64(c.Width) * int64(c.Width) * 3, keys: nms.ScratchBytes(), found: nms.FoundBytes(),
	}
}

func (e *gpuEngine) suppression(c model.Config, h kernel.Heads) kernel.NMS {
	return kernel.NMS{Heads: h, Size: c.Width, Options: evaluate.DefaultNMS, Capacity: max(1, min(h.A*h.K, e.candidates/c.Batch))}
}

// scoresOf has pictures of set scored, by what the kit has for it or anew.
func (e *gpuEngine) scoresOf(set *shelved) error {
	if s := e.scores; s != nil {
		if s.set == set {
			return nil
		}
		if err := e.dropScores(); err != nil {
			return err
		}
	}
	return e.openScores(set)
}

// dropScores gives up what scores. No batch may be under way.
func (e *gpuEngine) dropScores() error {
	old := e.scores
	e.scores = nil
	errs := []error{old.close()}
	for _, p := range old.memory {
		errs = append(errs, e.place.Memory.Free(p))
	}
	return errors.Join(errs...)
}

// take is zeroed device memory for scoring.
func (s *gpuScores) take(e *gpuEngine, bytes int64) (cuda.Ptr, error) {
	p, err := e.take(bytes)
	s.memory = append(s.memory, p)
	return p, err
}

// openScores makes what scores pictures of set, or, where that is nil, those that come with each batch.
func (e *gpuEngine) openScores(set *shelved) (err error) {
	c := e.net.Config()
	s := &gpuScores{device: e.net.Device().(gpuDevice), threads: e.threads, set: set, recipes: newRecipeRoom(c.Batch, int64(kernel.RecipesBytes(c.Batch, 0)))}
	s.heads, _ = e.net.Heads()
	e.scores = s
	if err := s.choose(c.Width, 0, c.Batch); err != nil {
		return err
	}
	a, sizes := kernel.Augmentation{Size: c.Width}, e.scoreBytes(c, headsOf(e.net))
	if a.Recipes, err = s.take(e, sizes.recipes); err != nil {
		return err
	}
	if a.Scratch, err = s.take(e, sizes.canvas); err != nil {
		return err
	}
	piece := sizes.recipes
	if set != nil {
		a.Pictures, s.room = set.data, a.Recipes
	} else {
		if a.Pictures, err = s.take(e, sizes.pictures); err != nil {
			return err
		}
		s.room, piece = a.Pictures, sizes.pictures
	}
	if s.feed, err = newStage(e.place.GPU, batchesAhead, piece); err != nil {
		return err
	}
	if err := errors.Join(e.place.Stream.CopyIn(a.Recipes, s.recipes.Bytes()), e.place.Stream.Wait()); err != nil {
		return err
	}
	if err := e.captureScores(a); err != nil {
		return fmt.Errorf("capture the scoring of a batch: %w", err)
	}
	return nil
}

// captureScores records the scoring of a batch, and makes the memory that results come to.
func (e *gpuEngine) captureScores(a kernel.Augmentation) error {
	s, d := e.scores, e.scores.device
	forward, err := d.Launches(e.net.Graph().ForwardTo(append(slices.Clone(s.heads.Box), s.heads.Class...)...), false)
	if err != nil {
		return err
	}
	heads, gather, err := d.Gather(s.heads)
	if err != nil {
		return err
	}
	s.nms = e.suppression(e.net.Config(), heads)
	if s.nms.Scratch, err = s.take(e, s.nms.ScratchBytes()); err != nil {
		return err
	}
	if s.nms.Found, err = s.take(e, s.nms.FoundBytes()); err != nil {
		return err
	}
	for i := range s.batches {
		b := &s.batches[i]
		if b.found, err = e.place.GPU.NewPinned(int(s.nms.FoundBytes())); err != nil {
			return err
		}
		if b.done, err = e.place.GPU.NewEvent(false); err != nil {
			return err
		}
	}
	all := append(a.Launches(d.Type(), d.Image(e.net.Image())), forward...)
	all = append(append(all, gather...), s.nms.Launches()...)
	s.graph, err = e.place.Module.Capture(e.place.Stream, all...)
	return err
}

func (e *gpuEngine) evaluate(ctx context.Context, images []dataset.Image, _ func(int) []float32, found func(int, []evaluate.Candidate)) error {
	if e.scores == nil {
		if err := e.openScores(nil); err != nil {
			return err
		}
	}
	e.scores.threads = e.threads
	s, most := e.scores, e.net.Config().Batch
	var last *scoredBatch
	for first := 0; first < len(images) || last != nil; first += most {
		var next *scoredBatch
		if first < len(images) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			next = &s.batches[first/most%batchesAhead]
			next.first, next.n = first, min(most, len(images)-first)
			if err := s.start(e.place.Stream, next, images[first:first+next.n]); err != nil {
				return err
			}
		}
		if last != nil {
			if err := s.finish(e.place.Stream, last, found); err != nil {
				return err
			}
		}
		last = next
	}
	return nil
}

// start puts the scoring of a batch into the stream.
func (s *gpuScores) start(st *cuda.Stream, b *scoredBatch, images []dataset.Image) error {
	b.input = s.feed.turn()
	if s.set != nil {
		if err := s.choose(s.nms.Size, b.first, b.n); err != nil {
			return err
		}
		copy(b.input, s.recipes.Bytes())
	} else {
		b.input = b.input[:b.n*s.nms.Size*s.nms.Size*3]
		if err := readPictures(images, b.input, s.threads); err != nil {
			return err
		}
	}
	return errors.Join(s.launch(st, b), st.CopyOut(b.found.Bytes, s.nms.Found), b.done.Record(st))
}

func (s *gpuScores) launch(st *cuda.Stream, b *scoredBatch) error {
	return errors.Join(st.CopyIn(s.room, b.input), s.graph.Launch(st))
}

// choose writes recipes of whole pictures, n from first on.
func (s *gpuScores) choose(side, first, n int) error {
	s.recipes.Reset()
	for i := range n {
		part := augment.Part{Image: int32(first + i), W: int32(side), H: int32(side)}
		if err := s.recipes.Set(i, &augment.Recipe{Side: side, Layers: []augment.Layer{{Stage: side, Parts: []augment.Part{part}}}}); err != nil {
			return err
		}
	}
	return nil
}

// finish waits for a batch and hands out what was found. Where an image had too many candidates the batch is run again, for
// its outputs, and the host looks for objects there.
func (s *gpuScores) finish(st *cuda.Stream, b *scoredBatch, found func(int, []evaluate.Candidate)) error {
	if err := b.done.Wait(); err != nil {
		return err
	}
	var outputs *loss.Heads
	for j := range b.n {
		var ok bool
		if s.list, ok = s.nms.Read(b.found.Bytes, j, s.list[:0]); ok {
			found(b.first+j, s.list)
			continue
		}
		if outputs == nil {
			h, err := s.outputs(st, b)
			if err != nil {
				return err
			}
			outputs = &h
		}
		found(b.first+j, s.decoder.found(*outputs, j, float64(s.nms.Size)))
	}
	return nil
}

// outputs runs a batch again and brings the outputs to the host.
func (s *gpuScores) outputs(st *cuda.Stream, b *scoredBatch) (loss.Heads, error) {
	if err := s.launch(st, b); err != nil {
		return loss.Heads{}, err
	}
	return s.device.Device.Outputs(s.heads, b.n)
}

// close frees what is not the engine's; no batch may be under way. A nil gpuScores closes.
func (s *gpuScores) close() error {
	if s == nil {
		return nil
	}
	errs := []error{s.graph.Close(), s.feed.close()}
	for _, b := range s.batches {
		errs = append(errs, b.found.Close())
		if b.done != nil {
			errs = append(errs, b.done.Close())
		}
	}
	return errors.Join(errs...)
}
