package cpu_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/cpu"
)

// bound is a convolution of 16 channels to 16 on views of its own, which the test frees.
func bound(t *testing.T) *kernels.Conv {
	t.Helper()
	s := kernels.ConvSpec{K: 1, S: 1, IC: 16, OC: 16, X: kernels.NewView(1, 16, 2, 2), Y: kernels.NewView(1, 16, 2, 2), Beta: kernels.Alloc(16)}
	s.W = kernels.Alloc(s.WeightLen())
	c, err := kernels.NewConv(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		kernels.FreeView(s.X)
		kernels.FreeView(s.Y)
		kernels.Free(s.Beta)
		kernels.Free(s.W)
	})
	return c
}

// closed says whether a convolution has given its memory back.
func closed(c *kernels.Conv) bool { return reflect.ValueOf(c).Elem().FieldByName("c").IsNil() }

// Where the third of four groups cannot be bound, the first two are closed, nothing is kept, and the fourth is not tried.
func TestGroupsAreBoundWhole(t *testing.T) {
	fault := errors.New("no third group")
	var made []*kernels.Conv
	tries := 0
	cs, err := cpu.Whole(4, func(i int) (*kernels.Conv, error) {
		if tries++; i == 2 {
			return nil, fault
		}
		made = append(made, bound(t))
		return made[i], nil
	})
	if !errors.Is(err, fault) || cs != nil || tries != 3 {
		t.Fatalf("%d convolutions, %v, after %d tries", len(cs), err, tries)
	}
	for i, c := range made {
		if !closed(c) {
			t.Errorf("group %d keeps its memory", i)
		}
	}
	cs, err = cpu.Whole(2, func(int) (*kernels.Conv, error) { return bound(t), nil })
	if err != nil || len(cs) != 2 || closed(cs[0]) || closed(cs[1]) {
		t.Errorf("%d convolutions, %v", len(cs), err)
	}
}

// A layer that could not be bound is not taken for bound the next time.
func TestConvFailsAgain(t *testing.T) {
	b := graph.NewBuilder(1)
	x := b.Image("image", 3, 8, 8)
	y := layers.ConvBNSiLU(b, "first", x, 16, 3, 2)
	y = layers.Convolve(b, "groups", y, layers.Form{Channels: 32, Kernel: 3, Groups: 2})
	g, err := b.Differentiate(layers.AddLoss(b, &layers.HeadSet{Name: "head", Bins: 2, Classes: 1, Strides: []int{2},
		Box: []*graph.Tensor{layers.HeadConv(b, "box", y, 8)}, Class: []*graph.Tensor{layers.HeadConv(b, "class", y, 1)}}))
	if err != nil {
		t.Fatal(err)
	}
	d := cpu.New(g)
	defer d.Close()
	for _, s := range g.Forward {
		op, ok := s.Op.(*layers.Conv)
		if !ok || op.Groups != 2 {
			continue
		}
		op.Kernel = 5
		for range 2 {
			if k, err := d.Bind(s); err == nil {
				t.Errorf("a 5x5 convolution was bound: %v", k)
			}
		}
		op.Kernel = 3
		if _, err := d.Bind(s); err != nil {
			t.Error(err)
		}
		return
	}
	t.Fatal("no convolution in groups")
}
