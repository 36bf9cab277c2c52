//go:build linux && cgo && (amd64 || arm64)

package nccl

// #include "library.h"
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// Comm is one rank's end of what several GPUs share. Its work goes to one stream, put there by one goroutine at a time; all
// ranks must put the same work in the same order.
type Comm struct {
	Rank, Ranks int

	library *Library
	stream  Stream
	raw     unsafe.Pointer
}

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

func (c *Comm) do(what string, f func() C.int) error {
	return c.stream.Within(func() error { return c.library.status(what, f()) })
}

// Sum has n FP32 values at p become the sums over all ranks.
func (c *Comm) Sum(p cuda.Ptr, n int64) error { return c.sum(p, n, 0) }

// SumDoubles does the same with float64 values.
func (c *Comm) SumDoubles(p cuda.Ptr, n int64) error { return c.sum(p, n, 1) }

func (c *Comm) sum(p cuda.Ptr, n int64, doubles C.int) error {
	return c.do("add up over GPUs", func() C.int {
		return C.mapsweep_nccl_sum(c.library.raw, c.raw, C.uintptr_t(c.stream.Handle()), C.uintptr_t(p), C.size_t(n), doubles)
	})
}

// Broadcast has bytes at p become those of rank from.
func (c *Comm) Broadcast(p cuda.Ptr, bytes int64, from int) error {
	return c.do("copy between GPUs", func() C.int {
		return C.mapsweep_nccl_copy(c.library.raw, c.raw, C.uintptr_t(c.stream.Handle()), C.uintptr_t(p), C.size_t(bytes), C.int(from))
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
	err := c.do("ask for NCCL's state", func() C.int { return C.mapsweep_nccl_failed(c.library.raw, c.raw, &under) })
	const inProgress = 7
	if err != nil || under == 0 || under == inProgress {
		return err
	}
	return c.library.status("work over GPUs", under)
}

// Close leaves when the stream's work is done.
func (c *Comm) Close() error {
	return c.end("leave", func() C.int { return C.mapsweep_nccl_leave(c.library.raw, c.raw) })
}

// Abort ends work under way, so that a stream that waits for lost ranks goes on, and leaves.
func (c *Comm) Abort() error {
	return c.end("abort", func() C.int { return C.mapsweep_nccl_abort(c.library.raw, c.raw) })
}

func (c *Comm) end(what string, f func() C.int) error {
	if c.raw == nil {
		return nil
	}
	err := c.do(what, f)
	c.raw = nil
	return err
}
