//go:build linux && cgo && (amd64 || arm64)

package nccl

// #include "library.h"
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// Comm is one rank's end of what several GPUs share. Its work goes to one stream, put there by one goroutine at a time; all
// ranks must put the same work in the same order. Abort and Failed may be called beside it.
type Comm struct {
	Rank, Ranks int

	library *Library
	stream  Stream
	raw     unsafe.Pointer // nil: it has ended
	ending  sync.Mutex
	aborted chan error // what Abort came to; nil: it was not called
}

// patience is how long Close waits for NCCL to let go of what was aborted.
const patience = 30 * time.Second

// Join makes rank number `rank`, from 0, of so many; its work goes to the stream, whose GPU no other rank has. It returns
// when all ranks have joined.
func (l *Library) Join(stream Stream, id ID, ranks, rank int) (*Comm, error) {
	if ranks < 1 || rank < 0 || rank >= ranks {
		return nil, fmt.Errorf("join rank %d of %d: there is no such rank", rank, ranks)
	}
	c := &Comm{Rank: rank, Ranks: ranks, library: l, stream: stream}
	var raw C.struct_mapsweep_nccl_id
	for i, b := range id {
		raw.bytes[i] = C.char(b)
	}
	err := c.do(fmt.Sprintf("join rank %d of %d", rank, ranks), func() C.int {
		return C.mapsweep_nccl_join(l.raw, &raw, C.int(ranks), C.int(rank), &c.raw)
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// with does f with the communicator, unless it has ended.
func (c *Comm) with(what string, f func(raw unsafe.Pointer) C.int) error {
	raw := atomic.LoadPointer(&c.raw)
	if raw == nil {
		return fmt.Errorf("%s: %w", what, ErrEnded)
	}
	return c.do(what, func() C.int { return f(raw) })
}

func (c *Comm) do(what string, f func() C.int) error {
	return c.stream.Within(func() error { return c.library.status(what, f()) })
}

// Sum has n FP32 values at p become the sums over all ranks.
func (c *Comm) Sum(p cuda.Ptr, n int64) error { return c.sum(p, n, 0) }

// SumDoubles does the same with float64 values.
func (c *Comm) SumDoubles(p cuda.Ptr, n int64) error { return c.sum(p, n, 1) }

func (c *Comm) sum(p cuda.Ptr, n int64, doubles C.int) error {
	return c.with("add up over GPUs", func(raw unsafe.Pointer) C.int {
		return C.mapsweep_nccl_sum(c.library.raw, raw, C.uintptr_t(c.stream.Handle()), C.uintptr_t(p), C.size_t(n), doubles)
	})
}

// Broadcast has bytes at p become those of rank from.
func (c *Comm) Broadcast(p cuda.Ptr, bytes int64, from int) error {
	return c.with("copy between GPUs", func(raw unsafe.Pointer) C.int {
		return C.mapsweep_nccl_copy(c.library.raw, raw, C.uintptr_t(c.stream.Handle()), C.uintptr_t(p), C.size_t(bytes), C.int(from))
	})
}

// Together has what f puts into the stream travel as one, which is faster for many small pieces. All of f runs on one thread.
func (c *Comm) Together(f func() error) error {
	return c.stream.Within(func() error {
		if err := c.library.status("begin group", C.mapsweep_nccl_group(c.library.raw, 1)); err != nil {
			return err
		}
		err := f()
		return errors.Join(err, c.library.status("end group", C.mapsweep_nccl_group(c.library.raw, 0)))
	})
}

// Failed tells whether work under way has failed, on this rank or for want of another. Nothing comes of the communicator
// then; Abort ends it.
func (c *Comm) Failed() error {
	var under C.int
	err := c.with("ask for NCCL's state", func(raw unsafe.Pointer) C.int { return C.mapsweep_nccl_failed(c.library.raw, raw, &under) })
	const inProgress = 7 // ncclInProgress
	if err != nil || under == 0 || under == inProgress {
		return err
	}
	return c.library.status("work over GPUs", under)
}

// Close leaves when the stream's work is done. NCCL waits here until all graphs are destroyed that hold work of the ranks of
// this process: they must be. After Abort it waits for that. Closing a second time does nothing.
func (c *Comm) Close() error {
	raw, aborted := c.end(nil)
	switch {
	case raw != nil:
		return c.do("leave", func() C.int { return C.mapsweep_nccl_leave(c.library.raw, raw) })
	case aborted == nil:
		return nil
	}
	select {
	case err := <-aborted:
		return err
	case <-time.After(patience):
		return fmt.Errorf("abort: NCCL has not let go of captured work after %v", patience)
	}
}

// Abort has work under way end, so that a stream that waits for lost ranks goes on. It does not wait for NCCL to leave, which
// takes until captured work is gone: Close does. Such work must not be launched again. After Abort or Close it does nothing.
func (c *Comm) Abort() {
	aborted := make(chan error, 1)
	raw, _ := c.end(aborted)
	if raw == nil {
		return
	}
	go func() {
		aborted <- c.do("abort", func() C.int { return C.mapsweep_nccl_abort(c.library.raw, raw) })
		close(aborted)
	}()
}

// end takes the communicator, which is nil if it was taken before, and keeps how that will come out, or says it.
func (c *Comm) end(how chan error) (unsafe.Pointer, chan error) {
	c.ending.Lock()
	defer c.ending.Unlock()
	raw := atomic.SwapPointer(&c.raw, nil)
	if raw != nil {
		c.aborted = how
	}
	return raw, c.aborted
}
