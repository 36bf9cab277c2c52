package native_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/stream"
	"github.com/mapsweep/mapsweep/trainer/native"
)

// Pictures of 64 px with one or two objects on a noisy grey ground: class 0 is a bright
// square, class 1 a dark one with a bright core.
const side = 64

func scene(n int) dataset.Image {
	r := stream.New(7, 0, n, 0)
	m := dataset.Image{Name: fmt.Sprint("scene-", n), W: side, H: side, Pix: make([]uint8, 3*side*side)}
	for i := range m.Pix {
		m.Pix[i] = uint8(110 + r.IntN(30))
	}
	for j := range 1 + r.IntN(2) {
		w, class := 14+r.IntN(12), r.IntN(2)
		x, y := r.IntN(side/2-w)+j*side/2, r.IntN(side-w)
		for v := range w {
			for u := range w {
				ink := uint8(230)
				if core := v > w/4 && v < 3*w/4 && u > w/4 && u < 3*w/4; class == 1 && !core {
					ink = 20
				}
				for c := range 3 {
					m.Pix[3*((y+v)*side+x+u)+c] = ink
				}
			}
		}
		m.Boxes = append(m.Boxes, dataset.Box{Class: class, X0: float32(x), Y0: float32(y), X1: float32(x + w), Y1: float32(y + w)})
	}
	return m
}

// scenes is a data set of 67 training, 24 validation and 8 test pictures: three do not fill a batch of 8.
func scenes(context.Context, string, dataset.Options) (*dataset.Dataset, error) {
	d := &dataset.Dataset{Name: "scenes", Classes: []string{"bright", "core"}, Size: side, Hash: "scenes-1"}
	for i := range 67 {
		d.Train = append(d.Train, scene(i))
	}
	for i := range 24 {
		d.Val = append(d.Val, scene(1000+i))
	}
	for i := range 8 {
		d.Test = append(d.Test, scene(2000+i))
	}
	return d, nil
}

// fewScenes are 26 of the training and 8 of the validation pictures: three batches of 8.
func fewScenes(ctx context.Context, ref string, opts dataset.Options) (*dataset.Dataset, error) {
	d, err := scenes(ctx, ref, opts)
	d.Train, d.Val = d.Train[:26], d.Val[:8]
	return d, err
}

// backend trains on scenes; change may be nil.
func backend(t *testing.T, change func(*native.Config)) *native.Backend {
	t.Helper()
	cfg := native.Config{Data: []string{"scenes"}, Batch: 8, Load: scenes}
	if change != nil {
		change(&cfg)
	}
	b, err := native.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, b) })
	return b
}

// shut has a backend give back what it keeps.
func shut(t *testing.T, b *native.Backend) {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}
