package emulator_test

import (
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// counts are launches that add one to a float each: k kernels, c calls of a library that put nothing into the stream; a letter in
// capitals is beside the others, and + in front of a letter makes it joined.
func counts(out cuda.Ptr, word string) (all []cuda.Launch) {
	joined := false
	for _, letter := range word {
		l := launch("count", [3]int{1}, [3]int{1}, args{out: out})
		switch letter {
		case '+':
			joined = true
			continue
		case 'c':
			l = cuda.Launch{Kernel: "call", Call: func(*cuda.Stream) error { return nil }}
		case 'K':
			l.Beside = true
		}
		l.Joined, joined = joined, false
		all = append(all, l)
	}
	return all
}

// TestDependent: kernels that follow directly on a kernel in their stream may begin before it has ended; those behind a call, a
// fork or a join may not, nor the first. The driver refuses it elsewhere.
func TestDependent(t *testing.T) {
	for _, c := range []struct {
		word      string
		dependent int
	}{
		{"k", 0}, {"kk", 1}, {"kkkkk", 4},
		{"c", 0}, {"kck", 0}, {"kkckk", 2}, {"ckk", 1},
		{"kKk", 0},                      // two streams of one or two kernels, with the fork in between
		{"kKkk", 1},                     // the second after the fork
		{"kkKKKkkkK+kk", 1 + 2 + 2 + 1}, // main 2, beside 3, main 3, beside 1, joined main 2
		{"K+kk", 1}, {"KK", 1},
	} {
		t.Run(c.word, func(t *testing.T) {
			t.Setenv("MAPSWEEP_PDL", "1")
			t.Setenv("FAKE_CUDA_CAPABILITY", "90")
			b := open(t)
			out := b.alloc(1)
			all := counts(out, c.word)
			g, err := b.kernel.Capture(b.stream, all...)
			b.must(err)
			defer func() { b.must(g.Close()) }()
			b.must(g.Launch(b.stream))
			b.must(b.kernel.Run(b.stream, all...)) // one stream, without forks
			calls := 0
			for _, l := range all {
				if l.Call != nil {
					calls++
				}
			}
			kernels := len(all) - calls
			if got := b.get(out, 1)[0]; g.Dependent != c.dependent || g.Nodes != kernels || got != float32(2*kernels) {
				t.Errorf("%d of %d nodes may begin early, want %d of %d; counted %v", g.Dependent, g.Nodes, c.dependent, kernels, got)
			}
		})
	}
}

// TestDependentApart: nothing is so across two calls of Run, nor behind what else a stream does.
func TestDependentApart(t *testing.T) {
	t.Setenv("MAPSWEEP_PDL", "1")
	t.Setenv("FAKE_CUDA_CAPABILITY", "90")
	b := open(t)
	out := b.alloc(2)
	event, err := b.gpu.NewEvent(false)
	b.must(err)
	defer func() { b.must(event.Close()) }()
	pair := counts(out, "kk")
	for what, between := range map[string]func() error{
		"nothing":  func() error { return nil },
		"a fill":   func() error { return b.stream.Fill(out.Add(4), 0, 4) },
		"a copy":   func() error { return b.stream.Copy(out.Add(4), out, 4) },
		"an event": func() error { return event.Record(b.stream) },
	} {
		g, err := b.stream.Capture(func() error {
			b.must(b.kernel.Run(b.stream, pair...))
			b.must(between())
			return b.kernel.Run(b.stream, pair...)
		})
		if err != nil || g.Dependent != 2 {
			t.Errorf("%s in between: %d may begin early, want 2; %v", what, g.Dependent, err)
		}
		b.must(g.Close())
	}
}

// TestDependentNot: only where it is asked for, and by a GPU and machine code of capability 9.0.
func TestDependentNot(t *testing.T) {
	var got []int
	for _, c := range []struct{ asked, capability string }{{"", "90"}, {"0", "90"}, {"1", "80"}, {"1", "89"}, {"1", "120"}, {"1", "90"}} {
		t.Run(c.asked+" "+c.capability, func(t *testing.T) {
			t.Setenv("MAPSWEEP_PDL", c.asked)
			t.Setenv("FAKE_CUDA_CAPABILITY", c.capability)
			b := open(t)
			out := b.alloc(1)
			g, err := b.kernel.Capture(b.stream, counts(out, "kkk")...)
			b.must(err)
			got = append(got, g.Dependent)
			b.must(g.Close())
		})
	}
	if want := []int{0, 0, 0, 0, 0, 2}; !slices.Equal(got, want) {
		t.Errorf("may begin early: %v, want %v", got, want)
	}
}
