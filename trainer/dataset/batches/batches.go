package batches

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/mapsweep/mapsweep/trainer/dataset"
)

// Sampler makes one sample; augment.Augmenter is one. It serves one goroutine at a time.
type Sampler interface {
	CloseMosaic(closed bool)
	Sample(seed int64, epoch, position, index int, out []float32) ([]dataset.Box, error)
}

// Plan is what a loader makes: batches 0 to Count-1.
type Plan struct {
	Count   int
	Values  int                 // of a batch, the most: samples x size x size x 3
	Batch   func(n int) Request // of batch n; called by several goroutines at once
	Recipes func() Recipes      // makes room for those of a batch, which are made in place of pictures; nil: pictures are
}

// Request says what a batch consists of.
type Request struct {
	Seed     int64
	Epoch    int
	Position int   // of the first sample in the epoch
	Indices  []int // images, one a sample
	Closed   bool  // no mosaics
	Values   int   // of this batch; 0: those of the plan
}

// Batch is a batch as it was asked for.
type Batch struct {
	Images  []float32       // samples one after the other
	Recipes Recipes         // in place of Images, where the plan has them
	Boxes   [][]dataset.Box // by sample
}

// Loader hands out the batches of a plan in order.
type Loader struct {
	ctx  context.Context
	plan Plan
	n    int // the next batch
	out  *Batch
	own  Sampler // makes batches in Next; nil with goroutines

	stop    context.CancelFunc
	working sync.WaitGroup
	taken   atomic.Int64 // batches that goroutines have begun
	free    chan *Batch
	ready   chan result
	early   map[int]result // made before their turn
}

type result struct {
	n     int
	batch *Batch
	err   error
}

// Inline makes a loader whose batches are made in Next, by its caller.
func Inline(ctx context.Context, p Plan, s Sampler) *Loader {
	return &Loader{ctx: ctx, plan: p, own: s, stop: func() {}, out: p.room()}
}

// Start makes a loader with a goroutine for each sampler, which make batches ahead: at most as many as there are
// goroutines. Close it, whatever happens.
func Start(ctx context.Context, p Plan, samplers ...Sampler) *Loader {
	buffers := len(samplers) + 1 // one for each goroutine, one that is out
	l := &Loader{plan: p, free: make(chan *Batch, buffers), ready: make(chan result, buffers), early: map[int]result{}}
	l.ctx, l.stop = context.WithCancel(ctx)
	for range buffers {
		l.free <- p.room()
	}
	for _, s := range samplers {
		l.working.Go(func() { l.work(s) })
	}
	return l
}

// room is memory for one batch.
func (p Plan) room() *Batch {
	if p.Recipes != nil {
		return &Batch{Recipes: p.Recipes()}
	}
	return &Batch{Images: make([]float32, p.Values)}
}

func (l *Loader) request(n int) Request {
	q := l.plan.Batch(n)
	if q.Values == 0 {
		q.Values = l.plan.Values
	}
	return q
}

// work makes batches until there is no more to do. A goroutine begins a batch only with a buffer in hand, so the
// earliest batch that is not ready always has one.
func (l *Loader) work(s Sampler) {
	for {
		select {
		case <-l.ctx.Done():
			return
		case b := <-l.free:
			n := int(l.taken.Add(1)) - 1
			if n >= l.plan.Count {
				return
			}
			l.ready <- result{n, b, b.fill(l.ctx, s, l.request(n))}
		}
	}
}

// Next returns the next batch, which stays as it is until Next is called again, or what kept it from being made; when
// ctx ends, context.Cause of it.
func (l *Loader) Next() (*Batch, error) {
	n := l.n
	l.n++
	if l.own != nil {
		return l.out, l.out.fill(l.ctx, l.own, l.request(n))
	}
	if l.out != nil {
		l.free <- l.out
		l.out = nil
	}
	for {
		if r, ok := l.early[n]; ok {
			delete(l.early, n)
			l.out = r.batch
			return r.batch, r.err
		}
		select {
		case <-l.ctx.Done():
			return nil, context.Cause(l.ctx)
		case r := <-l.ready:
			l.early[r.n] = r
		}
	}
}

// Close stops the goroutines and waits for them; each ends after the sample that it is at.
func (l *Loader) Close() {
	l.stop()
	l.working.Wait()
}

// fill makes a batch. A panic in a decoder or an augmentation becomes an error.
func (b *Batch) fill(ctx context.Context, s Sampler, q Request) (err error) {
	at := 0
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("make sample %d of epoch %d, of image %d: %v\n%s", q.Position+at, q.Epoch+1, q.Indices[at], r, debug.Stack())
		}
	}()
	s.CloseMosaic(q.Closed)
	if b.Recipes != nil {
		b.Recipes.Reset()
	} else {
		b.Images = b.Images[:q.Values]
	}
	b.Boxes = b.Boxes[:0]
	for i := range q.Indices {
		at = i
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		default:
		}
		boxes, err := b.sample(s, q, i)
		if err != nil {
			return err
		}
		b.Boxes = append(b.Boxes, boxes)
	}
	return nil
}
