package native

import (
	"context"
	"errors"
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/batches"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
)

// hold brings the data set to the GPU. What does not fit there is made or read on the CPU for each batch.
func (e *gpuEngine) hold(ctx context.Context) (recipes func() batches.Recipes, notes []string, err error) {
	recipes, err = e.holdTrain(ctx)
	switch {
	case errors.Is(err, cuda.ErrMemory) || errors.Is(err, errNotHeld):
		notes = append(notes, fmt.Sprintf("pictures of batches are made on the CPU: %v", err))
	case err != nil:
		return nil, nil, err
	default:
		notes = append(notes, fmt.Sprintf("pictures of batches are made on the GPU, of the %d training images that lie there (%.0f MiB, once for all its trials)",
			len(e.data.train), e.shelved[0].mib()))
	}
	set, err := e.bring(ctx, e.data.split, e.data.scored)
	if errors.Is(err, cuda.ErrMemory) {
		notes = append(notes, fmt.Sprintf("images that are scored come to the GPU batch by batch: %v", err))
	} else if err != nil {
		return nil, notes, err
	}
	if err := e.openScores(set); err != nil {
		return nil, notes, err
	}
	return recipes, notes, e.prepare(e.net.Config().Width)
}

// errNotHeld is wrapped where pictures must be made on the CPU whatever memory there is.
var errNotHeld = errors.New("no kernels for these settings")

// holdTrain brings training pictures to the GPU, and makes what makes batches of them.
func (e *gpuEngine) holdTrain(ctx context.Context) (func() batches.Recipes, error) {
	if err := kernel.AugmentationFits(e.data.sampling); err != nil {
		return nil, fmt.Errorf("%w: %w", errNotHeld, err)
	}
	set, err := e.bring(ctx, "train", e.data.train)
	if err != nil {
		return nil, err
	}
	c := e.net.Config()
	a, bytes := e.augmentation(c), e.recipeBytes(c.Batch)
	a.Pictures = set.data
	if a.Scratch, err = e.take(a.ScratchBytes(c.Batch)); err == nil {
		err = e.feedOf(a, bytes)
	}
	if err != nil {
		return nil, errors.Join(err, e.place.Memory.Free(a.Scratch), e.unshelve(set))
	}
	return func() batches.Recipes { return newRecipeRoom(c.Batch, bytes) }, nil
}

// bring takes the use of a split's pictures.
func (e *gpuEngine) bring(ctx context.Context, split string, images []dataset.Image) (*shelved, error) {
	key := shelfKey{size: e.net.Config().Width, count: len(images), hash: e.data.hash, split: split}
	set, err := e.shelf.take(ctx, e.share, key, images, e.threads)
	if err == nil {
		e.shelved = append(e.shelved, set)
	}
	return set, err
}

// unshelve ends the use of what was brought last.
func (e *gpuEngine) unshelve(set *shelved) error {
	e.shelved = e.shelved[:len(e.shelved)-1]
	return e.shelf.put(set)
}
