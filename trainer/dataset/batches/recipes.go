package batches

import (
	"errors"
	"fmt"
	"math"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
)

// Decider is a sampler that also decides samples without making their pictures; augment.Augmenter is one.
type Decider interface {
	Sampler
	Recipe(seed int64, epoch, position, index, side int) (*augment.Recipe, []dataset.Box)
}

// Recipes receives those of a batch, for a device that makes the pictures: after Reset one for each sample. It may keep
// nothing of r.
type Recipes interface {
	Reset()
	Set(i int, r *augment.Recipe) error
}

// sample makes sample i of a batch: its picture, or the recipe of it.
func (b *Batch) sample(s Sampler, q Request, i int) ([]dataset.Box, error) {
	one := q.Values / len(q.Indices)
	if b.Recipes == nil {
		return s.Sample(q.Seed, q.Epoch, q.Position+i, q.Indices[i], b.Images[i*one:(i+1)*one])
	}
	d, ok := s.(Decider)
	if !ok {
		return nil, errors.New("make recipes: the sampler makes only pictures")
	}
	r, boxes := d.Recipe(q.Seed, q.Epoch, q.Position+i, q.Indices[i], int(math.Sqrt(float64(one/3))))
	if err := b.Recipes.Set(i, r); err != nil {
		return nil, fmt.Errorf("make recipe of sample %d of epoch %d: %w", q.Position+i, q.Epoch+1, err)
	}
	return boxes, nil
}
