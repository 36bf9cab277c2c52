package kernel_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// TestConvStatistics has every kernel that makes products make their statistics, and compares them with those of what was stored.
// With blocks in any order the bits are the same, and a launch leaves its counters as it found them.
func TestConvStatistics(t *testing.T) {
	b := kerneltest.New(t)
	for _, s := range []groupCase{
		{1, 1, 1, 1, 16, 16, 3, 1}, {2, 13, 7, 1, 16, 80, 3, 1}, {2, 9, 6, 3, 16, 48, 3, 2}, {1, 5, 6, 1, 128, 144, 1, 1}, {1, 13, 12, 1, 4, 48, 3, 2},
		{1, 65, 129, 1, 16, 16, 1, 1}, {1, 65, 64, 2, 16, 16, 3, 1}, // tiles enough to be folded, but not of all shapes
	} {
		for _, typ := range kerneltest.Types {
			t.Run(fmt.Sprintf("%v %v", typ, s), func(t *testing.T) {
				g := newGrouped(b, typ, s)
				if typ == kernel.Float32 {
					for _, f := range kernel.Forms32(g.Conv) {
						g.checkStatistics(t, f.String(), form{f.Tiles(g.Conv), f.Forward, nil})
					}
					return
				}
				for _, f := range kernel.ForwardForms16(g.Conv) {
					g.checkStatistics(t, f.Name, form{f.Tiles, f.Forward, nil})
				}
			})
		}
	}
}

// TestLastBlocksAgain takes two inputs by turns, forward and backward, in the same memory: what a block read of the turn before, or of a
// row that was not there yet, would show. It is for a GPU, whose blocks run at once.
func TestLastBlocksAgain(t *testing.T) {
	b := kerneltest.New(t)
	turns := 4
	if emulator.Real() {
		turns = 1000
	}
	for _, s := range []groupCase{{2, 65, 64, 1, 16, 16, 1, 1}, {4, 16, 16, 1, 64, 128, 1, 1}} {
		for _, typ := range kerneltest.Types {
			g := newGrouped(b, typ, s)
			c, lanes := g.Conv, int(g.Y.C)
			room := func(bytes int64) cuda.Ptr { return b.Alloc(max(bytes, int64(8*lanes))) }
			one := func() cuda.Ptr { return kerneltest.Put(b, slices.Repeat([]float32{1}, lanes)) }
			n := kernel.Norm{Type: typ, Y: g.Y, Gamma: one(), Beta: one(), Mean: one(), Var: one(), Eps: normEps, Momentum: normMomentum, Batch: room(0)}
			n.Counters, c.Partial, c.Norm = room(kernel.CounterBytes(c.Tiles(), g.Y.C)), room(kernel.SumsBytes(c.Tiles(), g.Y.C)), &n
			dGamma, dBeta, scratch := room(0), room(0), room(n.ScratchBytes())
			inputs := []kernel.View{c.X, c.X}
			inputs[1].P = b.PutValues(typ, kerneltest.Random(typ, kerneltest.Seed("again"), int(c.X.Pixels())*int(c.X.Stride)))
			var first [2][]float32
			for i := range turns {
				c.X = inputs[i%2]
				b.Run(append(c.Forward(), n.Backward(g.dY, dGamma, dBeta, scratch)...)...)
				got := slices.Concat(kerneltest.Get[float32](b, n.Batch, 2*lanes), kerneltest.Get[float32](b, dGamma, lanes), kerneltest.Get[float32](b, dBeta, lanes))
				if i < 2 {
					first[i] = got
				}
				if !slices.Equal(got, first[i%2]) || slices.Equal(got, first[1-i%2]) {
					t.Fatalf("%v %v, turn %d: other sums than in the first turns", typ, s, i)
				}
			}
		}
	}
}

func (g *grouped) checkStatistics(t *testing.T, name string, f form) {
	lanes := int(g.Y.C)
	r := kerneltest.Seed(name)
	mean, vari := kerneltest.Random(kernel.Float32, r, lanes), kerneltest.Random(kernel.Float32, r, lanes)
	c, n := g.Conv, kernel.Norm{Type: g.Type, Y: g.Y, Eps: normEps, Momentum: normMomentum, Batch: g.b.Alloc(int64(8 * lanes))}
	n.Counters, c.Partial, c.Norm = g.b.Alloc(kernel.CounterBytes(f.tiles, g.Y.C)), g.b.Alloc(kernel.SumsBytes(f.tiles, g.Y.C)), &n
	got := kerneltest.EveryOrder(t, func() []float32 {
		n.Mean, n.Var = kerneltest.Put(g.b, mean), kerneltest.Put(g.b, vari)
		g.b.Run(f.forward(c)...)
		if left := kerneltest.Get[uint32](g.b, n.Counters, int(kernel.CounterBytes(f.tiles, g.Y.C)/4)); slices.Max(left) != 0 {
			t.Fatalf("%s leaves counters %v", name, left)
		}
		return slices.Concat(kerneltest.Get[float32](g.b, n.Batch, 2*lanes), kerneltest.Get[float32](g.b, n.Mean, lanes), kerneltest.Get[float32](g.b, n.Var, lanes))
	})
	y, all := g.values(g.Y), float64(g.Y.Pixels())
	for l := range lanes {
		var sum, square float64
		for p := range int(all) {
			v := float64(y[p*int(g.Y.Stride)+16+l])
			sum, square = sum+v, square+v*v
		}
		mu, of := sum/all, square/all
		v := max(of-mu*mu, 0)
		unbiased := v * all / max(all-1, 1)
		// sums over tiles of up to 128 pixels are float32: an error of 128 roundings of 2^-24 of the mean square is allowed for
		for i, want := range []float64{mu, 1 / math.Sqrt(v+normEps), float64(mean[l]) + normMomentum*(mu-float64(mean[l])), float64(vari[l]) + normMomentum*(unbiased-float64(vari[l]))} {
			allowed := 1e-6 + 8e-6*math.Sqrt(of)
			switch i {
			case 1:
				allowed = 1e-6 + 8e-6*of*math.Pow(want, 3)
			case 3:
				allowed = 1e-6 + 8e-6*of
			}
			if d := math.Abs(float64(got[i*lanes+l]) - want); !(d <= allowed) {
				t.Fatalf("%s, lane %d, result %d: %v, want %v within %v", name, l, i, got[i*lanes+l], want, allowed)
			}
		}
	}
}
