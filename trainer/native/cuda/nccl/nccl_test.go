//go:build linux && cgo && (amd64 || arm64)

package nccl_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/nccl"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/nccl/nccltest"
)

// open loads NCCL where there are so many GPUs: the stand-in for emulated ones, or the machine's.
func open(t *testing.T, gpus int) *nccl.Library {
	t.Helper()
	t.Setenv("FAKE_CUDA_COUNT", fmt.Sprint(gpus))
	emulator.Use(t)
	if !emulator.Real() {
		nccltest.Use(t)
	}
	devices, err := cuda.Devices()
	if err != nil {
		t.Fatal(err)
	}
	if len(devices) < gpus {
		t.Skipf("%d GPUs are needed, there are %d", gpus, len(devices))
	}
	l, err := nccl.Open()
	if emulator.Real() && errors.Is(err, nccl.ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// rank is one GPU's part of a test.
type rank struct {
	gpu    *cuda.GPU
	stream *cuda.Stream
	comm   *nccl.Comm
	t      *testing.T
}

func (r *rank) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Errorf("rank %d: %v", r.comm.Rank, err)
	}
}

func put[T any](r *rank, v []T) cuda.Ptr {
	p, err := r.gpu.Alloc(int64(len(v)) * int64(unsafe.Sizeof(v[0])))
	r.must(err)
	r.must(r.stream.CopyIn(p, bytesOf(v)))
	return p
}

func get[T any](r *rank, p cuda.Ptr, n int) []T {
	v := make([]T, n)
	r.must(r.stream.CopyOut(bytesOf(v), p))
	r.must(r.stream.Wait())
	return v
}

func bytesOf[T any](v []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), len(v)*int(unsafe.Sizeof(v[0])))
}

// onRanks joins so many ranks and runs f on each in a goroutine of its own.
func onRanks(t *testing.T, ranks int, f func(r *rank)) {
	t.Helper()
	l := open(t, ranks)
	id, err := l.NewID()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range ranks {
		wg.Go(func() {
			if err := onRank(t, l, id, ranks, i, f); err != nil {
				t.Errorf("rank %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

func onRank(t *testing.T, l *nccl.Library, id nccl.ID, ranks, i int, f func(r *rank)) error {
	gpu, err := cuda.Open(i)
	if err != nil {
		return err
	}
	stream, err := gpu.NewStream()
	if err != nil {
		return errors.Join(err, gpu.Close())
	}
	comm, err := l.Join(stream, id, ranks, i)
	if err == nil {
		f(&rank{gpu, stream, comm, t})
		err = comm.Close()
	}
	return errors.Join(err, stream.Close(), gpu.Close())
}

// gradients of a rank: whole numbers, so that sums are exact in any order.
func gradients[T float32 | float64](rank, n int) []T {
	v := make([]T, n)
	for i := range v {
		v[i] = T(rank*1000 + i%97)
	}
	return v
}

func sums[T float32 | float64](ranks, n int) []T {
	v := make([]T, n)
	for r := range ranks {
		for i, g := range gradients[T](r, n) {
			v[i] += g
		}
	}
	return v
}

// TestSum adds up gradients and sums of normalisation of one and of two ranks, at once and as part of captured steps, and
// copies weights of the last rank to all.
func TestSum(t *testing.T) {
	for _, ranks := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d ranks", ranks), func(t *testing.T) {
			onRanks(t, ranks, func(r *rank) {
				const n, lanes = 5001, 48
				grads, norm := put(r, gradients[float32](r.comm.Rank, n)), put(r, gradients[float64](r.comm.Rank, 2*lanes))
				defer func() { r.must(errors.Join(r.gpu.Free(grads), r.gpu.Free(norm))) }()
				both := func() error {
					return r.comm.Together(func() error { return errors.Join(r.comm.Sum(grads, n), r.comm.SumDoubles(norm, 2*lanes)) })
				}
				r.must(both())
				want, wantNorm := sums[float32](ranks, n), sums[float64](ranks, 2*lanes)
				for step := range 3 {
					if got := get[float32](r, grads, n); !slices.Equal(got, want) {
						r.t.Errorf("rank %d, step %d: gradients %v, want %v", r.comm.Rank, step, got[:3], want[:3])
					}
					if got := get[float64](r, norm, 2*lanes); !slices.Equal(got, wantNorm) {
						r.t.Errorf("rank %d, step %d: sums %v, want %v", r.comm.Rank, step, got[:3], wantNorm[:3])
					}
					captured, err := r.stream.Capture(both) // all ranks hold the same now, so that a step multiplies
					if r.must(err); err != nil {
						return
					}
					r.must(captured.Launch(r.stream))
					r.must(r.stream.Wait())
					r.must(captured.Close())
					for i := range want {
						want[i] *= float32(ranks)
					}
					for i := range wantNorm {
						wantNorm[i] *= float64(ranks)
					}
				}
				weights := put(r, gradients[float32](r.comm.Rank, n))
				r.must(r.comm.Broadcast(weights, 4*n, ranks-1))
				if got := get[float32](r, weights, n); !slices.Equal(got, gradients[float32](ranks-1, n)) {
					r.t.Errorf("rank %d: copied weights %v", r.comm.Rank, got[:3])
				}
				r.must(r.gpu.Free(weights))
				r.must(r.comm.Failed())
			})
		})
	}
}

// TestLostRank has one rank wait in vain for the other's part.
func TestLostRank(t *testing.T) {
	if emulator.Real() {
		t.Skip("a GPU would wait for ever")
	}
	t.Setenv("FAKE_NCCL_WAIT", "1")
	onRanks(t, 2, func(r *rank) {
		p := put(r, []float32{1})
		if r.comm.Rank == 0 {
			r.must(r.comm.Sum(p, 1))
			r.must(r.stream.Wait())
			if err := r.comm.Failed(); err == nil || !strings.Contains(err.Error(), "NCCL: remote process exited") {
				t.Errorf("without the other rank: %v", err)
			}
			r.comm.Abort()
		}
		r.must(r.gpu.Free(p))
	})
}

// TestAbortWithGraphs: NCCL frees aborted ranks only when no graph holds their work, so that Abort must not wait for it, and Close
// comes after the graphs.
func TestAbortWithGraphs(t *testing.T) {
	if emulator.Real() {
		t.Skip("two GPUs are needed that wait for each other")
	}
	onRanks(t, 2, func(r *rank) {
		p := put(r, []float32{1})
		captured, err := r.stream.Capture(func() error { return r.comm.Sum(p, 1) })
		r.must(err)
		r.must(captured.Launch(r.stream))
		start := time.Now()
		r.comm.Abort()
		r.must(r.stream.Wait())
		r.must(captured.Close())
		r.must(r.comm.Close())
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("rank %d: the end took %v", r.comm.Rank, d)
		}
		r.must(r.gpu.Free(p))
	})
}

// TestCaptureIsCommon: a step that one rank has captured anew is not the same as the others' any more.
func TestCaptureIsCommon(t *testing.T) {
	if emulator.Real() {
		t.Skip("what comes of it on a GPU is not defined")
	}
	onRanks(t, 2, func(r *rank) {
		p := put(r, []float32{1})
		capture := func() *cuda.Captured {
			c, err := r.stream.Capture(func() error { return r.comm.Sum(p, 1) })
			r.must(err)
			return c
		}
		step := capture()
		if r.comm.Rank == 1 {
			r.must(step.Close())
			step = capture()
		}
		r.must(step.Launch(r.stream))
		r.must(r.stream.Wait())
		if err := r.comm.Failed(); err == nil || !strings.Contains(err.Error(), "invalid usage") {
			t.Errorf("rank %d: %v", r.comm.Rank, err)
		}
		r.must(errors.Join(step.Close(), r.gpu.Free(p)))
	})
}

// TestOpenRefuses says why there is no NCCL, and what to do.
func TestOpenRefuses(t *testing.T) {
	if emulator.Real() {
		t.Skip("the stand-in's mistakes")
	}
	emulator.Use(t)
	for _, c := range []struct {
		name  string
		setUp func(t *testing.T)
		want  string
	}{
		{"no file", func(t *testing.T) { t.Setenv("MAPSWEEP_NCCL", "/none/libnccl.so.2") }, "cannot open shared object file: No such file or directory (MAPSWEEP_NCCL may name the file; a trial on one GPU needs none)"},
		{"a function is missing", func(t *testing.T) { nccltest.Use(t, "-DLACKS_ONE") }, "has no ncclCommDestroy"},
		{"too old", func(t *testing.T) { nccltest.Use(t); t.Setenv("FAKE_NCCL_VERSION", "2804") }, "is of version 2.8.4, and 2.9.0 or later is needed"},
		{"no GPU", func(t *testing.T) { nccltest.Use(t); t.Setenv("FAKE_CUDA_COUNT", "0") }, "the NVIDIA driver has no device"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.setUp(t)
			if _, err := nccl.Open(); !errors.Is(err, nccl.ErrNone) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// TestJoinRefuses holds that a rank that there is not is refused before anything waits for it.
func TestJoinRefuses(t *testing.T) {
	l := open(t, 1)
	for _, c := range [][2]int{{1, 1}, {2, -1}, {0, 0}} {
		if _, err := l.Join(nil, nccl.ID{}, c[0], c[1]); err == nil || !strings.Contains(err.Error(), "there is no such rank") {
			t.Errorf("rank %d of %d: %v", c[1], c[0], err)
		}
	}
}

// TestAbortEndsWaiting: a rank whose stream waits for another goes on when it is aborted.
func TestAbortEndsWaiting(t *testing.T) {
	if emulator.Real() {
		t.Skip("two GPUs are needed that wait for each other")
	}
	t.Setenv("FAKE_NCCL_WAIT", "600")
	waiting := make(chan *nccl.Comm, 1)
	onRanks(t, 2, func(r *rank) {
		p := put(r, []float32{1})
		if r.comm.Rank == 0 {
			waiting <- r.comm
			r.must(r.comm.Sum(p, 1)) // returns when rank 1 has aborted
			if err := r.comm.Sum(p, 1); err != nil && !errors.Is(err, nccl.ErrEnded) {
				t.Error(err)
			}
		} else {
			other := <-waiting
			r.comm.Abort()
			other.Abort()
			if err := other.Failed(); !errors.Is(err, nccl.ErrEnded) {
				t.Errorf("after Abort: %v", err)
			}
		}
		r.must(r.gpu.Free(p))
	})
}
