package cuda

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Reservation is a trial's part of a GPU's memory. A trial has one, made before it allocates anything, so that no trial waits
// for another while it holds memory itself.
type Reservation struct {
	share *Share
	bytes int64

	mu         sync.Mutex
	held       map[Ptr]int64
	used, peak int64
	released   bool
}

// Reserve takes so many bytes, the most that a trial will hold at a time, out of the budget; what is idle gives way to it. It
// waits while other trials have them, in order of arrival, until ctx is done. What the GPU could never give is refused: the
// error wraps ErrMemory.
func (s *Share) Reserve(ctx context.Context, bytes int64) (*Reservation, error) {
	return s.ReserveOr(ctx, bytes, func() bool { return false })
}

// ReserveOr is Reserve, for who can also do with something idle: instead is asked, when it is the caller's turn, before any of
// that gives way. Where it has found something there is no reservation and no error.
func (s *Share) ReserveOr(ctx context.Context, bytes int64, instead func() bool) (*Reservation, error) {
	r, t, err := s.ask(bytes, true)
	if t == nil {
		return r, err
	}
	for err == nil {
		select {
		case <-t.granted:
			return s.reservation(bytes), nil
		case <-t.idle:
			if instead() {
				s.leave(t)
				return nil, nil
			}
			s.GiveUp()
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-s.GPU.Lost():
			err = ErrLost
		}
	}
	s.leave(t)
	return nil, fmt.Errorf("wait for %d MiB of GPU %d: %w", mebibytes(bytes), s.GPU.Index, err)
}

// TryReserve is Reserve without waiting: where other trials have the memory, the error wraps ErrMemory, too.
func (s *Share) TryReserve(bytes int64) (*Reservation, error) {
	for {
		r, _, err := s.ask(bytes, false)
		if err == nil || !errors.Is(err, ErrMemory) || !s.couldGive(bytes) {
			return r, err
		}
		if !s.GiveUp() {
			return nil, err
		}
	}
}

// couldGive says whether it makes sense that something idle gives way to who does not wait.
func (s *Share) couldGive(bytes int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue) == 0 && bytes <= s.Budget
}

// mebibytes rounds up.
func mebibytes(bytes int64) int64 { return (bytes + 1<<20 - 1) >> 20 }

func (s *Share) reservation(bytes int64) *Reservation {
	return &Reservation{share: s, bytes: bytes, held: map[Ptr]int64{}}
}

// ask gives a reservation, a turn to wait for, or the reason why there is neither.
func (s *Share) ask(bytes int64, wait bool) (*Reservation, *turn, error) {
	if s.GPU.isLost() {
		return nil, nil, fmt.Errorf("reserve memory of GPU %d: %w", s.GPU.Index, ErrLost)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if bytes < 0 || bytes > s.Budget {
		return nil, nil, fmt.Errorf("%w: the trial needs %d MiB at its peak, and GPU %d had %d MiB for trials when it was opened",
			ErrMemory, mebibytes(bytes), s.GPU.Index, s.Budget>>20)
	}
	if len(s.queue) == 0 && s.reserved+bytes <= s.Budget {
		s.take(bytes)
		return s.reservation(bytes), nil, nil
	}
	if !wait {
		return nil, nil, fmt.Errorf("%w: the trial needs %d MiB at its peak, and of %d MiB of GPU %d for trials %d MiB are left: %d others have the rest, %d wait",
			ErrMemory, mebibytes(bytes), s.Budget>>20, s.GPU.Index, (s.Budget-s.reserved)>>20, s.trials, len(s.queue))
	}
	t := &turn{bytes: bytes, granted: make(chan struct{}), idle: make(chan struct{}, 1)}
	s.queue = append(s.queue, t)
	s.offer()
	return nil, t, nil
}

func (s *Share) take(bytes int64) {
	s.reserved += bytes
	s.trials++
}

// grant gives memory to those who have waited longest, as far as it goes: the first is not passed by smaller ones.
func (s *Share) grant() {
	for len(s.queue) > 0 && s.reserved+s.queue[0].bytes <= s.Budget {
		s.take(s.queue[0].bytes)
		close(s.queue[0].granted)
		s.queue = s.queue[1:]
	}
	s.offer()
}

// back returns the bytes of a trial to the budget, and tells whether another takes them.
func (s *Share) back(bytes int64) (wanted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reserved -= bytes
	s.trials--
	wanted = len(s.queue) > 0
	s.grant()
	return wanted
}

// leave gives up a turn, which may have been granted meanwhile.
func (s *Share) leave(t *turn) {
	s.mu.Lock()
	at := slices.Index(s.queue, t)
	if at >= 0 {
		s.queue = slices.Delete(s.queue, at, at+1)
		s.grant()
	}
	s.mu.Unlock()
	if at < 0 {
		s.back(t.bytes)
	}
}

// Alloc takes zeroed memory, as GPU.Alloc. Asking for more than was reserved is refused: the error wraps ErrMemory. Where another
// process has taken what was reserved, what is idle gives way.
func (r *Reservation) Alloc(bytes int64) (Ptr, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.released || r.used+bytes > r.bytes {
		return 0, fmt.Errorf("%w: the trial has reserved %d MiB, holds %d and asks for %d more", ErrMemory, mebibytes(r.bytes), mebibytes(r.used), mebibytes(bytes))
	}
	g := r.share.GPU
	p, err := g.Alloc(bytes)
	for errors.Is(err, ErrMemory) && r.share.GiveUp() {
		p, err = g.Alloc(bytes)
	}
	if err != nil {
		return 0, err
	}
	r.held[p] = bytes
	r.used += bytes
	r.peak = max(r.peak, r.used)
	return p, nil
}

// Free gives memory of Alloc back to the reservation. Freeing 0 does nothing.
func (r *Reservation) Free(p Ptr) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used -= r.held[p]
	delete(r.held, p)
	return r.share.GPU.Free(p)
}

// Peak is the most bytes that were held at a time.
func (r *Reservation) Peak() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.peak
}

// Bytes is what was reserved.
func (r *Reservation) Bytes() int64 { return r.bytes }

// Err is ErrLost when all that lies in the memory is lost.
func (r *Reservation) Err() error {
	if r.share.GPU.isLost() {
		return ErrLost
	}
	return nil
}

// Release frees what is held and returns the reservation to the budget; where nobody waits for it, other processes can have the
// memory. No work of the trial may be under way. Releasing twice, or a nil Reservation, does nothing.
func (r *Reservation) Release() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.released {
		return nil
	}
	r.released = true
	var errs []error
	for p := range r.held {
		if err := r.share.GPU.Free(p); !errors.Is(err, ErrLost) {
			errs = append(errs, err)
		}
	}
	r.held, r.used = nil, 0
	if !r.share.back(r.bytes) {
		if err := r.share.GPU.Trim(); !errors.Is(err, ErrLost) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
