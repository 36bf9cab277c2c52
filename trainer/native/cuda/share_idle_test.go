//go:build linux && cgo && (amd64 || arm64)

package cuda_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
)

// kept keeps reservations and notes which were given up.
type kept struct {
	mu   sync.Mutex
	gone []string
}

func (k *kept) keep(t *testing.T, s *cuda.Share, name string, r *cuda.Reservation) *cuda.Idle {
	return s.Keep(func() {
		k.mu.Lock()
		k.gone = append(k.gone, name)
		k.mu.Unlock()
		release(t, r)
	})
}

func (k *kept) given() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.gone)
}

// TestIdleGivesWay: the longest idle goes first, no more than is needed, and what was taken again stays.
func TestIdleGivesWay(t *testing.T) {
	s, k := share(t), &kept{}
	a, b, c := mustReserve(t, s, 20*mib), mustReserve(t, s, 20*mib), mustReserve(t, s, 20*mib)
	first, second, third := k.keep(t, s, "a", a), k.keep(t, s, "b", b), k.keep(t, s, "c", c)
	if !first.Take() || first.Take() {
		t.Error("what is idle can be taken once")
	}
	d := mustReserve(t, s, 21*mib)
	if got := k.given(); !slices.Equal(got, []string{"b"}) || second.Take() {
		t.Errorf("%v were given up, want b alone", got)
	}
	if _, err := s.TryReserve(usable + 1); err == nil || len(k.given()) > 1 {
		t.Errorf("for what never fits %v were given up, %v", k.given(), err)
	}
	if !third.Take() {
		t.Error("c was given up")
	}
	_, err := s.TryReserve(2 * mib)
	refused(t, err, "1 MiB are left")
	release(t, a, c, d)
}

// TestIdleAndWaiters: what becomes idle is offered to the one who has waited longest, who takes it or has it give way.
func TestIdleAndWaiters(t *testing.T) {
	for _, takes := range []bool{true, false} {
		s, k := share(t), &kept{}
		a := mustReserve(t, s, 50*mib)
		var idle *cuda.Idle
		var kept, ended sync.WaitGroup
		kept.Add(1)
		ended.Go(func() {
			r, err := s.ReserveOr(t.Context(), 40*mib, func() bool {
				kept.Wait()
				return takes && idle.Take()
			})
			if err != nil || (r == nil) != takes {
				t.Errorf("reservation %v, %v", r, err)
			}
			release(t, r)
		})
		for waits := false; !waits; {
			r, err := s.TryReserve(mib)
			waits = err != nil
			release(t, r)
		}
		idle = k.keep(t, s, "a", a)
		kept.Done()
		ended.Wait()
		if got := k.given(); (len(got) == 0) != takes {
			t.Errorf("taken: %v; given up: %v", takes, got)
		}
		release(t, a)
		release(t, mustReserve(t, s, usable)) // no turn is left
	}
}

// TestIdleForOtherProcesses: where memory is short though it was reserved, what is idle gives way.
func TestIdleForOtherProcesses(t *testing.T) {
	s, k := share(t), &kept{}
	a, b := mustReserve(t, s, 20*mib), mustReserve(t, s, 20*mib)
	if _, err := a.Alloc(20 * mib); err != nil {
		t.Fatal(err)
	}
	k.keep(t, s, "a", a)
	if held := cuda.Held(0); held != 20*mib || cuda.Held(1) != 0 {
		t.Errorf("this process holds %d bytes", held)
	}
	t.Setenv("FAKE_CUDA_MEMORY", "25165824") // another process has taken the rest
	if _, err := b.Alloc(10 * mib); err != nil || len(k.given()) != 1 {
		t.Errorf("%v; given up: %v", err, k.given())
	}
	_, err := b.Alloc(9 * mib)
	if err != nil {
		t.Error(err)
	}
	t.Setenv("FAKE_CUDA_MEMORY", "19922944")
	_, err = b.Alloc(mib)
	refused(t, err, "needed")
	release(t, b)
}

// TestIdleOfALostContext: it does not hold up the reset, and nothing is kept there any more.
func TestIdleOfALostContext(t *testing.T) {
	s, k := acquire(t), &kept{}
	a, b := mustReserve(t, s, mib), mustReserve(t, s, mib)
	other, err := cuda.Acquire(t.Context(), 0, kernel.Image())
	if err != nil {
		t.Fatal(err)
	}
	other.Keep(func() { release(t, a) })
	other.Keep(func() { release(t, other) })
	stream, err := s.GPU.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("FAKE_CUDA_LOSE", "next")
	err = errors.Join(s.Module.Run(stream, kernel.SumSquares(0, 4, 0, 0)...), stream.Wait())
	t.Setenv("FAKE_CUDA_LOSE", "")
	if !errors.Is(err, cuda.ErrLost) {
		t.Fatalf("the launch returned %v", err)
	}
	if k.keep(t, s, "b", b) != nil {
		t.Error("memory of a lost context is kept")
	}
	release(t, b, s)
	again, err := cuda.Acquire(t.Context(), 0, kernel.Image())
	if err != nil {
		t.Fatal(err)
	}
	release(t, mustReserve(t, again, usable), again)
}
