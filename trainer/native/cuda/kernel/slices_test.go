package kernel_test

import (
	"math"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// sliced are gradients in slices, on the device and as values.
type sliced struct {
	b    *kerneltest.Bench
	all  []kernel.Slices
	from [][]float32
	sum  cuda.Ptr // all gradients, with floats of the value beside between them
	ends []int
}

const between = 77

func newSliced(b *kerneltest.Bench, shapes [][2]int) *sliced { // floats, slices
	s := &sliced{b: b}
	r := kerneltest.Seed("slices")
	end := 4
	for _, v := range shapes {
		s.from = append(s.from, kerneltest.Random(kernel.Float32, r, v[0]*v[1]))
		s.ends = append(s.ends, end+v[0])
		end += v[0] + 4
	}
	s.sum = kerneltest.Put(b, slices.Repeat([]float32{between}, end))
	for i, v := range shapes {
		s.all = append(s.all, kernel.Slices{From: kerneltest.Put(b, s.from[i]), To: s.sum.Add(int64(4 * (s.ends[i] - v[0]))), Floats: int64(v[0]), Count: int64(v[1])})
	}
	return s
}

// check holds sums against exact ones, and bit by bit against those in the order that is promised: every sixteenth slice, then
// those sums.
func (s *sliced) check(t *testing.T) []float32 {
	t.Helper()
	s.b.Run(kernel.SumSlices(s.all...))
	got := kerneltest.Get[float32](s.b, s.sum, s.ends[len(s.ends)-1]+4)
	want := slices.Repeat([]float32{between}, len(got))
	for g, v := range s.all {
		for i := range int(v.Floats) {
			var exact sum
			var parts [16]float32
			for k := range int(v.Count) {
				x := s.from[g][k*int(v.Floats)+i]
				exact.add(x, 1)
				parts[k%16] += x
			}
			var all float32
			for _, p := range parts {
				all += p
			}
			to := s.ends[g] - int(v.Floats) + i
			want[to] = all
			if !exact.near(got[to], int(v.Count), kernel.Float32) {
				t.Fatalf("%d slices of %d floats: float %d is %g, want %g", v.Count, v.Floats, i, got[to], exact.v)
			}
		}
	}
	for i := range got {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("float %d of all is %g, want %g", i, got[i], want[i])
		}
	}
	return got
}

// TestSumSlices has one gradient of each form, tiles that are cut off, and as many gradients as fit.
func TestSumSlices(t *testing.T) {
	b := kerneltest.New(t)
	for _, shapes := range [][][2]int{{{4, 2}}, {{1024, 16}}, {{1028, 7}}, {{256, 17}}, {{260, 64}}, {{64, 65}}, {{76, 530}}, {{16, 264}, {3000, 2}, {272, 33}, {512, 16}}} {
		newSliced(b, shapes).check(t)
	}
	r := kerneltest.Seed("gradients in slices")
	var many [][2]int
	for range kernel.MostSlices {
		many = append(many, [2]int{4 * (1 + r.IntN(150)), 2 + r.IntN(90)})
	}
	s := newSliced(b, many)
	first := s.check(t)
	for _, order := range []string{"reverse", "shuffle"} {
		t.Setenv("EMULATOR_ORDER", order)
		if got := s.check(t); !slices.Equal(got, first) {
			t.Errorf("order %s gives other sums", order)
		}
	}
}

// TestSumSlicesBlocks counts blocks: all gradients together are to fill a GPU, and the heaviest tiles come first.
func TestSumSlicesBlocks(t *testing.T) {
	l := kernel.SumSlices(kernel.Slices{Floats: 2048, Count: 3}, kernel.Slices{Floats: 300, Count: 40}, kernel.Slices{Floats: 300, Count: 400})
	if want := 2 + 2 + 5; l.Grid[0] != want || len(l.Args) > 4096 {
		t.Errorf("%d blocks, want %d; %d bytes of arguments, at most 4096", l.Grid[0], want, len(l.Args))
	}
	for name, all := range map[string][]kernel.Slices{"none": nil, "too many": make([]kernel.Slices, kernel.MostSlices+1), "at an odd address": {{To: 4, Floats: 4, Count: 2}}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			kernel.SumSlices(all...)
		}()
	}
}
