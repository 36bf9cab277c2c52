package native

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/dataset/batches"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/nccl"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
)

// ranksEngine trains one network on several GPUs, data parallel: each is a gpuEngine with its share of every batch, in the
// order of the images. Scores, results and checkpoints are the first rank's.
type ranksEngine struct {
	ranks   []engine
	comms   []*rank
	share   int      // images of a batch that each has
	failure error    // after which no rank does anything
	last    []arenas // of state
}

var _ engine = (*ranksEngine)(nil)

// errRank is wrapped when ranks could not go on together.
var errRank = errors.New("the GPUs of the trial could not go on together")

// ranksSpec says how GPUs train together.
type ranksSpec struct {
	gpus     []GPU // in the order of their numbers, so that no two trials wait for each other's memory
	syncNorm bool
	library  *nccl.Library
}

// newRanksEngine builds the network on each of the GPUs, one after the other, and joins them.
func (b *Backend) newRanksEngine(ctx context.Context, s ranksSpec, c engineConfig) (engine, error) {
	n := len(s.gpus)
	e := &ranksEngine{share: c.model.Batch / n}
	c.model.Batch, c.objects = e.share, (c.objects+n-1)/n
	for i, on := range s.gpus {
		r := &rank{number: i, ranks: n, syncNorm: s.syncNorm}
		c.rank = r
		one, err := b.openGPU(ctx, on, c)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("GPU %d of %d of the trial: %w", i+1, n, err), e.close(false))
		}
		e.ranks, e.comms = append(e.ranks, one), append(e.comms, r)
	}
	id, err := s.library.NewID()
	if err == nil {
		err = e.each(func(i int, _ engine) error { // NCCL lets the others go where one cannot join
			comm, err := s.library.Join(e.comms[i].stream, id, n, i)
			e.comms[i].comm.Store(comm)
			return err
		})
	}
	if err != nil {
		return nil, errors.Join(err, e.close(false))
	}
	return e, nil
}

// watchEvery is how often ranks that wait are asked whether they wait in vain.
const watchEvery = time.Second

// each does f on all ranks at once, and returns when all have ended. When one fails, or NCCL has, the others stop waiting for it.
func (e *ranksEngine) each(f func(i int, one engine) error) error {
	if e.failure != nil {
		return e.failure
	}
	ended := make(chan error, len(e.ranks))
	for i, one := range e.ranks {
		go func() {
			err := f(i, one)
			if err != nil {
				err = fmt.Errorf("GPU %d of %d of the trial: %w", i+1, len(e.ranks), err)
			}
			ended <- err
		}()
	}
	watch := time.NewTicker(watchEvery)
	defer watch.Stop()
	for left := len(e.ranks); left > 0; {
		select {
		case err := <-ended:
			left--
			e.fail(err)
		case <-watch.C:
			e.fail(e.lost())
		}
	}
	return e.failure
}

// fail ends the work of all ranks. The first failure stays, or one that says that a GPU is lost.
func (e *ranksEngine) fail(err error) {
	if err == nil {
		return
	}
	if e.failure == nil || errors.Is(err, cuda.ErrLost) && !errors.Is(e.failure, cuda.ErrLost) {
		e.failure = fmt.Errorf("%w: %w", errRank, err)
	}
	e.abort()
}

// abort lets go of all that wait.
func (e *ranksEngine) abort() {
	for _, r := range e.comms {
		r.abort()
	}
}

// lost is NCCL's failure, if it has one.
func (e *ranksEngine) lost() error {
	for _, r := range e.comms {
		if err := r.failed(); err != nil {
			return err
		}
	}
	return nil
}

func (e *ranksEngine) first() engine { return e.ranks[0] }

func (e *ranksEngine) network() *model.Network { return e.first().network() }

// begin starts all ranks from the first one's weights.
func (e *ranksEngine) begin(s optim.Spec) error {
	from := e.network().Device()
	for _, one := range e.ranks[1:] {
		to := one.network().Device()
		copy(to.Weights(), from.Weights())
		copy(to.Stats(), from.Stats())
	}
	return e.each(func(_ int, one engine) error { return one.begin(s) })
}

// choose has all ranks compute by the first one's choice.
func (e *ranksEngine) choose(stored *convolutions) (*convolutions, error) {
	made, err := e.first().choose(stored)
	if err != nil || made == nil {
		return nil, err
	}
	return made, e.each(func(i int, one engine) error {
		if i == 0 {
			return nil
		}
		_, err := one.choose(made)
		return err
	})
}

func (e *ranksEngine) prepare(side int) error {
	return e.each(func(_ int, one engine) error { return one.prepare(side) })
}

func (e *ranksEngine) hold(ctx context.Context) (func() batches.Recipes, []string, error) {
	rooms, all := make([]func() batches.Recipes, len(e.ranks)), make([][]string, len(e.ranks))
	err := e.each(func(i int, one engine) (err error) {
		rooms[i], all[i], err = one.hold(ctx)
		return err
	})
	var notes []string
	made := 0
	for i := range e.ranks {
		for _, line := range all[i] {
			notes = append(notes, fmt.Sprintf("GPU %d of %d: %s", i+1, len(e.ranks), line))
		}
		if rooms[i] != nil {
			made++
		}
	}
	switch {
	case err != nil:
		return nil, notes, err
	case made == 0:
		return nil, notes, nil
	case made < len(e.ranks):
		return nil, notes, fmt.Errorf("%w: the data set lies on some of the trial's GPUs and does not fit the others; choose GPUs of one kind, or lower trainer.image_size or the batch", cuda.ErrMemory)
	}
	return func() batches.Recipes {
		r := &sharedRecipes{share: e.share}
		for _, room := range rooms {
			r.rooms = append(r.rooms, room())
		}
		return r
	}, notes, nil
}

// sharedRecipes are the recipes of a batch, each in the room of the rank that has its image.
type sharedRecipes struct {
	rooms []batches.Recipes
	share int
}

func (r *sharedRecipes) Reset() {
	for _, room := range r.rooms {
		room.Reset()
	}
}

func (r *sharedRecipes) Set(i int, from *augment.Recipe) error {
	return r.rooms[i/r.share].Set(i%r.share, from)
}

// part is rank i's share of a batch.
func (e *ranksEngine) part(b batch, i int) batch {
	p := batch{side: b.side}
	if r, ok := b.recipes.(*sharedRecipes); ok {
		p.recipes = r.rooms[i]
	} else {
		one := e.share * b.side * b.side * 3
		p.images = b.images[i*one : (i+1)*one]
	}
	for _, t := range b.truths {
		if t.Image/e.share == i {
			t.Image -= i * e.share
			p.truths = append(p.truths, t)
		}
	}
	return p
}

// pictures are those of all ranks, in the order of the images.
func (e *ranksEngine) pictures(b batch) ([]float32, error) {
	shares := make([][]float32, len(e.ranks))
	err := e.each(func(i int, one engine) (err error) {
		shares[i], err = one.pictures(e.part(b, i))
		return err
	})
	return slices.Concat(shares...), err
}

func (e *ranksEngine) submit(b batch, u optim.Update) error {
	parts := make([]batch, len(e.ranks))
	for i := range parts {
		parts[i] = e.part(b, i)
	}
	if err := e.fit(parts); err != nil {
		return err
	}
	return e.each(func(i int, one engine) error { return one.submit(parts[i], u) })
}

// growing is an engine whose room for batches may prove too small.
type growing interface {
	lacks(batch) (int64, error)
	grow(bytes int64) error
}

// fit has all ranks make room where one lacks it, before any of them begins the step: what NCCL launches in a graph must come
// of one capture of all ranks, and what one rank allocates could wait for another's GPU, which waits for this step.
func (e *ranksEngine) fit(parts []batch) error {
	var most int64
	for i, one := range e.ranks {
		g, ok := one.(growing)
		if !ok {
			return nil
		}
		bytes, err := g.lacks(parts[i])
		if err != nil {
			return err
		}
		most = max(most, bytes)
	}
	if most == 0 {
		return nil
	}
	return e.each(func(_ int, one engine) error { return one.(growing).grow(2 * most) })
}

// results are the first rank's, whose losses are sums over all.
func (e *ranksEngine) results(wait bool) (all []result, err error) {
	err = e.each(func(i int, one engine) error {
		mine, err := one.results(wait)
		if i == 0 {
			all = mine
		}
		return err
	})
	if err == nil && (wait || len(all) > 0) {
		if err = e.lost(); err != nil { // what came of it is no sum
			e.fail(err)
			err = e.failure
		}
	}
	if err != nil {
		return nil, err
	}
	return all, nil
}

func (e *ranksEngine) scoring() (func(), error) { return e.first().scoring() }

func (e *ranksEngine) evaluate(ctx context.Context, images []dataset.Image, room func(int) []float32, found func(int, []evaluate.Candidate)) error {
	return e.first().evaluate(ctx, images, room, found)
}

func (e *ranksEngine) finite() (bool, error) { return e.first().finite() }

func (e *ranksEngine) state() ([]arenas, error) {
	if e.failure != nil {
		return nil, e.failure
	}
	var err error
	e.last, err = e.first().state()
	return e.last, err
}

// restored gives the first rank's state to all.
func (e *ranksEngine) restored() error {
	return e.each(func(i int, one engine) error {
		if i == 0 {
			return one.restored()
		}
		mine, err := one.state()
		if err != nil {
			return err
		}
		for k, from := range e.last {
			copy(mine[k].weights, from.weights)
			copy(mine[k].stats, from.stats)
		}
		return one.restored()
	})
}

// bytes are those of the rank that holds most.
func (e *ranksEngine) bytes() (most int64) {
	for _, one := range e.ranks {
		most = max(most, one.bytes())
	}
	return most
}

// close ends all ranks at once, for leaving is done together.
func (e *ranksEngine) close(sound bool) error {
	if e.failure != nil {
		e.abort() // those that joined after it, too
	}
	ended := make(chan error, len(e.ranks))
	for _, one := range e.ranks {
		go func() { ended <- one.close(sound) }()
	}
	var errs []error
	for range e.ranks {
		errs = append(errs, <-ended)
	}
	return errors.Join(errs...)
}
