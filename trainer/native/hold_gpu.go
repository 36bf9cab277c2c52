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

// claim is the use of a split's pictures on the GPU, or why there is none.
type claim struct {
	set *shelved
	err error
}

// errNotHeld is wrapped where pictures must be made on the CPU whatever memory there is.
var errNotHeld = errors.New("no kernels for these settings")

// reserve takes the run's part of the GPU's memory, and the use of its data there. The data comes first, so that many trials that
// begin together leave room for it; where both do not fit, the run waits for its part without holding any data.
//
// While it waits another run may end whose kit it can use.
func (e *gpuEngine) reserve(ctx context.Context) (err error) {
	e.claimData()
	if e.part, err = e.share.TryReserve(e.needs); err == nil || !errors.Is(err, cuda.ErrMemory) {
		return err
	}
	if err := errors.Join(e.dropData(), e.shelf.yield()); err != nil {
		return err
	}
	share := e.share
	part, err := share.ReserveOr(ctx, e.needs, e.takeKit)
	if err != nil {
		return err
	}
	if part == nil { // a kit, which uses the GPU itself
		return share.Release()
	}
	e.part = part
	e.claimData()
	return nil
}

func (e *gpuEngine) claimData() {
	e.train = claim{err: kernel.AugmentationFits(e.data.sampling)}
	if e.train.err != nil {
		e.train.err = fmt.Errorf("%w: %w", errNotHeld, e.train.err)
	} else {
		e.train = e.claim(e.trainKey())
	}
	if !e.rank.follows() {
		e.scored = e.claim(e.scoredKey())
	}
}

// trainKey and scoredKey are what the run reads on the GPU.
func (e *gpuEngine) trainKey() shelfKey { return e.dataKey("train", e.data.train) }

func (e *gpuEngine) scoredKey() shelfKey { return e.dataKey(e.data.split, e.data.scored) }

func (e *gpuEngine) dataKey(split string, images []dataset.Image) shelfKey {
	return shelfKey{size: e.size, count: len(images), hash: e.data.hash, split: split}
}

func (e *gpuEngine) claim(key shelfKey) (c claim) {
	c.set, c.err = e.shelf.claim(e.share, key)
	return c
}

// dropData ends the use of the data. No work that reads it may be under way.
func (k *gpuKit) dropData() error { return errors.Join(k.drop(&k.train), k.drop(&k.scored)) }

func (k *gpuKit) drop(c *claim) error {
	err := k.shelf.put(c.set)
	c.set = nil
	return err
}

// hold brings the data set to the GPU. What does not fit there is made or read on the CPU for each batch.
func (e *gpuEngine) hold(ctx context.Context) (recipes func() batches.Recipes, notes []string, err error) {
	if e.taken {
		notes = append(notes, "the network, its memory and what was captured are those of a trial that has ended")
	}
	recipes, err = e.holdTrain(ctx)
	switch {
	case errors.Is(err, cuda.ErrMemory) || errors.Is(err, errNotHeld):
		notes = append(notes, fmt.Sprintf("pictures of batches are made on the CPU: %v", err))
	case err != nil:
		return nil, nil, err
	default:
		notes = append(notes, fmt.Sprintf("pictures of batches are made on the GPU, of the %d training images that lie there (%.0f MiB, once for all its trials)",
			len(e.data.train), e.train.set.key.mib()))
	}
	if e.rank.follows() {
		return recipes, notes, e.prepare(e.net.Config().Width)
	}
	err = e.bring(ctx, &e.scored, e.data.scored)
	if errors.Is(err, cuda.ErrMemory) {
		notes = append(notes, fmt.Sprintf("images that are scored come to the GPU batch by batch: %v", err))
	} else if err != nil {
		return nil, notes, err
	}
	if err := e.scoresOf(e.scored.set); err != nil {
		return nil, notes, err
	}
	return recipes, notes, e.prepare(e.net.Config().Width)
}

// holdTrain brings training pictures to the GPU, and makes what makes batches of them.
func (e *gpuEngine) holdTrain(ctx context.Context) (func() batches.Recipes, error) {
	if err := e.bring(ctx, &e.train, e.data.train); err != nil {
		return nil, err
	}
	c := e.net.Config()
	a, bytes := e.augmentation(c), e.recipeBytes(c.Batch)
	recipes := func() batches.Recipes { return newRecipeRoom(c.Batch, bytes) }
	if e.feed.makes(a.Changes) && e.feed.bytes >= bytes {
		e.made = true
		return recipes, nil
	}
	if err := e.dropFeed(); err != nil {
		return nil, err
	}
	a.Pictures = e.train.set.data
	var err error
	if a.Scratch, err = e.take(a.ScratchBytes(c.Batch)); err == nil {
		err = e.feedOf(a, bytes)
	}
	if err != nil {
		return nil, errors.Join(err, e.place.Memory.Free(a.Scratch), e.drop(&e.train))
	}
	e.made = true
	return recipes, nil
}

// bring puts the pictures of a claim on the GPU. Where that fails the claim is given up.
func (e *gpuEngine) bring(ctx context.Context, c *claim, images []dataset.Image) error {
	if c.set == nil {
		return c.err
	}
	if err := c.set.bring(ctx, images, e.threads); err != nil {
		return errors.Join(err, e.drop(c))
	}
	return nil
}
