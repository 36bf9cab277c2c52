package augment_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
)

const size = 64

// long skips a test that makes many samples, in which nothing runs side by side, when tests shall be short.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("short: makes many samples")
	}
}

// coded returns images whose pixels tell where they come from: red is the image's number, green is x, blue is y.
func coded(n int) []dataset.Image {
	images := make([]dataset.Image, n)
	for i := range images {
		m := dataset.Image{Name: fmt.Sprint(i), W: size, H: size, Pix: make([]uint8, size*size*3)}
		for y := range size {
			for x := range size {
				copy(m.Pix[(y*size+x)*3:], []uint8{uint8(i), uint8(x), uint8(y)})
			}
		}
		for j := range 1 + i%3 {
			x, y := float32((i*7+j*19)%40), float32((i*11+j*23)%40)
			m.Boxes = append(m.Boxes, dataset.Box{Class: (i + j) % 4, X0: x, Y0: y, X1: x + float32(9+i%13), Y1: y + float32(8+j*5)})
		}
		images[i] = m
	}
	images[0].Boxes = append(images[0].Boxes, dataset.Box{Class: 3, X0: 1, Y0: 1, X1: 60, Y1: 60, Crowd: true})
	return images
}

func maker(t testing.TB, images []dataset.Image, s augment.Settings) func(seed int64, epoch, position, index int) ([]float32, []dataset.Box) {
	t.Helper()
	a, err := augment.New(images, images[0].W, s)
	if err != nil {
		t.Fatal(err)
	}
	return func(seed int64, epoch, position, index int) ([]float32, []dataset.Box) {
		out := make([]float32, len(images[0].Pix))
		boxes, err := a.Sample(seed, epoch, position, index, out)
		if err != nil {
			t.Fatal(err)
		}
		return out, boxes
	}
}

func bytesOf(out []float32) []uint8 {
	b := make([]uint8, len(out))
	for i, v := range out {
		b[i] = uint8(math.Round(float64(v) * 255))
	}
	return b
}

func at(b []uint8, x, y int) (image, sx, sy int) {
	p := b[(y*size+x)*3:]
	return int(p[0]), int(p[1]), int(p[2])
}

func uncrowded(b []dataset.Box) []dataset.Box {
	return slices.DeleteFunc(slices.Clone(b), func(b dataset.Box) bool { return b.Crowd })
}

func TestZeroSettingsChangeNothing(t *testing.T) {
	images := coded(5)
	sample := maker(t, images, augment.Settings{})
	for i, m := range images {
		out, boxes := sample(1, 2, 3, i)
		for j, v := range out {
			if v != float32(m.Pix[j])/255 {
				t.Fatalf("image %d sample %d: %v", i, j, v)
			}
		}
		if !slices.Equal(boxes, uncrowded(m.Boxes)) {
			t.Errorf("image %d: boxes %v, want %v without crowds", i, boxes, m.Boxes)
		}
	}
}

// Each quadrant of a mosaic is a crop of one image at native scale, and exactly those boxes are there of which at least
// 40 % of the area and 4 pixels a side lie in their quadrant.
func TestMosaic(t *testing.T) {
	long(t)
	images := coded(40)
	sample := maker(t, images, augment.Settings{Mosaic: 1})
	centres := map[int]bool{}
	var boxCount int
	for pos := range 400 {
		out, got := sample(0, 0, pos, pos%40)
		b := bytesOf(out)
		cx, cy := size, size // first columns and rows of another crop
		im, _, _ := at(b, 0, 0)
		if im != pos%40 {
			t.Fatalf("position %d: upper left is image %d", pos, im)
		}
		for i := 1; i < size; i++ {
			m0, x0, y0 := at(b, 0, 0)
			if m, x, y := at(b, i, 0); cx == size && (m != m0 || x != x0+i || y != y0) {
				cx = i
			}
			if m, x, y := at(b, 0, i); cy == size && (m != m0 || x != x0 || y != y0+i) {
				cy = i
			}
		}
		if cx < size/4 || cx > 3*size/4 || cy < size/4 || cy > 3*size/4 {
			t.Fatalf("position %d: centre %d, %d", pos, cx, cy)
		}
		centres[cx] = true
		var want []dataset.Box
		for _, q := range [][4]int{{0, 0, cx, cy}, {cx, 0, size, cy}, {0, cy, cx, size}, {cx, cy, size, size}} {
			m0, sx, sy := at(b, q[0], q[1])
			for y := q[1]; y < q[3]; y++ {
				for x := q[0]; x < q[2]; x++ {
					if m, u, v := at(b, x, y); m != m0 || u != sx+x-q[0] || v != sy+y-q[1] {
						t.Fatalf("position %d: pixel %d, %d is %d, %d of image %d", pos, x, y, u, v, m)
					}
				}
			}
			for _, o := range uncrowded(images[m0].Boxes) {
				c := o
				c.X0, c.X1 = max(o.X0, float32(sx)), min(o.X1, float32(sx+q[2]-q[0]))
				c.Y0, c.Y1 = max(o.Y0, float32(sy)), min(o.Y1, float32(sy+q[3]-q[1]))
				w, h := c.X1-c.X0, c.Y1-c.Y0
				if w < 4 || h < 4 || float64(w*h) < .4*float64((o.X1-o.X0)*(o.Y1-o.Y0)) {
					continue
				}
				dx, dy := float32(q[0]-sx), float32(q[1]-sy)
				c.X0, c.X1, c.Y0, c.Y1 = c.X0+dx, c.X1+dx, c.Y0+dy, c.Y1+dy
				want = append(want, c)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("position %d: boxes %v, want %v", pos, got, want)
		}
		boxCount += len(got)
	}
	if !centres[size/4] || !centres[3*size/4] || boxCount < 400 {
		t.Errorf("centres %v, %d boxes: too little seen", centres, boxCount)
	}
}

// Pasted boxes are boxes of some image with their pixels, cover no other box, and all else stays.
func TestCopyPaste(t *testing.T) {
	long(t)
	images := coded(40)
	sample := maker(t, images, augment.Settings{CopyPaste: 1})
	pasted := 0
	for pos := range 300 {
		index := pos % 40
		out, got := sample(0, 0, pos, index)
		b := bytesOf(out)
		own := uncrowded(images[index].Boxes)
		if len(got) < len(own) || len(got) > len(own)+3 || !slices.Equal(got[:len(own)], own) {
			t.Fatalf("position %d: boxes %v, own ones %v", pos, got, own)
		}
		for i, p := range got[len(own):] {
			pasted++
			for _, o := range got[:len(own)+i] {
				if min(p.X1, o.X1) > max(p.X0, o.X0) && min(p.Y1, o.Y1) > max(p.Y0, o.Y0) {
					t.Errorf("position %d: %v covers %v", pos, p, o)
				}
			}
			m, sx, sy := at(b, int(p.X0), int(p.Y0))
			src := dataset.Box{Class: p.Class, X0: float32(sx), Y0: float32(sy), X1: float32(sx) + p.X1 - p.X0, Y1: float32(sy) + p.Y1 - p.Y0}
			if !slices.Contains(images[m].Boxes, src) {
				t.Errorf("position %d: pasted %v is no box of image %d", pos, src, m)
			}
		}
		for y := range size {
			for x := range size {
				in := slices.ContainsFunc(got[len(own):], func(p dataset.Box) bool {
					return float32(x) >= p.X0 && float32(x) < p.X1 && float32(y) >= p.Y0 && float32(y) < p.Y1
				})
				if m, u, v := at(b, x, y); !in && (m != index || u != x || v != y) {
					t.Fatalf("position %d: pixel %d, %d changed", pos, x, y)
				}
			}
		}
	}
	if pasted < 500 {
		t.Errorf("only %d boxes pasted in 300 samples", pasted)
	}
}

// With black and white images a blend shows its weight: Beta(32, 32) has mean 0.5 and standard deviation 1/sqrt(4*65).
func TestMixUpWeights(t *testing.T) {
	long(t)
	images := make([]dataset.Image, 2)
	for i := range images {
		images[i] = dataset.Image{W: size, H: size, Pix: slices.Repeat([]uint8{uint8(255 * i)}, size*size*3)}
		images[i].Boxes = []dataset.Box{{Class: i, X0: 10, Y0: 10, X1: 30, Y1: 30}}
	}
	sample := maker(t, images, augment.Settings{Mosaic: 1e-12, MixUp: 1})
	var n, sum, squares float64
	for pos := range 4000 {
		out, boxes := sample(3, 0, pos, 1)
		if len(boxes) != 2 || boxes[0].Class != 1 {
			t.Fatalf("position %d: boxes %v", pos, boxes)
		}
		if w := float64(out[0]); boxes[1].Class == 0 {
			n, sum, squares = n+1, sum+w, squares+w*w
		} else if w < 253.0/255 { // two whites, each truncated
			t.Fatalf("position %d: white with white is %v", pos, w)
		}
	}
	mean := sum / n
	sd := math.Sqrt(squares/n - mean*mean)
	if want := 1 / math.Sqrt(260); math.Abs(mean+.5/255-.5) > 4*want/math.Sqrt(n) || math.Abs(sd/want-1) > .1 || n < 1800 {
		t.Errorf("weights: n %v, mean %.4f, sd %.4f; want about 2000, 0.5, %.4f", n, mean, sd, want)
	}
}

func TestMixUpNeedsMosaic(t *testing.T) {
	images := coded(10)
	plain, a := maker(t, images, augment.Settings{}), maker(t, images, augment.Settings{MixUp: 1})
	closed := maker(t, images, augment.Settings{Mosaic: 1, MixUp: 1, CloseMosaic: true})
	for pos := range 20 {
		want, boxes := plain(0, 0, pos, pos%10)
		for name, f := range map[string]func(int64, int, int, int) ([]float32, []dataset.Box){"mosaic 0": a, "closed": closed} {
			if got, b := f(0, 0, pos, pos%10); !slices.Equal(got, want) || !slices.Equal(b, boxes) {
				t.Errorf("%s: position %d was mixed", name, pos)
			}
		}
	}
}

// CloseMosaic gives the samples that Mosaic 0 gives, and mosaics come back when it is opened again.
func TestCloseMosaic(t *testing.T) {
	images := coded(10)
	a, err := augment.New(images, size, augment.Settings{Mosaic: 1, CopyPaste: .5})
	if err != nil {
		t.Fatal(err)
	}
	without := maker(t, images, augment.Settings{CopyPaste: .5})
	with := maker(t, images, augment.Settings{Mosaic: 1, CopyPaste: .5})
	out := make([]float32, size*size*3)
	for pos := range 20 {
		a.CloseMosaic(true)
		a.Sample(0, 0, pos, 0, out)
		if want, _ := without(0, 0, pos, 0); !slices.Equal(out, want) {
			t.Errorf("position %d, closed: not the sample without mosaic", pos)
		}
		a.CloseMosaic(false)
		a.Sample(0, 0, pos, 0, out)
		if want, _ := with(0, 0, pos, 0); !slices.Equal(out, want) {
			t.Errorf("position %d, open: not the mosaic", pos)
		}
	}
}

// A bright rectangle in its box: after zoom and shift the box still bounds what is bright.
func TestAffine(t *testing.T) {
	long(t)
	m := dataset.Image{W: size, H: size, Pix: make([]uint8, size*size*3), Boxes: []dataset.Box{{X0: 20, Y0: 26, X1: 44, Y1: 40}}}
	for y := 26; y < 40; y++ {
		for x := 20; x < 44; x++ {
			copy(m.Pix[(y*size+x)*3:], []uint8{255, 255, 255})
		}
	}
	sample := maker(t, []dataset.Image{m}, augment.Settings{Scale: .4, Translate: .2})
	zooms := []float32{9, 0}
	for pos := range 200 {
		out, boxes := sample(0, 0, pos, 0)
		b := bytesOf(out)
		x0, y0, x1, y1 := size, size, 0, 0
		for y := range size {
			for x := range size {
				if b[(y*size+x)*3] > 190 { // brighter than half way from border grey 114
					x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
				}
			}
		}
		if len(boxes) != 1 {
			t.Fatalf("position %d: %d boxes", pos, len(boxes))
		}
		o := boxes[0]
		for i, d := range []float32{o.X0 - float32(x0), o.Y0 - float32(y0), o.X1 - float32(x1), o.Y1 - float32(y1)} {
			if d < -1.3 || d > 1.3 {
				t.Errorf("position %d: box %v, bright part %d %d %d %d, side %d off by %v", pos, o, x0, y0, x1, y1, i, d)
			}
		}
		if o.X0 > 0 && o.X1 < size {
			zooms[0], zooms[1] = min(zooms[0], (o.X1-o.X0)/24), max(zooms[1], (o.X1-o.X0)/24)
		}
	}
	if zooms[0] < .599 || zooms[0] > .65 || zooms[1] > 1.401 || zooms[1] < 1.35 {
		t.Errorf("zooms from %v to %v, want 0.6 to 1.4", zooms[0], zooms[1])
	}
}

// Flips mirror pixels and boxes, and are drawn from one stream without disturbing each other.
func TestFlips(t *testing.T) {
	images := coded(10)
	plain := maker(t, images, augment.Settings{})
	for _, c := range []struct{ lr, ud float64 }{{1, 0}, {0, 1}, {1, 1}} {
		sample := maker(t, images, augment.Settings{FlipLR: c.lr, FlipUD: c.ud})
		for i := range images {
			out, boxes := sample(0, 0, 0, i)
			want, old := plain(0, 0, 0, i)
			for y := range size {
				for x := range size {
					sx, sy := x, y
					if c.lr == 1 {
						sx = size - 1 - x
					}
					if c.ud == 1 {
						sy = size - 1 - y
					}
					if !slices.Equal(out[(y*size+x)*3:][:3], want[(sy*size+sx)*3:][:3]) {
						t.Fatalf("%v: pixel %d, %d", c, x, y)
					}
				}
			}
			for j, b := range boxes {
				w := old[j]
				if c.lr == 1 {
					w.X0, w.X1 = size-w.X1, size-w.X0
				}
				if c.ud == 1 {
					w.Y0, w.Y1 = size-w.Y1, size-w.Y0
				}
				if b != w {
					t.Errorf("%v: box %v, want %v", c, b, w)
				}
			}
		}
	}
}

func TestNewRefuses(t *testing.T) {
	images := coded(2)
	for want, f := range map[string]func() (*augment.Augmenter, error){
		"mosaic is 1.5": func() (*augment.Augmenter, error) { return augment.New(images, size, augment.Settings{Mosaic: 1.5}) },
		"hsv is NaN": func() (*augment.Augmenter, error) {
			return augment.New(images, size, augment.Settings{HSV: math.NaN()})
		},
		"scale is 1": func() (*augment.Augmenter, error) { return augment.New(images, size, augment.Settings{Scale: 1}) },
		`"trivial"`: func() (*augment.Augmenter, error) {
			return augment.New(images, size, augment.Settings{AutoAugment: "trivial"})
		},
		"magnitude 31":       func() (*augment.Augmenter, error) { return augment.New(images, size, augment.Settings{RandM: 31}) },
		"no images":          func() (*augment.Augmenter, error) { return augment.New(nil, size, augment.Settings{}) },
		"64x64, not 128x128": func() (*augment.Augmenter, error) { return augment.New(images, 128, augment.Settings{}) },
	} {
		if _, err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
