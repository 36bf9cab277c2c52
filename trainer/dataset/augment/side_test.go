package augment_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
)

func TestSide(t *testing.T) {
	for _, c := range []struct {
		size, multiple int
		share          float64
		want           []int // sides, rising
		weights        []int // how often each is drawn, of their sum
	}{
		{64, 32, 0, []int{64}, []int{1}},
		{640, 32, .5, []int{320, 352, 384, 416, 448, 480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800, 832, 864, 896, 928, 960}, slices.Repeat([]int{32}, 21)},
		{96, 32, .5, []int{32, 64, 96, 128, 160}, []int{16, 32, 32, 32, 16}}, // 48 to 175, rounded down
		{64, 16, .3, []int{32, 48, 64, 80, 96}, []int{3, 16, 16, 16, 3}},     // 45 to 98
		{64, 32, .9, []int{32, 64, 96, 128}, []int{57, 32, 32, 25}},          // 7 to 152; none is smaller than the multiple
	} {
		count, draws, total := map[int]int{}, 4000, 0
		for batch := range draws {
			side := augment.Side(5, batch/100, batch%100, c.size, c.multiple, c.share)
			if again := augment.Side(5, batch/100, batch%100, c.size, c.multiple, c.share); again != side {
				t.Fatalf("%+v: batch %d has %d, then %d", c, batch, side, again)
			}
			count[side]++
		}
		for _, w := range c.weights {
			total += w
		}
		most := 0
		for i, side := range c.want {
			p := float64(c.weights[i]) / float64(total)
			if got := float64(count[side]) / float64(draws); math.Abs(got-p) > 4*math.Sqrt(p/float64(draws))+1e-9 {
				t.Errorf("%d px, share %g: side %d in %.3f of the batches, want %.3f", c.size, c.share, side, got, p)
			}
			most = max(most, side)
		}
		if len(count) != len(c.want) {
			t.Errorf("%d px, share %g: sides %v, want %v", c.size, c.share, count, c.want)
		}
		if got := augment.MostSide(c.size, c.multiple, c.share); got != most {
			t.Errorf("%d px, share %g: largest side %d, drawn %d", c.size, c.share, got, most)
		}
		if got := augment.LeastSide(c.size, c.multiple, c.share); got != slices.Min(c.want) {
			t.Errorf("%d px, share %g: least side %d, drawn %d", c.size, c.share, got, slices.Min(c.want))
		}
	}
	if a, b := sides(1), sides(2); slices.Equal(a, b) {
		t.Error("the seed does not matter")
	}
}

func sides(seed int64) (all []int) {
	for batch := range 20 {
		all = append(all, augment.Side(seed, 0, batch, 640, 32, .5))
	}
	return all
}

// TestResized holds samples of other sides against PyTorch's, and moves boxes along.
func TestResized(t *testing.T) {
	raw, err := os.ReadFile("testdata/resize.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Sides map[int][]float64 }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	m := dataset.Image{Name: "a", W: 8, H: 8, Pix: make([]uint8, 8*8*3), Boxes: []dataset.Box{{Class: 1, X0: 1, Y0: 2, X1: 6, Y1: 8}}}
	for i := range m.Pix {
		m.Pix[i] = uint8(37 * i)
	}
	a, err := augment.New([]dataset.Image{m}, 8, augment.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Sides) != 5 {
		t.Fatalf("%d sides", len(file.Sides))
	}
	for side, want := range file.Sides {
		out := make([]float32, side*side*3)
		boxes, err := a.Sample(1, 0, 0, 0, out)
		if err != nil {
			t.Fatal(err)
		}
		for i := range out {
			if math.Abs(float64(out[i])-want[i]) > 2e-6 {
				t.Fatalf("%d px: value %d is %v, PyTorch %v", side, i, out[i], want[i])
			}
		}
		s := float32(side) / 8
		if b := boxes[0]; len(boxes) != 1 || b.X0 != s || b.Y0 != 2*s || b.X1 != 6*s || b.Y1 != 8*s {
			t.Errorf("%d px: boxes %v", side, boxes)
		}
	}
}
