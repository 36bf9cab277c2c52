package native

import (
	"context"
	"sync"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/dataset/batches"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// hold lets the engine make the pictures of batches, where it can. Without it batches come with pictures.
func (r *run) hold(ctx context.Context) error {
	recipes, notes, err := r.engine.hold(ctx)
	r.recipes = recipes
	for _, line := range notes {
		r.log.printf("%s", line)
	}
	return err
}

// startLoader begins to make the batches of the steps that are left: in goroutines ahead of them, or with no loaders
// in the run's own.
func (r *run) startLoader(ctx context.Context) error {
	return r.startBatches(ctx, max(0, r.steps*r.job.Epochs-r.pace.Step))
}

// startBatches begins to make so many batches, from the step that comes next on.
func (r *run) startBatches(ctx context.Context, count int) error {
	p := batches.Plan{Count: count, Values: r.values(r.mostSide()), Batch: r.requests(), Recipes: r.recipes}
	n := r.loaders()
	if n == 0 {
		r.loader = batches.Inline(ctx, p, r.sampler)
		return nil
	}
	samplers := []batches.Sampler{r.sampler}
	for len(samplers) < n {
		a, err := augment.New(r.data.Train, r.data.Size, r.set.sampling())
		if err != nil {
			return infeasible(err)
		}
		samplers = append(samplers, a)
	}
	r.loader = batches.Start(ctx, p, samplers...)
	return nil
}

// loaders is the number of goroutines that make batches: as configured, or else one where the run may use a second core.
func (r *run) loaders() int {
	switch n := r.b.cfg.Loaders; {
	case n != nil:
		return *n
	case r.job.Threads > 1:
		return 1
	}
	return 0
}

// requests says what the batches are, from the step that comes next. An epoch's order is worked out once.
func (r *run) requests() func(n int) batches.Request {
	first, steps, batch, images, job := r.pace.Step, r.steps, r.b.cfg.Batch, len(r.data.Train), r.job
	open := job.Epochs - r.set.closeMosaic // epochs with mosaics
	var mu sync.Mutex
	orders := map[int][]int{}
	return func(n int) batches.Request {
		epoch, k := (first+n)/steps, (first+n)%steps
		mu.Lock()
		defer mu.Unlock()
		order := orders[epoch]
		if order == nil {
			order = augment.Order(job.Seed, epoch, images)
			orders[epoch] = order
			delete(orders, epoch-2) // no batch of it is to come
		}
		return batches.Request{Seed: job.Seed, Epoch: epoch, Position: k * batch, Indices: order[k*batch : (k+1)*batch], Closed: epoch >= open,
			Values: r.values(r.side(epoch, k))}
	}
}

// next takes the batch of the next step.
func (r *run) next() error {
	return r.take(r.loader, r.pace.Step)
}

// take takes the batch of a step, counted over the whole run, from a loader.
func (r *run) take(from *batches.Loader, step int) error {
	b, err := from.Next()
	if err != nil {
		return err
	}
	r.batch = batch{images: b.Images, recipes: b.Recipes, side: r.side(step/r.steps, step%r.steps), truths: r.batch.truths[:0]}
	for j, boxes := range b.Boxes {
		r.addTruths(j, boxes)
	}
	return nil
}

// only makes the batch of one step, counted over the whole run, here and now, as training makes it.
func (r *run) only(ctx context.Context, step int) error {
	ahead, all := step-r.pace.Step, r.requests()
	p := batches.Plan{Count: 1, Values: r.values(r.mostSide()), Batch: func(int) batches.Request { return all(ahead) }, Recipes: r.recipes}
	return r.take(batches.Inline(ctx, p, r.sampler), step)
}

// needImages makes room for a batch where no loader has brought one.
func (r *run) needImages() {
	if r.batch.images == nil {
		r.batch.images = make([]float32, r.values(r.mostSide()))
	}
}

func (r *run) addTruths(image int, boxes []dataset.Box) {
	for _, b := range boxes {
		r.batch.truths = append(r.batch.truths, loss.Truth{Image: image, Class: b.Class, X0: b.X0, Y0: b.Y0, X1: b.X1, Y1: b.Y1})
	}
}
