package stream_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset/stream"
)

// The three known answers for philox4x32-10 that the Random123 library (1.14) ships in tests/kat_vectors.
func TestPhiloxKnownAnswers(t *testing.T) {
	for _, c := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, [2]uint32{0xffffffff, 0xffffffff},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := stream.Philox(c.counter, c.key); got != c.want {
			t.Errorf("Philox(%x, %x) = %x, want %x", c.counter, c.key, got, c.want)
		}
	}
}

// The address goes into the block as documented: seed is the key; epoch, position, op and the block number are the counter.
func TestAddress(t *testing.T) {
	s := new(stream.Source)
	s.Reset(-2, 3, 5, 7)
	for block := range uint32(3) {
		b := stream.Philox([4]uint32{block, 7, 5, 3}, [2]uint32{0xfffffffe, 0xffffffff})
		for _, want := range []uint64{uint64(b[0]) | uint64(b[1])<<32, uint64(b[2]) | uint64(b[3])<<32} {
			if got := s.Uint64(); got != want {
				t.Fatalf("block %d: %x, want %x", block, got, want)
			}
		}
	}
}

func TestResetRepeatsAndNewAgrees(t *testing.T) {
	var s stream.Source
	r := rand.New(&s)
	s.Reset(9, 1, 2, 3)
	a := []float64{r.Float64(), r.NormFloat64(), float64(r.IntN(1000))}
	r.Uint64()
	s.Reset(9, 1, 2, 3) // in the middle of a block
	n := stream.New(9, 1, 2, 3)
	for i, f := range []func(*rand.Rand) float64{
		func(r *rand.Rand) float64 { return r.Float64() },
		func(r *rand.Rand) float64 { return r.NormFloat64() },
		func(r *rand.Rand) float64 { return float64(r.IntN(1000)) },
	} {
		if x, y := f(r), f(n); x != a[i] || y != a[i] {
			t.Errorf("draw %d: first %v, after Reset %v, New %v", i, a[i], x, y)
		}
	}
}

// Neighbouring addresses, in each of the four coordinates, are uncorrelated and uniform.
func TestNeighboursIndependent(t *testing.T) {
	const n = 20000
	for name, other := range map[string]func(i int) *rand.Rand{
		"seed":     func(i int) *rand.Rand { return stream.New(1, 0, i, 0) },
		"epoch":    func(i int) *rand.Rand { return stream.New(0, 1, i, 0) },
		"position": func(i int) *rand.Rand { return stream.New(0, 0, i+1, 0) },
		"op":       func(i int) *rand.Rand { return stream.New(0, 0, i, 1) },
	} {
		var sx, sy, sxx, syy, sxy float64
		for i := range n {
			x, y := stream.New(0, 0, i, 0).Float64(), other(i).Float64()
			sx, sy, sxx, syy, sxy = sx+x, sy+y, sxx+x*x, syy+y*y, sxy+x*y
		}
		r := (sxy/n - sx/n*sy/n) / math.Sqrt((sxx/n-sx/n*sx/n)*(syy/n-sy/n*sy/n))
		if math.Abs(r) > 4/math.Sqrt(n) {
			t.Errorf("%s: correlation %.4f of first draws", name, r)
		}
		// the mean of n uniform numbers has standard deviation sqrt(1/12/n)
		if d := math.Abs(sy/n - .5); d > 4*math.Sqrt(1.0/12/n) {
			t.Errorf("%s: mean of first draws is off by %.4f", name, d)
		}
	}
}

func TestAddressesShareNothing(t *testing.T) {
	seen := map[uint64][4]int{}
	for seed := range 4 {
		for epoch := range 6 {
			for pos := range 40 {
				for op := range 12 {
					r := stream.New(int64(seed), epoch, pos, op)
					for range 4 {
						v := r.Uint64()
						if was, dup := seen[v]; dup {
							t.Fatalf("%v and %v share %x", was, [4]int{seed, epoch, pos, op}, v)
						}
						seen[v] = [4]int{seed, epoch, pos, op}
					}
				}
			}
		}
	}
}

func TestResetDoesNotAllocate(t *testing.T) {
	var s stream.Source
	r := rand.New(&s)
	if n := testing.AllocsPerRun(100, func() { s.Reset(1, 2, 3, 4); r.Float64() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkReset(b *testing.B) {
	var s stream.Source
	r := rand.New(&s)
	for i := range b.N {
		s.Reset(1, 2, i, 4)
		r.Float64()
	}
}

func BenchmarkUint64(b *testing.B) {
	var s stream.Source
	b.SetBytes(8)
	for range b.N {
		s.Uint64()
	}
}
