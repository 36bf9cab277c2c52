package kernel_test

import (
	"errors"
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel/kerneltest"
)

// pictures are n of size x size pixels with waves, noise and outlined boxes; some have grey beside them.
func pictures(r *rand.Rand, n, size int) []dataset.Image {
	all := make([]dataset.Image, n)
	for i := range all {
		m := dataset.Image{W: size, H: size, Pix: make([]uint8, size*size*3)}
		for j := range m.Pix {
			wave := math.Sin(float64(j%(3*size))/float64(4+i)) + math.Cos(float64(j/(3*size))/float64(3+i))
			m.Pix[j] = uint8(110 + 40*wave + float64(r.IntN(60)))
		}
		if i%3 == 0 {
			m.Inner = image.Rect(0, 3, size, size-4)
		}
		for range r.IntN(4) {
			x, y, w, h := r.Float32()*float32(size)/2, r.Float32()*float32(size)/2, 5+r.Float32()*12, 5+r.Float32()*12
			m.Boxes = append(m.Boxes, dataset.Box{X0: x, Y0: y, X1: x + w, Y1: y + h})
			var o dataset.Outline
			for range r.IntN(3) {
				var p []float32
				for range 3 + r.IntN(6) {
					p = append(p, x+w*r.Float32(), y+h*r.Float32())
				}
				o = append(o, p)
			}
			m.Outlines = append(m.Outlines, o)
		}
		all[i] = m
	}
	return all
}

// augmenting is a data set on the CPU and on the GPU, and a batch to be made of it.
type augmenting struct {
	*kerneltest.Bench
	cpu     *augment.Augmenter
	gpu     kernel.Augmentation
	recipes *kernel.Recipes
	images  int
	batch   int
}

func newAugmenting(t testing.TB, images []dataset.Image, s augment.Settings, batch int) *augmenting {
	t.Helper()
	a := &augmenting{Bench: kerneltest.New(t), batch: batch, images: len(images)}
	var err error
	if a.cpu, err = augment.New(images, images[0].W, s); err != nil {
		t.Fatal(err)
	}
	if err := kernel.AugmentationFits(s); err != nil {
		t.Fatal(err)
	}
	var all []uint8
	for _, m := range images {
		all = append(all, m.Pix...)
	}
	bytes := kernel.RecipesBytes(batch, kernel.PolygonRoom(images, s, batch))
	a.gpu = kernel.Augmentation{Size: images[0].W, Changes: kernel.MostChanges(s), Pictures: kerneltest.Put(a.Bench, all), Recipes: a.Alloc(int64(bytes))}
	a.gpu.Scratch = a.Alloc(a.gpu.ScratchBytes(batch))
	a.recipes = kernel.NewRecipes(make([]byte, bytes), batch)
	return a
}

// image is memory for a batch of the given side.
func (a *augmenting) image(typ kernel.Type, side int) kernel.View {
	n := a.batch * side * side * 4
	return kernel.View{P: a.Alloc(int64(n) * typ.Bytes()), N: int32(a.batch), H: int32(side), W: int32(side), C: 4, Stride: 4}
}

// decide copies the recipes of a batch to the GPU and returns its pictures as the CPU makes them.
func (a *augmenting) decide(t *testing.T, seed, side int) []float32 {
	t.Helper()
	return a.write(t, side, func(i int) *augment.Recipe {
		r, _ := a.cpu.Recipe(int64(seed), 0, i, (seed+i)%a.images, side)
		return r
	})
}

// write does so with the recipes of the caller.
func (a *augmenting) write(t *testing.T, side int, recipe func(i int) *augment.Recipe) []float32 {
	t.Helper()
	want := make([]float32, a.batch*side*side*3)
	a.recipes.Reset()
	for i := range a.batch {
		r := recipe(i)
		if err := a.recipes.Set(i, r); err != nil {
			t.Fatal(err)
		}
		if err := a.cpu.Render(r, want[i*side*side*3:(i+1)*side*side*3]); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Stream.CopyIn(a.gpu.Recipes, a.recipes.Bytes()); err != nil {
		t.Fatal(err)
	}
	return want
}

// differ counts the values of an image that are not the picture's to the bit, and those that are off by more than one level
// of 255; the fourth lane must be 0.
func differ(typ kernel.Type, got, want []float32) (different, off int) {
	for i, w := range want {
		g := got[i/3*4+i%3]
		if g != kerneltest.Round(typ, w) {
			different++
		}
		if !(math.Abs(float64(g-w)) <= 1./255) {
			off++
		}
	}
	for i := 3; i < len(got); i += 4 {
		if got[i] != 0 {
			off++
		}
	}
	return different, off
}

// compare makes a batch on both and returns how many values there are and how many differ.
func (a *augmenting) compare(t *testing.T, name string, typ kernel.Type, seed, side int) (values, different int) {
	t.Helper()
	want, out := a.decide(t, seed, side), a.image(typ, side)
	a.Run(a.gpu.Launches(typ, out)...)
	different, off := differ(typ, a.GetValues(typ, out.P, a.batch*side*side*4), want)
	if off > 0 || different > 0 && !emulator.Real() {
		t.Errorf("%s, %v, side %d, seed %d: of %d values %d differ, %d by more than one level", name, typ, side, seed, len(want), different, off)
	}
	return len(want), different
}

// Recipes with every operation give the pictures that the CPU makes of them: to the bit in emulation, within one level on a GPU.
func TestAugmentation(t *testing.T) {
	const size = 41
	images := pictures(kerneltest.Seed("augment"), 7, size)
	policy := augment.Settings{AutoAugment: augment.RandAugment, RandN: 3, RandM: 20, Geometry: true}
	for _, c := range []struct {
		name     string
		settings augment.Settings
	}{
		{"plain", augment.Settings{}},
		{"crops", augment.Settings{Mosaic: 1, Mosaic9: .5, CopyPaste: 1}},
		{"mixed", augment.Settings{Mosaic: 1, MixUp: 1}},
		{"zoomed", augment.Settings{Mosaic: .5, Scale: .6, Translate: .3, FlipLR: .5, FlipUD: .5}},
		{"turned", augment.Settings{Mosaic: .5, Scale: .5, Degrees: 90, Shear: 20, Perspective: .002}},
		{"polygons", augment.Settings{Mosaic: 1, CopyPastePolygons: 1, CopyPaste: .5}},
		{"whole", augment.Settings{Mosaic: 1, Mosaic9: .5, MosaicLayout: augment.Whole, MixUp: .5, CopyPaste: .5, CopyPastePolygons: 1, Scale: .5, Degrees: 10}},
		{"linear", augment.Settings{HSV: 1, FlipLR: .5}},
		{"exact", augment.Settings{HSV: 1, HSVMode: augment.Exact, HSVRanges: &augment.HSV{Hue: .5, Saturation: .7, Value: .4}}},
		{"randaugment", policy},
		{"autoaugment", augment.Settings{AutoAugment: augment.AutoAugment, Geometry: true}},
		{"everything", augment.Settings{Mosaic: 1, MixUp: .5, CopyPaste: .5, CopyPastePolygons: .5, HSV: 1, FlipLR: .5, FlipUD: .5, Scale: .3, Translate: .1,
			Degrees: 5, AutoAugment: augment.RandAugment}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAugmenting(t, images, c.settings, 4)
			values, different := 0, 0
			for seed := range 6 {
				for i, typ := range kerneltest.Types {
					for _, side := range []int{size, []int{64, 24}[i]} {
						v, d := a.compare(t, c.name, typ, seed, side)
						values, different = values+v, different+d
					}
				}
			}
			t.Logf("%d of %d values are the same to the bit", values-different, values)
		})
	}
}

// Each kind of change is made as the CPU makes it, alone and after another one, of pictures with few colours, too.
func TestAugmentationChanges(t *testing.T) {
	const size = 37
	images := pictures(kerneltest.Seed("changes"), 3, size)
	for i := range images[1].Pix {
		images[1].Pix[i] = 77 // one colour
	}
	for i := range images[2].Pix {
		images[2].Pix[i] = images[2].Pix[i]/40*40 + 5
	}
	a := newAugmenting(t, images, augment.Settings{AutoAugment: augment.AutoAugment}, 3)
	out := a.image(kernel.Float32, size)
	launches := a.gpu.Launches(kernel.Float32, out)
	all := []augment.Change{{Kind: augment.Brightness, Gain: 1.6}, {Kind: augment.Brightness, Gain: .3}, {Kind: augment.Contrast, Gain: 1.9}, {Kind: augment.Contrast, Gain: .1},
		{Kind: augment.Saturation, Gain: 1.8}, {Kind: augment.Saturation, Gain: 0}, {Kind: augment.Sharpness, Gain: 1.9}, {Kind: augment.Sharpness, Gain: .1},
		{Kind: augment.Posterize, Level: 4}, {Kind: augment.Posterize, Level: 8}, {Kind: augment.Posterize}, {Kind: augment.Solarize, Level: 0}, {Kind: augment.Solarize, Level: 128},
		{Kind: augment.Solarize, Level: 256}, {Kind: augment.AutoContrast}, {Kind: augment.Equalize}, {Kind: augment.Invert},
		{Kind: augment.Project, View: [9]float64{.9, .2, -3, -.2, .9, 5, 0, 0, 1}}, {Kind: augment.Project, View: [9]float64{1, 0, 0, 0, 1, 0, .002, -.03, 1}},
		{Kind: augment.Project, View: [9]float64{1, 0, -size, 0, 1, -size, -.03, -.03, 1}}} // half of it behind the eye
	for n, first := range all {
		second := all[(n*5+1)%len(all)]
		for _, changes := range [][]augment.Change{{first}, {first, second}} {
			want := a.write(t, size, func(i int) *augment.Recipe {
				return &augment.Recipe{Side: size, Layers: []augment.Layer{{Stage: size, Parts: []augment.Part{{Image: int32(i), W: size, H: size}}}}, Changes: changes}
			})
			a.Run(launches...)
			if different, off := differ(kernel.Float32, kerneltest.Get[float32](a.Bench, out.P, 3*size*size*4), want); different+off > 0 {
				t.Errorf("%+v: %d values differ, %d by more than one level", changes, different, off)
			}
		}
	}
}

// Polygons mirror what the CPU mirrors where they overlap, cross themselves, reach beyond the stage, have their corners on
// centres of pixels, and where they are none.
func TestAugmentationMirrored(t *testing.T) {
	const size = 32
	a := newAugmenting(t, pictures(kerneltest.Seed("mirrored"), 4, size), augment.Settings{Mosaic: 1, CopyPastePolygons: 1}, 4)
	out := a.image(kernel.Float32, size)
	r := kerneltest.Seed("polygons")
	for round := range 20 {
		want := a.write(t, size, func(i int) *augment.Recipe {
			l := augment.Layer{Stage: size, Parts: []augment.Part{{Image: int32(i), W: size, H: size}}, Pasted: []augment.Part{{Image: 1, X: 9, Y: 9, W: 5, H: 5}}}
			for range r.IntN(6) {
				var p []float32
				for range r.IntN(7) {
					p = append(p, float32(r.IntN(80))/2-4, float32(r.IntN(80))/2-4)
				}
				l.Mirrored = append(l.Mirrored, p)
			}
			return &augment.Recipe{Side: size, Layers: []augment.Layer{l}}
		})
		a.Run(a.gpu.Launches(kernel.Float32, out)...)
		if different, off := differ(kernel.Float32, kerneltest.Get[float32](a.Bench, out.P, 4*size*size*4), want); different+off > 0 {
			t.Errorf("round %d: %d values differ, %d by more than one level", round, different, off)
		}
	}
}

// A batch that was captured once follows the recipes that are there when it is launched.
func TestAugmentationCaptured(t *testing.T) {
	const size, batch = 24, 3
	a := newAugmenting(t, pictures(kerneltest.Seed("captured"), 5, size), augment.Settings{Mosaic: 1, MixUp: .5, AutoAugment: augment.RandAugment, HSV: 1}, batch)
	out := a.image(kernel.Float32, size)
	step, err := a.Stream.Capture(func() error { return a.Module.Run(a.Stream, a.gpu.Launches(kernel.Float32, out)...) })
	if err != nil {
		t.Fatal(err)
	}
	defer step.Close()
	if want := 3 + 3*augment.DefaultRandN - 1; step.Nodes != want {
		t.Errorf("%d nodes, want %d", step.Nodes, want)
	}
	var before []float32
	for seed := range 4 {
		want := a.decide(t, seed, size)
		if slices.Equal(want, before) {
			t.Fatalf("seed %d: the pictures of the seed before", seed)
		}
		before = want
		if err := step.Launch(a.Stream); err != nil {
			t.Fatal(err)
		}
		if _, off := differ(kernel.Float32, kerneltest.Get[float32](a.Bench, out.P, batch*size*size*4), want); off > 0 {
			t.Errorf("seed %d: %d values are off", seed, off)
		}
	}
}

// Room is made for the polygons of settings that mirror any, and for no others.
func TestPolygonRoom(t *testing.T) {
	triangle := dataset.Outline{{1, 1, 9, 1, 9, 9}}
	images := []dataset.Image{{Outlines: []dataset.Outline{triangle}}, {Outlines: []dataset.Outline{triangle, nil, triangle}}, {}}
	const most = 2 * (5 + 2*2*3 + 2*4)
	for _, c := range []struct {
		settings augment.Settings
		want     int
	}{
		{augment.Settings{Mosaic: 1}, 0},
		{augment.Settings{CopyPastePolygons: 1}, 0},
		{augment.Settings{Mosaic: .1, CopyPastePolygons: .1}, 3 * 4 * most},
		{augment.Settings{Mosaic: 1, Mosaic9: .1, CopyPastePolygons: 1}, 3 * 9 * most},
		{augment.Settings{Mosaic: 1, MixUp: .1, CopyPastePolygons: 1}, 3 * 8 * most},
	} {
		if got := kernel.PolygonRoom(images, c.settings, 3); got != c.want {
			t.Errorf("%+v: room for %d, want %d", c.settings, got, c.want)
		}
	}
}

func TestRecipesRoom(t *testing.T) {
	square := []float32{1, 1, 9, 1, 9, 9, 1, 9}
	recipe := func(polygons, parts, changes int) *augment.Recipe {
		l := augment.Layer{Stage: 16, Parts: make([]augment.Part, parts)}
		for range polygons {
			l.Mirrored = append(l.Mirrored, square)
		}
		return &augment.Recipe{Layers: []augment.Layer{l}, Changes: make([]augment.Change, changes)}
	}
	r := kernel.NewRecipes(make([]byte, kernel.RecipesBytes(2, 40)), 2)
	for round := range 2 {
		r.Reset()
		if err := errors.Join(r.Set(0, recipe(1, 4, 2)), r.Set(1, recipe(2, 12, 20))); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if n := len(r.Bytes()); n != kernel.RecipesBytes(2, 39) {
			t.Errorf("round %d: %d bytes, want %d", round, n, kernel.RecipesBytes(2, 39))
		}
	}
	r.Reset()
	if err := r.Set(0, recipe(2, 1, 0)); err != nil {
		t.Fatal(err)
	}
	var full *kernel.RoomError
	if err := r.Set(1, recipe(3, 1, 0)); !errors.As(err, &full) || full.Need != 5*13 || full.Room != 40 {
		t.Errorf("five polygons of four corners: %v", err)
	}
	r.Grow(full.Need)
	if err := r.Set(1, recipe(3, 1, 0)); err != nil || len(r.Bytes()) != kernel.RecipesBytes(2, 65) {
		t.Errorf("after growth: %v, %d bytes, want %d", err, len(r.Bytes()), kernel.RecipesBytes(2, 65))
	}
	for want, q := range map[string]*augment.Recipe{"13 parts": recipe(0, 13, 0), "21 operations": recipe(0, 1, 21)} {
		if err := r.Set(0, q); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if err := kernel.AugmentationFits(augment.Settings{AutoAugment: augment.RandAugment, RandN: 21}); err == nil || !strings.Contains(err.Error(), "randaugment_n is 21") {
		t.Errorf("21 operations: %v", err)
	}
}
