package emulator_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// Values of n of the kernels of testdata/races.cu.
const (
	whole = iota
	noFirst
	noSecond
)

// raceCase is work that has a race, or none. Reports have `kernel`, `doing` and the lines of `now` and `earlier`, which are texts
// of races.cu.
type raceCase struct {
	name string
	do   func(b *bench)

	kernel, doing, now, earlier string
}

func one(kernel string, grid, block int, n int32) func(*bench) {
	return func(b *bench) {
		in, out := b.filled(1024), b.alloc(1024)
		if kernel == "race_counts" {
			out = in
		}
		b.must(b.kernel.Run(b.stream, launch(kernel, [3]int{grid}, [3]int{block}, args{in: in, out: out, n: n})))
		b.must(b.stream.Wait())
	}
}

// filled is memory of n values that are 0.
func (b *bench) filled(n int) cuda.Ptr {
	p := b.alloc(n)
	b.must(b.stream.Fill(p, 0, int64(4*n)))
	b.must(b.stream.Wait())
	return p
}

var raceCases = []raceCase{
	{"barriers", one("race_barrier", 2, 64, whole), "", "", "", ""},
	{"no barrier before reading", one("race_barrier", 1, 64, noFirst), "race_barrier", "reads 4 bytes of shared memory", "// the opposite", "// its own"},
	{"no barrier before writing again", one("race_barrier", 1, 64, noSecond), "race_barrier", "writes 4 bytes of shared memory", "// once more", "// the opposite"},
	{"barrier of a warp", one("race_warp", 2, 32, whole), "", "", "", ""},
	{"shuffle in place of a barrier", one("race_warp", 1, 32, noFirst), "race_warp", "reads 4 bytes of shared memory", "// after", "// before"},
	{"barrier of another warp", one("race_warps", 1, 64, whole), "race_warps", "reads 4 bytes of shared memory", "// of the other", "// of a warp"},
	{"neighbouring bytes", one("race_bytes", 1, 64, 0), "", "", "", ""},
	{"the same word", one("race_bytes", 1, 64, 1), "race_bytes", "writes 4 bytes of device memory", "// a word", "// a word"},
	{"asynchronous copies", one("race_copies", 2, 32, whole), "", "", "", ""},
	{"copies that nobody waits for", one("race_copies", 1, 32, noFirst), "race_copies", "reads 4 bytes of shared memory", "// what it brought", "// a copy"},
	{"another thread's copies", one("race_copies", 1, 32, noSecond), "race_copies", "reads 4 bytes of shared memory", "// what it brought", "// a copy"},
	{"blocks apart", one("race_blocks", 3, 32, 0), "", "", "", ""},
	{"blocks in one place", one("race_blocks", 3, 1, 1), "race_blocks", "writes 4 bytes of device memory, 0 bytes into an allocation of 4096", "one place", "one place"},
	{"a block reads what another wrote", func(b *bench) {
		p := b.filled(64)
		b.must(b.kernel.Run(b.stream, launch("race_reads", [3]int{2}, [3]int{32}, args{in: p, out: p, n: 32})))
	}, "race_reads", "reads 4 bytes of device memory", "of another block", "= v"},
	{"atomic operations", one("race_counts", 3, 32, whole), "", "", "", ""},
	{"one that is not atomic", one("race_counts", 2, 1, noFirst), "race_counts", "atomically changes 4 bytes of device memory", "// by one", "// plainly"},
	{"last block", one("race_last", 4, 64, whole), "", "", "", ""},
	{"last block, no fence before", one("race_last", 4, 64, noFirst), "race_last", "reads 4 bytes of device memory", "// all parts", "// a part"},
	{"last block, no fence after", one("race_last", 4, 64, noSecond), "race_last", "reads 4 bytes of device memory", "// all parts", "// a part"},
	{"one stream", func(b *bench) { b.putAndGet(b.stream, nil) }, "", "", "", ""},
	{"two streams", func(b *bench) { b.putAndGet(b.second(), nil) }, "race_get", "reads 4 bytes of device memory", "/* get", "/* put"},
	{"two streams and an event", func(b *bench) {
		e, err := b.gpu.NewEvent(false)
		b.must(err)
		s := b.second()
		b.putAndGet(s, func() { b.must(errors.Join(e.Record(b.stream), s.After(e))) })
		b.must(e.Close())
	}, "", "", "", ""},
	{"two streams, and the host waits", func(b *bench) { b.putAndGet(b.second(), func() { b.must(b.stream.Wait()) }) }, "", "", "", ""},
	{"branch of a graph", func(b *bench) { b.branch(true) }, "", "", "", ""},
	{"branch that nothing waits for", func(b *bench) { b.branch(false) }, "race_get", "reads 4 bytes of device memory", "/* get", "/* put"},
	{"a copy on the device", func(b *bench) {
		s, p := b.second(), b.filled(32)
		b.must(b.kernel.Run(b.stream, launch("race_put", [3]int{1}, [3]int{32}, args{out: p})))
		b.must(s.Copy(b.alloc(32), p, 128))
	}, "a copy on the device", "reads 128 bytes of device memory", "", "/* put"},
	{"shared memory that nothing has written", one("race_unwritten", 1, 32, 0), "race_unwritten", "reads 4 bytes of shared memory that nothing has written", "// one too far", ""},
}

func (b *bench) second() *cuda.Stream {
	s, err := b.gpu.NewStream()
	b.must(err)
	b.t.Cleanup(func() { b.must(errors.Join(s.Wait(), s.Close())) })
	return s
}

// putAndGet writes memory in the first stream and reads it in another.
func (b *bench) putAndGet(s *cuda.Stream, between func()) {
	p := b.alloc(32)
	b.must(b.kernel.Run(b.stream, launch("race_put", [3]int{1}, [3]int{32}, args{out: p})))
	if between != nil {
		between()
	}
	b.must(b.kernel.Run(s, launch("race_get", [3]int{1}, [3]int{32}, args{in: p, out: b.alloc(32)})))
}

// branch writes memory in a branch beside another launch, and reads it where the two are joined, or before; three times.
func (b *bench) branch(joined bool) {
	p, q, r := b.filled(32), b.filled(32), b.filled(32)
	put := launch("race_put", [3]int{1}, [3]int{32}, args{out: p})
	put.Beside = true
	get := launch("race_get", [3]int{1}, [3]int{32}, args{in: p, out: q})
	get.Joined = joined
	before := launch("race_get", [3]int{1}, [3]int{32}, args{in: p, out: r})
	c, err := b.kernel.Capture(b.stream, before, put, launch("race_put", [3]int{1}, [3]int{32}, args{out: r}), get)
	b.must(err)
	for range 3 {
		b.must(c.Launch(b.stream))
	}
	b.must(b.stream.Wait())
	b.must(c.Close())
}

// TestRaces runs all cases in a process with the detector on, which goes on after reports.
func TestRaces(t *testing.T) {
	for _, order := range orders {
		inside, printed, err := alone(t, "EMULATOR_RACES=all", "EMULATOR_ORDER="+order)
		if inside {
			b := open(t)
			for _, c := range raceCases {
				fmt.Fprintf(os.Stderr, "\ncase %s\n", c.name)
				c.do(b)
				b.must(b.stream.Wait())
			}
			fmt.Fprintln(os.Stderr, "\ncase end")
			return
		}
		if err != nil {
			t.Fatalf("%s: %v: %s", order, err, printed)
		}
		for _, c := range raceCases {
			_, reports, found := strings.Cut(printed, "\ncase "+c.name+"\n")
			if !found {
				t.Fatalf("%s: case %s did not run: %s", order, c.name, printed)
			}
			reports, _, _ = strings.Cut(reports, "\ncase ")
			c.check(t, order, reports)
		}
	}
}

func (c raceCase) check(t *testing.T, order, reports string) {
	t.Helper()
	want := []string{c.kernel, c.doing, lineOf(t, c.now), lineOf(t, c.earlier)}
	switch {
	case c.kernel == "" && strings.Contains(reports, "emulator:"):
		t.Errorf("%s: %s: %s", order, c.name, reports)
	case c.kernel != "":
		for _, w := range want {
			// which of two comes first is a matter of the order
			if !strings.Contains(reports, w) && order == "forward" || !strings.Contains(reports, "emulator:") {
				t.Errorf("%s: %s: no %q in %q", order, c.name, w, reports)
			}
		}
	}
}

// lineOf is where a text stands first in races.cu.
func lineOf(t *testing.T, text string) string {
	t.Helper()
	if text == "" {
		return ""
	}
	source, err := os.ReadFile("testdata/races.cu")
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(source), text)
	if !found {
		t.Fatalf("races.cu has no %q", text)
	}
	return fmt.Sprintf("races.cu:%d", strings.Count(before, "\n")+1)
}

// TestRaceEnds: the first race ends the process.
func TestRaceEnds(t *testing.T) {
	inside, printed, err := alone(t, "EMULATOR_RACES=1")
	if inside {
		one("race_barrier", 1, 64, noSecond)(open(t))
		return
	}
	if want := "emulator: race in race_barrier: block 0, thread"; err == nil || !strings.Contains(printed, want) {
		t.Errorf("%v, %q; want a failure with %q", err, printed, want)
	}
}
