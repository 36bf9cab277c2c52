package cuda

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Share is a GPU that trials of this process use together: one context, the kernels loaded once, and its memory dealt out by
// reservations. Each trial has a stream of its own. Its methods may be called from any goroutine.
//
// Where the context is lost, it is so for all of them: every call fails with ErrLost, those who wait for memory are told so,
// and GPU.Lost is closed. When all have released the share, Acquire begins the device anew; where that fails the error wraps
// ErrStuck, for trials that follow would all fail alike.
type Share struct {
	GPU    *GPU
	Module *Module
	Budget int64 // bytes that trials may reserve together

	users  int           // guarded by shares
	closed chan struct{} // when the last user has released it

	mu       sync.Mutex
	reserved int64
	trials   int // that have reserved something
	queue    []*turn
	idle     []*Idle // the longest idle first
}

// turn is a trial that waits for memory.
type turn struct {
	bytes   int64
	granted chan struct{}
	idle    chan struct{} // something is, and this is the first in the queue
}

// shares are the GPUs that this process has open. A process has one context on each, so there is one list.
var shares = struct {
	sync.Mutex
	open map[int]*Share
	lost map[int]bool // GPUs whose context was lost before
}{open: map[int]*Share{}, lost: map[int]bool{}}

// keptBack is what the budget leaves free, of the memory in all: for the driver's own needs while kernels run.
func keptBack(total int64) int64 { return min(total/32, 512<<20) }

// Acquire opens the GPU of the given number and loads kernels, or joins those who have it open already. Where it was lost, it
// waits until they have released it, or ctx is done; what is idle there is given up.
func Acquire(ctx context.Context, index int, image []byte) (*Share, error) {
	for {
		s, lost, err := join(index, image)
		if err != nil || !lost {
			return s, err
		}
		s.giveUpAll()
		select {
		case <-s.closed:
		case <-ctx.Done():
			return nil, fmt.Errorf("open GPU %d: other trials have not let go of its lost context: %w", index, context.Cause(ctx))
		}
	}
}

// join adds a use to the share, unless its context is lost.
func join(index int, image []byte) (s *Share, lost bool, err error) {
	shares.Lock()
	defer shares.Unlock()
	if s := shares.open[index]; s != nil {
		if s.GPU.isLost() {
			return s, true, nil
		}
		s.users++
		return s, false, nil
	}
	if s, err = begin(index, image); err != nil {
		if shares.lost[index] && errors.Is(err, ErrLost) {
			err = fmt.Errorf("%w: %w", ErrStuck, err)
		}
		return nil, false, err
	}
	shares.open[index] = s
	return s, false, nil
}

func begin(index int, image []byte) (*Share, error) {
	g, err := Open(index)
	if err != nil {
		return nil, err
	}
	s := &Share{GPU: g, users: 1, closed: make(chan struct{})}
	if s.Module, err = g.Load(image); err == nil {
		var free, total int64
		free, total, err = g.Memory()
		s.Budget = max(free-keptBack(total), 0)
	}
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return s, nil
}

// Use adds a use to those of the caller, to be released as well: for what may outlive it.
func (s *Share) Use() {
	shares.Lock()
	defer shares.Unlock()
	s.users++
}

// Release ends one use. With the last one the GPU is closed; streams, graphs and reservations must be gone before.
func (s *Share) Release() error {
	shares.Lock()
	defer shares.Unlock()
	if s.users--; s.users > 0 {
		return nil
	}
	delete(shares.open, s.GPU.Index)
	if s.GPU.isLost() {
		shares.lost[s.GPU.Index] = true
	}
	defer close(s.closed)
	return s.GPU.Close()
}

// Held is how many bytes of a GPU this process's trials and their data have, what is idle among them.
func Held(index int) int64 {
	shares.Lock()
	defer shares.Unlock()
	if s := shares.open[index]; s != nil {
		return s.GPU.Held()
	}
	return 0
}
