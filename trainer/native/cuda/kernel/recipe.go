package kernel

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
)

// What a recipe has room for in device memory, as in augment.cuh: a mosaic of nine and three pasted boxes a layer, and as many
// changes as randaugment_n allows.
const (
	recipeParts   = 12
	recipeChanges = 20
)

// These are the structs of augment.cuh.
type (
	deviceLayer struct {
		view            [9]float64
		stage, seen     int32
		parts, all      int32
		polygons, first int32
		part            [recipeParts]augment.Part
	}
	deviceChange struct {
		view        [9]float64
		kind, level int32
		gain        float32
		_           int32
	}
	deviceRecipe struct {
		weight                float64
		matrix                [9]float32
		scale                 [3]float32
		layers, changes, mode int32
		flipLR, flipUD, _     int32
		layer                 [2]deviceLayer
		change                [recipeChanges]deviceChange
	}
)

const recipeBytes = int(unsafe.Sizeof(deviceRecipe{}))

// Ways in which colours change.
const (
	colourPlain = iota
	colourLinear
	colourExact
)

// RecipesBytes is the memory of the recipes of n samples with room for so many numbers of mirrored polygons: five for
// each polygon, and two for each corner. Only copy_paste_polygons needs any.
func RecipesBytes(n, room int) int { return n*recipeBytes + 4*room }

// PolygonRoom is room for the polygons of the recipes of n samples of a data set, for RecipesBytes: as if each were made of
// the picture with the most corners alone, and each polygon, cut to its part of a mosaic, had twice its corners and four
// more. Zigzags across several sides of a cut can exceed that; Set then returns a *RoomError.
func PolygonRoom(images []dataset.Image, s augment.Settings, n int) int {
	if s.Mosaic == 0 || s.CopyPastePolygons == 0 {
		return 0
	}
	pictures, most := 4, 0
	if s.Mosaic9 > 0 {
		pictures = 9
	}
	if s.MixUp > 0 {
		pictures *= 2
	}
	for i := range images {
		numbers := 0
		for _, o := range images[i].Outlines {
			for _, p := range o {
				numbers += polygonHead + 2*len(p) + 2*4
			}
		}
		most = max(most, numbers)
	}
	return n * pictures * most
}

// RoomError says that polygons did not fit. They do in Recipes with Need numbers for them.
type RoomError struct{ Need, Room int }

func (e *RoomError) Error() string {
	return fmt.Sprintf("the mirrored polygons of a batch take %d numbers, and there is room for %d", e.Need, e.Room)
}

// Recipes are those of a batch in host memory, in the form that the kernels read.
type Recipes struct {
	memory  []byte
	recipes []deviceRecipe
	pool    []float32 // polygons: number of corners, left, top, right, bottom, then x, y of each corner
	used    int
}

// NewRecipes lays the recipes of n samples out in memory, of RecipesBytes or more, which is pinned where it is copied from
// beside other work.
func NewRecipes(memory []byte, n int) *Recipes {
	if n < 1 || len(memory) < RecipesBytes(n, 0) {
		panic(fmt.Sprintf("recipes: %d bytes for %d samples", len(memory), n))
	}
	start := unsafe.Pointer(unsafe.SliceData(memory))
	if uintptr(start)%8 != 0 {
		panic("recipes: memory at no multiple of 8 bytes")
	}
	r := &Recipes{memory: memory, recipes: unsafe.Slice((*deviceRecipe)(start), n)}
	if room := (len(memory) - RecipesBytes(n, 0)) / 4; room > 0 {
		r.pool = unsafe.Slice((*float32)(unsafe.Add(start, n*recipeBytes)), room)
	}
	return r
}

// Reset forgets the polygons of the batch before. Set can then be called for each sample once.
func (r *Recipes) Reset() { r.used = 0 }

// Bytes are what has to be copied to the device: all recipes, and the polygons so far.
func (r *Recipes) Bytes() []byte { return r.memory[:len(r.recipes)*recipeBytes+4*r.used] }

// Grow gives room for so many numbers of polygons in memory of its own. What was set stays.
func (r *Recipes) Grow(room int) {
	n := len(r.recipes)
	wide := NewRecipes(make([]byte, RecipesBytes(n, max(room, r.used))), n)
	wide.used = r.used
	copy(wide.memory, r.Bytes())
	*r = *wide
}

// Set writes the recipe of sample i of the batch. A *RoomError says how much room polygons need with those of this sample, of
// which then none is kept.
func (r *Recipes) Set(i int, from *augment.Recipe) error {
	if n := len(from.Changes); n > recipeChanges {
		return fmt.Errorf("a recipe of %d operations, and kernels make at most %d", n, recipeChanges)
	}
	to := &r.recipes[i]
	*to = deviceRecipe{weight: from.Weight, matrix: from.Colour.Matrix, scale: from.Colour.Scale, layers: int32(len(from.Layers)), changes: int32(len(from.Changes)),
		flipLR: flag(from.FlipLR), flipUD: flag(from.FlipUD)}
	switch from.Colour.Mode {
	case augment.Linear:
		to.mode = colourLinear
	case augment.Exact:
		to.mode = colourExact
	}
	used := r.used
	for n := range from.Layers {
		if err := r.setLayer(&to.layer[n], &from.Layers[n]); err != nil {
			r.used = used
			return err
		}
	}
	for n, c := range from.Changes {
		to.change[n] = deviceChange{view: c.View, kind: int32(c.Kind), level: c.Level, gain: float32(c.Gain)}
	}
	return nil
}

func (r *Recipes) setLayer(to *deviceLayer, from *augment.Layer) error {
	all := len(from.Parts) + len(from.Pasted)
	if all > recipeParts {
		return fmt.Errorf("a recipe of %d parts, and kernels lay at most %d", all, recipeParts)
	}
	to.view, to.stage, to.seen = from.View, int32(from.Stage), flag(from.Seen)
	to.parts, to.all = int32(len(from.Parts)), int32(all)
	copy(to.part[copy(to.part[:], from.Parts):], from.Pasted)
	to.first = int32(r.used)
	need := r.used
	for _, p := range from.Mirrored {
		need += polygonHead + len(p)/2*2
	}
	if need > len(r.pool) {
		return &RoomError{Need: need, Room: len(r.pool)}
	}
	for _, p := range from.Mirrored {
		r.addPolygon(p[:len(p)/2*2])
	}
	to.polygons = int32(len(from.Mirrored))
	return nil
}

// polygonHead is the numbers before the corners of a polygon.
const polygonHead = 5

func (r *Recipes) addPolygon(corners []float32) {
	left, top := float32(math.Inf(1)), float32(math.Inf(1))
	right, bottom := -left, -top
	for i := 0; i < len(corners); i += 2 {
		left, right = min(left, corners[i]), max(right, corners[i])
		top, bottom = min(top, corners[i+1]), max(bottom, corners[i+1])
	}
	head := r.pool[r.used:]
	head[0], head[1], head[2], head[3], head[4] = math.Float32frombits(uint32(len(corners)/2)), left, top, right, bottom
	copy(head[polygonHead:], corners)
	r.used += polygonHead + len(corners)
}
