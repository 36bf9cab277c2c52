package emulator_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// TestCapture: captured work runs when it is launched, as often as it is, and not before.
func TestCapture(t *testing.T) {
	b := open(t)
	out := b.alloc(2)
	l := launch("count", [3]int{1}, [3]int{2}, args{out: out})
	c, err := b.stream.Capture(func() error { return b.kernel.Run(b.stream, l, l) })
	b.must(err)
	defer func() { b.must(c.Close()) }()
	if got := b.get(out, 2); !slices.Equal(got, []float32{0, 0}) {
		t.Errorf("captured work has run: %v", got)
	}
	for range 3 {
		b.must(c.Launch(b.stream))
	}
	if got := b.get(out, 2); c.Nodes != 2 || !slices.Equal(got, []float32{6, 6}) {
		t.Errorf("%d nodes, launched three times: %v, want 2 and 6 of each", c.Nodes, got)
	}
}

// TestCaptureForbids: what may not be done in a capture spoils it, and the stream works again afterwards.
func TestCaptureForbids(t *testing.T) {
	b := open(t)
	out := b.alloc(1)
	pinned, err := b.gpu.NewPinned(4)
	b.must(err)
	defer func() { b.must(pinned.Close()) }()
	for _, c := range []struct {
		what string
		do   func() error
		ok   bool
	}{
		{"to allocate", func() error { _, err := b.gpu.Alloc(4); return err }, false},
		{"to wait", b.stream.Wait, false},
		{"to copy from memory that is not pinned", func() error { return b.stream.CopyIn(out, make([]byte, 4)) }, false},
		{"to copy to memory that is not pinned", func() error { return b.stream.CopyOut(make([]byte, 4), out) }, false},
		{"to copy from pinned memory", func() error { return b.stream.CopyIn(out, pinned.Bytes) }, true},
		{"to fill", func() error { return b.stream.Fill(out, 0, 4) }, true},
	} {
		g, err := b.stream.Capture(c.do)
		if (err == nil) != c.ok {
			t.Errorf("in a capture, %s: %v", c.what, err)
		}
		b.must(g.Close())
	}
	b.run("count", [3]int{1}, [3]int{1}, 1, args{out: out})
}

// TestCaptureIgnoredError: a capture is spoilt also where its function says nothing of the error.
func TestCaptureIgnoredError(t *testing.T) {
	b := open(t)
	if _, err := b.stream.Capture(func() error { _ = b.stream.Wait(); return nil }); err == nil {
		t.Error("a capture in which was waited succeeds")
	}
}

func TestLaunchForbids(t *testing.T) {
	b := open(t)
	out := b.alloc(256)
	good := func() cuda.Launch { return launch("count", [3]int{1}, [3]int{1}, args{out: out}) }
	for _, c := range []struct {
		what  string
		spoil func(l *cuda.Launch)
	}{
		{"a kernel that is not there", func(l *cuda.Launch) { l.Kernel = "nothing" }},
		{"arguments of another size", func(l *cuda.Launch) { l.Args = l.Args[:16] }},
		{"more threads than declared", func(l *cuda.Launch) { l.Block = [3]int{257} }},
		{"too high a grid", func(l *cuda.Launch) { l.Grid = [3]int{1, 65536} }},
		{"more shared memory than there is", func(l *cuda.Launch) { l.Shared = 164 << 10 }},
	} {
		l := good()
		c.spoil(&l)
		if err := b.kernel.Run(b.stream, l); err == nil {
			t.Errorf("%s: no error", c.what)
		}
	}
	if err := b.stream.CopyIn(out, make([]byte, 1025)); err == nil {
		t.Error("a copy beyond the end of memory: no error")
	}
	b.must(b.kernel.Run(b.stream, good()))
	b.must(b.stream.Wait())
}

// TestMemory: FAKE_CUDA_MEMORY is all there is; what is freed can be had again.
func TestMemory(t *testing.T) {
	b := open(t)
	t.Setenv("FAKE_CUDA_MEMORY", "4194304")
	p, err := b.gpu.Alloc(3 << 20)
	b.must(err)
	_, err = b.gpu.Alloc(2 << 20)
	if !errors.Is(err, cuda.ErrMemory) || !strings.Contains(err.Error(), "1 MiB free of 4, and 2 MiB are needed") {
		t.Errorf("two MiB more: %v", err)
	}
	b.must(b.gpu.Free(p))
	p, err = b.gpu.Alloc(2 << 20)
	b.must(err)
	if free, total, err := b.gpu.Memory(); err != nil || free != 2<<20 || total != 4<<20 {
		t.Errorf("%d free of %d, %v", free, total, err)
	}
	b.must(b.gpu.Free(p))
}

// TestLost: the launch of FAKE_CUDA_LOSE loses the context; everything afterwards fails, and memory can still be given back.
func TestLost(t *testing.T) {
	inside, printed, err := alone(t, "FAKE_CUDA_LOSE=3")
	if !inside {
		if err != nil {
			t.Errorf("%v: %s", err, printed)
		}
		return
	}
	b := open(t)
	out := b.alloc(1)
	l := launch("count", [3]int{1}, [3]int{1}, args{out: out})
	b.must(b.kernel.Run(b.stream, l, l))
	if got := b.get(out, 1); got[0] != 2 {
		t.Errorf("before: %v", got)
	}
	if err := errors.Join(b.kernel.Run(b.stream, l), b.stream.Wait()); !errors.Is(err, cuda.ErrLost) {
		t.Errorf("the launch that loses the context: %v", err)
	}
	for what, err := range map[string]error{"launch": b.kernel.Run(b.stream, l), "wait": b.stream.Wait(), "fill": b.stream.Fill(out, 0, 4)} {
		if !errors.Is(err, cuda.ErrLost) {
			t.Errorf("%s afterwards: %v", what, err)
		}
	}
	if _, err := b.gpu.Alloc(4); !errors.Is(err, cuda.ErrLost) {
		t.Errorf("allocate afterwards: %v", err)
	}
}
