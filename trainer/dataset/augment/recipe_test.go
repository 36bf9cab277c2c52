package augment_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
)

// whole is every operation on a stage of twice the side.
var whole = augment.Settings{Mosaic: 1, Mosaic9: .5, MosaicLayout: augment.Whole, MixUp: .5, CopyPaste: 1, CopyPastePolygons: 1, HSV: 1, HSVMode: augment.Exact,
	FlipLR: .5, FlipUD: .5, Scale: .5, Translate: .1, Degrees: 20, Shear: 5, Perspective: .0005, AutoAugment: augment.AutoAugment, Geometry: true}

// A recipe is decided without pixels, and another augmenter makes the sample's picture of it, at any side.
func TestRecipe(t *testing.T) {
	images := diamonds(20, true)
	blank := slices.Clone(images)
	for i := range blank {
		blank[i].Pix = nil
	}
	for name, s := range map[string]augment.Settings{"everything": everything, "whole": whole} {
		writer, err := augment.New(blank, size, s)
		if err != nil {
			t.Fatal(err)
		}
		renderer, err := augment.New(images, size, s)
		if err != nil {
			t.Fatal(err)
		}
		sampler, err := augment.New(images, size, s)
		if err != nil {
			t.Fatal(err)
		}
		for pos := range 60 {
			side := size + pos%3*16
			got, want := make([]float32, side*side*3), make([]float32, side*side*3)
			r, boxes := writer.Recipe(3, 1, pos, pos%20, side)
			if err := renderer.Render(r, got); err != nil {
				t.Fatal(err)
			}
			wanted, err := sampler.Sample(3, 1, pos, pos%20, want)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) || !slices.Equal(boxes, wanted) {
				t.Fatalf("%s, position %d: the recipe gives other pixels or boxes than the sample", name, pos)
			}
		}
		if err := writer.Render(&augment.Recipe{Side: size, Layers: []augment.Layer{{Stage: size, Parts: []augment.Part{{Image: 4, W: 1, H: 1}}}}},
			make([]float32, size*size*3)); err == nil || !strings.Contains(err.Error(), "0 bytes of pixels") {
			t.Errorf("%s: pixels that are not there give %v", name, err)
		}
	}
}

// Parts lie in their picture and on their stage, so that who carries a recipe out need not check.
func TestRecipeStaysInside(t *testing.T) {
	for name, s := range map[string]augment.Settings{"everything": everything, "whole": whole, "plain": {}} {
		images := diamonds(20, true)
		a, err := augment.New(images, size, s)
		if err != nil {
			t.Fatal(err)
		}
		parts := 0
		for pos := range 300 {
			r, _ := a.Recipe(5, 0, pos, pos%20, size)
			if n := len(r.Layers); n < 1 || n > 2 || n == 2 && !(r.Weight > 0 && r.Weight < 1) {
				t.Fatalf("%s, position %d: %d layers, weight %v", name, pos, n, r.Weight)
			}
			for _, l := range r.Layers {
				if l.Stage != size && !l.Seen {
					t.Errorf("%s, position %d: a stage of %d is not seen through a view", name, pos, l.Stage)
				}
				area := int32(0)
				for _, p := range l.Parts {
					area += p.W * p.H
				}
				if l.Stage == size && area != size*size {
					t.Errorf("%s, position %d: parts cover %d pixels", name, pos, area)
				}
				for _, p := range slices.Concat(l.Parts, l.Pasted) {
					parts++
					if p.Image < 0 || p.Image > 19 || p.W < 1 || p.H < 1 || p.FromX < 0 || p.FromY < 0 || p.FromX+p.W > size || p.FromY+p.H > size ||
						p.X < 0 || p.Y < 0 || p.X+p.W > int32(l.Stage) || p.Y+p.H > int32(l.Stage) {
						t.Errorf("%s, position %d: %+v on a stage of %d", name, pos, p, l.Stage)
					}
				}
			}
		}
		if parts < 300 {
			t.Errorf("%s: %d parts", name, parts)
		}
	}
}
