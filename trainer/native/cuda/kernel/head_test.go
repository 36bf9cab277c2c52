package kernel_test

import (
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// headOf is a tensor of a head: channels in segments, each in blocks of 16 lanes.
type headOf struct {
	segments []int
	lanes    []int32
	stored   int
}

func newHead(segments ...int) (h headOf) {
	h.segments = segments
	for _, c := range segments {
		for i := range c {
			h.lanes = append(h.lanes, int32(h.stored+i))
		}
		h.stored += (c + 15) / 16 * 16
	}
	return h
}

// TestHeads gathers three levels of boxes and classes, and scatters gradients back, in windows of wider buffers. Levels enough
// to need more than one launch are those three again and again.
func TestHeads(t *testing.T) {
	b := kerneltest.New(t)
	const n, anchors, repeats = 2, 4*3 + 2*2 + 1, 3
	levels := []struct{ h, w int }{{4, 3}, {2, 2}, {1, 1}}
	for _, typ := range kerneltest.Types {
		for _, kinds := range [][]headOf{{newHead(64), newHead(3)}, {newHead(8, 8, 8, 8), newHead(80)}, {newHead(20, 20), newHead(1)}} {
			r := kerneltest.Seed("heads")
			var tensors, gradients []kernel.HeadTensor
			var grads, wantGrads []kerneltest.Window
			want := make([][]float32, 0, 2)
			for _, k := range kinds {
				c := len(k.lanes)
				given := kerneltest.Random(kernel.Float32, r, n*anchors*c)
				dDense := kerneltest.Put(b, given)
				values := make([]float32, n*anchors*c)
				table := kerneltest.Put(b, kernel.HeadTable(k.lanes, k.stored))
				first := 0
				for _, l := range levels {
					x := kerneltest.RandomWindow(typ, r, n, l.h, l.w, 16, k.stored, k.stored+32)
					dx := kerneltest.RandomWindow(typ, r, n, l.h, l.w, 0, k.stored, k.stored+16)
					wantX := dx.Copy()
					for p := range x.Pixels() {
						at := (p/(l.h*l.w)*anchors + first + p%(l.h*l.w)) * c
						for lane := range k.stored {
							*wantX.At(p, lane) = 0
						}
						for i, lane := range k.lanes {
							values[at+i] = *x.At(p, int(lane))
							*wantX.At(p, int(lane)) = kerneltest.Round(typ, given[at+i])
						}
					}
					tensors = append(tensors, kernel.HeadTensor{View: b.PutWindow(typ, x), Table: table, First: int32(first), Channels: int32(c)})
					gradients = append(gradients, kernel.HeadTensor{Dense: dDense, Table: table, First: int32(first), Channels: int32(c)})
					grads, wantGrads = append(grads, dx), append(wantGrads, wantX)
					first += l.h * l.w
				}
				want = append(want, values)
			}
			var gather, scatter []kernel.HeadTensor
			for range repeats { // with outputs of their own
				for i := range kinds {
					dense := b.Alloc(int64(4 * len(want[i])))
					for _, t := range tensors[i*len(levels) : (i+1)*len(levels)] {
						t.Dense = dense
						gather = append(gather, t)
					}
				}
				for i, t := range gradients {
					t.View = b.PutWindow(typ, grads[i])
					scatter = append(scatter, t)
				}
			}
			b.Run(kernel.Gather(typ, anchors, gather...)...)
			for i, g := range gather {
				k := i / len(levels) % len(kinds)
				if got := kerneltest.Get[float32](b, g.Dense, len(want[k])); !slices.Equal(got, want[k]) {
					t.Errorf("%v: gathered channels of %v differ", typ, kinds[k].segments)
				}
			}
			b.Run(kernel.Scatter(typ, anchors, scatter...)...)
			for i, s := range scatter {
				i %= len(gradients)
				if got := b.GetWindow(typ, s.View, grads[i]); !slices.Equal(got.Values, wantGrads[i].Values) {
					t.Errorf("%v: scattered gradient %d of heads %v and %v differs", typ, i, kinds[0].segments, kinds[1].segments)
				}
			}
		}
	}
}
