package kernel

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// countsBytes and tablesBytes are what a sample's changes keep between kernels: numbers of values of three channels, and
// what becomes of them.
const (
	countsBytes = 4 * 3 * 256
	tablesBytes = 3 * 256
)

// Augmentation makes the pictures of batches from recipes and a data set that lies on the device.
type Augmentation struct {
	Size    int // side of the data set's pictures, pixels
	Changes int // the most that a recipe has

	Pictures cuda.Ptr // Size x Size x 3 bytes each
	Recipes  cuda.Ptr // of as many samples as the batch has, as Recipes.Bytes gives them
	Scratch  cuda.Ptr // ScratchBytes, not shared with a batch that is made at the same time
}

// AugmentationFits says why kernels cannot make the samples of these settings, where they cannot.
func AugmentationFits(s augment.Settings) error {
	if n := MostChanges(s); n > recipeChanges {
		return fmt.Errorf("randaugment_n is %d: kernels make at most %d operations a picture", n, recipeChanges)
	}
	return nil
}

// MostChanges is the largest number of changes in recipes of these settings, for Augmentation.
func MostChanges(s augment.Settings) int {
	switch {
	case s.AutoAugment == augment.AutoAugment:
		return 2
	case s.AutoAugment != augment.RandAugment:
		return 0
	case s.RandN == 0:
		return augment.DefaultRandN
	}
	return s.RandN
}

// canvasBytes is the size of the canvases of n samples.
func (g Augmentation) canvasBytes(n int) int64 { return 4 * int64(n) * int64(g.Size) * int64(g.Size) }

// ScratchBytes is the memory that n samples need beside the data set, recipes and image.
func (g Augmentation) ScratchBytes(n int) int64 {
	if g.Changes == 0 {
		return g.canvasBytes(n)
	}
	return 2*g.canvasBytes(n) + int64(n)*(countsBytes+tablesBytes)
}

// Launches make the image of a batch, out.N samples of any side: of what the recipes say at the time they run, so that
// they can be captured. They are 2, and 3 more for each change.
func (g Augmentation) Launches(t Type, out View) []cuda.Launch {
	if out.C != 4 || out.H != out.W || out.Stride%4 != 0 || out.N < 1 {
		panic(fmt.Sprintf("augmentation: an image of %d x %d x %d x %d, stride %d", out.N, out.H, out.W, out.C, out.Stride))
	}
	n := int(out.N)
	from, to := g.Scratch, g.Scratch.Add(g.canvasBytes(n))
	var counts, tables cuda.Ptr
	if g.Changes > 0 {
		counts = to.Add(g.canvasBytes(n))
		tables = counts.Add(int64(n) * countsBytes)
	}
	launches := []cuda.Launch{g.compose(n, from, counts)}
	for i := range g.Changes {
		launches = append(launches, g.change(n, i, from, to, counts, tables)...)
		from, to = to, from
	}
	return append(launches, g.finish(t, out, from))
}

// perSample launches a flat kernel whose grid has a row of blocks for each of n samples of so many items.
func perSample(kernel string, n int, items int64, args []byte) cuda.Launch {
	l := flat(kernel, items, args)
	l.Grid[1] = n
	return l
}

func (g Augmentation) pixels() int64 { return int64(g.Size) * int64(g.Size) }

func (g Augmentation) compose(n int, canvas, counts cuda.Ptr) cuda.Launch {
	return perSample("augment_compose", n, g.pixels(), cuda.Args(struct {
		pictures, recipes, pool, canvas, counts cuda.Ptr
		size, _                                 int32
	}{g.Pictures, g.Recipes, g.Recipes.Add(int64(n * recipeBytes)), canvas, counts, int32(g.Size), 0}))
}

// countBlocks is how many blocks count the colours of a picture, at most.
const countBlocks = 16

func (g Augmentation) change(n, number int, from, to, counts, tables cuda.Ptr) []cuda.Launch {
	args := cuda.Args(struct {
		recipes, from, to, counts, tables cuda.Ptr
		size, number                      int32
	}{g.Recipes, from, to, counts, tables, int32(g.Size), int32(number)})
	count := perSample("augment_count", n, g.pixels(), args)
	count.Grid[0] = min(count.Grid[0], countBlocks)
	return []cuda.Launch{count, perSample("augment_table", n, countsBytes/4, args), perSample("augment_change", n, g.pixels(), args)}
}

func (g Augmentation) finish(t Type, out View, canvas cuda.Ptr) cuda.Launch {
	return perSample(t.named("augment_finish"), int(out.N), int64(out.H)*int64(out.W), cuda.Args(struct {
		out             View
		recipes, canvas cuda.Ptr
		size, _         int32
	}{out, g.Recipes, canvas, int32(g.Size), 0}))
}
