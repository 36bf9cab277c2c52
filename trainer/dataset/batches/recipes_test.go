package batches_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/dataset/batches"
)

// renders makes pictures of the recipes of a batch, as a device would.
type renders struct {
	*augment.Augmenter
	pictures [][]float32
	full     error // of the second sample
}

func (r *renders) Reset() { r.pictures = r.pictures[:0] }

func (r *renders) Set(i int, from *augment.Recipe) error {
	if i == 1 && r.full != nil {
		return r.full
	}
	out := make([]float32, from.Side*from.Side*3)
	r.pictures = append(r.pictures, out)
	return r.Render(from, out)
}

func renderer(t *testing.T, full error) func() batches.Recipes {
	t.Helper()
	return func() batches.Recipes {
		a, err := augment.New(images(13), size, settings)
		if err != nil {
			t.Fatal(err)
		}
		return &renders{Augmenter: a, full: full}
	}
}

// Batches of recipes are those of pictures, with any number of loaders.
func TestRecipes(t *testing.T) {
	all := images(13)
	const count = 7
	for _, k := range []int{0, 1, 3} {
		s := samplers(t, all, max(1, k))
		pictures := batches.Inline(t.Context(), plan(len(all), count), samplers(t, all, 1)[0])
		p := plan(len(all), count)
		p.Recipes = renderer(t, nil)
		l := batches.Inline(t.Context(), p, s[0])
		if k > 0 {
			l = batches.Start(t.Context(), p, s...)
		}
		for i := range count {
			want, err := pictures.Next()
			if err != nil {
				t.Fatal(err)
			}
			got, err := l.Next()
			if err != nil {
				t.Fatal(err)
			}
			if got.Images != nil || !slices.Equal(slices.Concat(got.Recipes.(*renders).pictures...), want.Images) || !slices.EqualFunc(got.Boxes, want.Boxes, slices.Equal) {
				t.Errorf("%d loaders, batch %d: the recipes make another batch", k, i)
			}
		}
		l.Close()
	}
}

func TestRecipesFail(t *testing.T) {
	full := errors.New("no room")
	p := plan(13, 1)
	p.Recipes = renderer(t, full)
	if _, err := batches.Inline(t.Context(), p, samplers(t, images(13), 1)[0]).Next(); !errors.Is(err, full) || !strings.Contains(err.Error(), "sample 1 of epoch 1") {
		t.Errorf("a batch without room: %v", err)
	}
	if _, err := batches.Inline(t.Context(), p, stuck{at: -1}).Next(); err == nil || !strings.Contains(err.Error(), "only pictures") {
		t.Errorf("a sampler of pictures: %v", err)
	}
}
