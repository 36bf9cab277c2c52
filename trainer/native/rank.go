package native

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/nccl"
)

// rank is one of the GPUs that train a trial's network together. Each has the whole network and an equal share of every batch.
// Within a step they add up what losses are divided by, the gradients, the losses themselves, and, where batch normalisation
// is synchronised, its sums: so all of them move the same weights by the same bits.
type rank struct {
	number, ranks int
	syncNorm      bool
	stream        nccl.Stream               // that the rank's steps go to
	comm          atomic.Pointer[nccl.Comm] // nil: not joined yet
}

// others are the ranks as kernels know them; nil: there are none.
func (r *rank) others() *kernel.Ranks {
	if r == nil {
		return nil
	}
	return &kernel.Ranks{Count: r.ranks, SumDoubles: func(p cuda.Ptr, n int64) error { return r.comm.Load().SumDoubles(p, n) }}
}

// synchronised tells whether normalisation is.
func (r *rank) synchronised() bool { return r != nil && r.syncNorm }

// follows is true of all but the first rank, which alone scores and writes checkpoints.
func (r *rank) follows() bool { return r != nil && r.number > 0 }

// lossParts is how many values of a head's losses are sums over images; the normaliser behind them is that of all ranks.
const lossParts = 4

// sums stands in a step between the last gradient and the optimiser. A loss that is not finite becomes so on every rank, so
// that all halt in the same step.
func (r *rank) sums(grads cuda.Ptr, floats int64, losses []kernel.Doubles) []cuda.Launch {
	if r == nil {
		return nil
	}
	return []cuda.Launch{{Kernel: "sum over GPUs", Call: func(*cuda.Stream) error {
		comm := r.comm.Load()
		return comm.Together(func() error {
			errs := []error{comm.Sum(grads, floats)}
			for _, l := range losses {
				errs = append(errs, comm.SumDoubles(l.P, lossParts))
			}
			return errors.Join(errs...)
		})
	}}}
}

// library is NCCL, opened at its first use.
func (b *Backend) library() (*nccl.Library, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.nccl != nil {
		return b.nccl, nil
	}
	l, err := nccl.Open()
	if err != nil {
		return nil, fmt.Errorf("%w; install NCCL (libnccl2), or leave trainer.gpus out: trials are then spread over the GPUs, one each: %w", err, trainer.ErrNoDevice)
	}
	b.nccl = l
	return l, nil
}

// openRanks makes the engine of a run on several GPUs.
func (r *run) openRanks(ctx context.Context, c engineConfig) (engine, error) {
	gpus := r.device.gpus()
	if c.model.Batch%len(gpus) != 0 {
		return nil, infeasible(fmt.Errorf("a batch of %d images on %d GPUs: each takes an equal share; use a batch that %d divides", c.model.Batch, len(gpus), len(gpus)))
	}
	library, err := r.b.library()
	if err != nil {
		return nil, err
	}
	return r.b.newRanksEngine(ctx, ranksSpec{gpus: gpus, syncNorm: r.set.syncBN, library: library}, c)
}

// together is how many images batch normalisation sees at once.
func (r *run) together() int {
	if r.set.syncBN {
		return r.b.cfg.Batch
	}
	return r.b.cfg.Batch / r.device.ranks()
}

// leave ends the rank's part; no captured step may be left.
func (r *rank) leave() error {
	if r == nil {
		return nil
	}
	if comm := r.comm.Load(); comm != nil {
		return comm.Close()
	}
	return nil
}

// abort has work that waits for other ranks end. It does not wait itself; leave does.
func (r *rank) abort() {
	if comm := r.comm.Load(); comm != nil {
		comm.Abort()
	}
}

// failed tells whether NCCL has given up.
func (r *rank) failed() error {
	comm := r.comm.Load()
	if comm == nil {
		return nil
	}
	if err := comm.Failed(); err != nil && !errors.Is(err, nccl.ErrEnded) {
		return fmt.Errorf("GPU %d of %d of the trial: %w", r.number+1, r.ranks, err)
	}
	return nil
}
