//go:build linux && cgo && (amd64 || arm64)

package cuda_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
)

const mib = 1 << 20

// share acquires the emulated GPU with 64 MiB, of which 2 are kept back, and releases it with the test.
func share(t *testing.T) *cuda.Share {
	t.Helper()
	s := acquire(t)
	t.Cleanup(func() { release(t, s) })
	return s
}

func acquire(t *testing.T) *cuda.Share {
	t.Helper()
	if emulator.Real() {
		t.Skip("needs the emulated GPU, whose memory a test sets")
	}
	emulator.Use(t)
	t.Setenv("FAKE_CUDA_MEMORY", "67108864")
	s, err := cuda.Acquire(t.Context(), 0, kernel.Image())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func release(t *testing.T, closers ...interface{ Release() error }) {
	t.Helper()
	for _, c := range closers {
		if err := c.Release(); err != nil {
			t.Error(err)
		}
	}
}

const usable = 62 * mib

// TestPoolInPieces: what the pool keeps in a piece too small does not stand in the way of a larger one.
func TestPoolInPieces(t *testing.T) {
	t.Setenv("FAKE_CUDA_POOL", "keeps")
	s := share(t)
	for _, bytes := range []int64{40 * mib, 50 * mib, 30 * mib} {
		p, err := s.GPU.Alloc(bytes)
		if err != nil {
			t.Fatalf("%d MiB after others were freed: %v", bytes/mib, err)
		}
		if err := s.GPU.Free(p); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBorrowedMemory: memory of the host that is copied from is not let go before the stream has come so far.
func TestBorrowedMemory(t *testing.T) {
	s := share(t)
	p, err := s.GPU.Alloc(mib)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := s.GPU.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	var gone atomic.Bool
	func() {
		values := new([mib]byte)
		runtime.AddCleanup(values, func(int) { gone.Store(true) }, 0)
		if err := stream.CopyIn(p, values[:]); err != nil {
			t.Error(err)
		}
	}()
	collect := func() {
		for range 3 {
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
	}
	if collect(); gone.Load() {
		t.Error("the memory is gone while the stream may read it")
	}
	if err := stream.Wait(); err != nil {
		t.Error(err)
	}
	if collect(); !gone.Load() {
		t.Error("the stream keeps memory that it has read")
	}
	if err := errors.Join(stream.Close(), s.GPU.Free(p)); err != nil {
		t.Error(err)
	}
}

func TestShareIsOne(t *testing.T) {
	a := share(t)
	b, err := cuda.Acquire(t.Context(), 0, kernel.Image())
	if err != nil || a != b {
		t.Fatalf("a second trial gets %p, %v, and not %p", b, err, a)
	}
	release(t, b)
	if a.Budget != usable {
		t.Errorf("budget %d", a.Budget)
	}
	p, err := a.GPU.Alloc(64)
	if err != nil {
		t.Fatalf("the GPU is closed too early: %v", err)
	}
	if err := a.GPU.Free(p); err != nil {
		t.Error(err)
	}
	if _, err := cuda.Acquire(t.Context(), 7, kernel.Image()); !errors.Is(err, cuda.ErrNone) {
		t.Errorf("GPU 7: %v", err)
	}
}

func mustReserve(t *testing.T, s *cuda.Share, bytes int64) *cuda.Reservation {
	t.Helper()
	r, err := s.TryReserve(bytes)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// refused checks an error of memory and its words.
func refused(t *testing.T, err error, words ...string) {
	t.Helper()
	if !errors.Is(err, cuda.ErrMemory) {
		t.Errorf("error %v", err)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

func TestReservations(t *testing.T) {
	s := share(t)
	_, err := s.TryReserve(usable + 1)
	refused(t, err, "63 MiB at its peak", "GPU 0 had 62 MiB")
	_, err = s.Reserve(t.Context(), usable+1)
	refused(t, err, "63 MiB")
	a, b := mustReserve(t, s, 40*mib), mustReserve(t, s, 20*mib)
	_, err = s.TryReserve(3 * mib)
	refused(t, err, "3 MiB at its peak", "2 MiB are left", "2 others")

	p, err := a.Alloc(30 * mib)
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Alloc(10*mib + 1)
	refused(t, err, "reserved 40 MiB, holds 30 and asks for 11 more")
	if err := a.Free(p); err != nil {
		t.Error(err)
	}
	if _, err := a.Alloc(10 * mib); err != nil {
		t.Error(err)
	}
	if a.Peak() != 30*mib || a.Bytes() != 40*mib || a.Err() != nil {
		t.Errorf("peak %d of %d, error %v", a.Peak(), a.Bytes(), a.Err())
	}
	release(t, a, a, b, (*cuda.Reservation)(nil))
	if n := s.GPU.Held(); n != 0 {
		t.Errorf("%d bytes are held after all reservations", n)
	}
	if _, err := a.Alloc(1); !errors.Is(err, cuda.ErrMemory) {
		t.Errorf("a released reservation allocates: %v", err)
	}
	release(t, mustReserve(t, s, usable))
}

// waiting starts a Reserve that has to wait, and returns when it does.
func waiting(t *testing.T, ctx context.Context, s *cuda.Share, bytes int64, before string) <-chan any {
	t.Helper()
	got := make(chan any, 1)
	go func() {
		r, err := s.Reserve(ctx, bytes)
		if err != nil {
			got <- err
			return
		}
		got <- r
	}()
	for range 5000 {
		if _, err := s.TryReserve(usable); err != nil && strings.Contains(err.Error(), before+" wait") {
			return got
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("nobody waits")
	return nil
}

// TestTurns: who came first is first, even where a later and smaller one would fit, until he gives up.
func TestTurns(t *testing.T) {
	s := share(t)
	a := mustReserve(t, s, 40*mib)
	ctx, giveUp := context.WithCancelCause(t.Context())
	large := waiting(t, ctx, s, 50*mib, "1")
	small := waiting(t, t.Context(), s, 10*mib, "2")
	select {
	case got := <-small:
		t.Fatalf("the later one got %v", got)
	case <-time.After(20 * time.Millisecond):
	}
	tired := errors.New("tired")
	giveUp(tired)
	if err, ok := (<-large).(error); !ok || !errors.Is(err, tired) {
		t.Errorf("who gave up got %v", err)
	}
	r, ok := (<-small).(*cuda.Reservation)
	if !ok {
		t.Fatal("the small one got none")
	}
	next := waiting(t, t.Context(), s, 30*mib, "1")
	release(t, a)
	n, ok := (<-next).(*cuda.Reservation)
	if !ok {
		t.Fatal("nothing was given on")
	}
	release(t, r, n)
}

// TestLost loses the context under two trials while a third waits; a fourth then begins it anew.
func TestLost(t *testing.T) {
	s := acquire(t)
	other, err := cuda.Acquire(t.Context(), 0, kernel.Image())
	if err != nil {
		t.Fatal(err)
	}
	a, b := mustReserve(t, s, 40*mib), mustReserve(t, other, 20*mib)
	p, err := a.Alloc(4096)
	if err != nil {
		t.Fatal(err)
	}
	third := waiting(t, t.Context(), s, 10*mib, "1")
	stream, err := s.GPU.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	squares := kernel.SumSquares(p, 256, p.Add(2048), p.Add(3072))
	t.Setenv("FAKE_CUDA_LOSE", "next")
	err = errors.Join(s.Module.Run(stream, squares...), stream.Wait())
	t.Setenv("FAKE_CUDA_LOSE", "")
	if !errors.Is(err, cuda.ErrLost) {
		t.Fatalf("the launch returned %v", err)
	}
	if err, ok := (<-third).(error); !ok || !errors.Is(err, cuda.ErrLost) {
		t.Errorf("who waited got %v", err)
	}
	if !errors.Is(a.Err(), cuda.ErrLost) || !errors.Is(b.Err(), cuda.ErrLost) {
		t.Errorf("reservations say %v and %v", a.Err(), b.Err())
	}
	if _, err := b.Alloc(64); !errors.Is(err, cuda.ErrLost) {
		t.Errorf("the other trial allocates: %v", err)
	}
	if _, err := other.TryReserve(mib); !errors.Is(err, cuda.ErrLost) {
		t.Errorf("another trial reserves: %v", err)
	}
	if err := stream.Close(); err != nil && !errors.Is(err, cuda.ErrLost) {
		t.Error(err)
	}
	release(t, a, b)
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := cuda.Acquire(short, 0, kernel.Image()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the lost context is joined: %v", err)
	}

	fresh := make(chan *cuda.Share, 1)
	go func() {
		again, err := cuda.Acquire(t.Context(), 0, kernel.Image())
		if err != nil {
			t.Error(err)
		}
		fresh <- again
	}()
	release(t, other)
	select {
	case <-fresh:
		t.Fatal("the context is reset under a trial")
	case <-time.After(20 * time.Millisecond):
	}
	release(t, s)
	again := <-fresh
	if again == nil || again == s || again.Budget != usable {
		t.Fatalf("what was lost comes again: %+v", again)
	}
	works(t, again)
	release(t, again)
}

// works runs a kernel.
func works(t *testing.T, s *cuda.Share) {
	t.Helper()
	r := mustReserve(t, s, 8192)
	p, err := r.Alloc(8192)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := s.GPU.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	total := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	if err := errors.Join(stream.Fill(p, 0, 8192), s.Module.Run(stream, kernel.SumSquares(p, 256, p.Add(2048), p.Add(3072))...),
		stream.CopyOut(total, p.Add(2048)), stream.Wait(), stream.Close()); err != nil {
		t.Error(err)
	}
	if string(total) != "\x00\x00\x00\x00\x00\x00\x00\x00" {
		t.Errorf("the sum of zeros is % x", total)
	}
	release(t, r)
}

// TestReservationsTogether lets many trials come and go; what they hold together fits.
func TestReservationsTogether(t *testing.T) {
	s := share(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for range 30 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(3000))*time.Microsecond)
				bytes := r.Int64N(usable)
				held, err := s.Reserve(ctx, bytes)
				cancel()
				if errors.Is(err, context.DeadlineExceeded) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := held.Alloc(bytes / 4096); err != nil {
					t.Error(err)
				}
				release(t, held)
			}
		})
	}
	wg.Wait()
	release(t, mustReserve(t, s, usable)) // nothing is left behind
}
