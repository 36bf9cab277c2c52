package native

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/model"
)

// gpuFeed brings to the device what the pictures of a step's batch are made of: recipes, where the data set lies there, or the
// pictures themselves.
type gpuFeed struct {
	*stage
	room  cuda.Ptr // on the device
	bytes int64    // of it
	// augmentation makes pictures of recipes; nil: they come as float32, RGB interleaved.
	augmentation *kernel.Augmentation
}

// augmentation is that of a run's recipes, without memory.
func (e *gpuEngine) augmentation(c model.Config) *kernel.Augmentation {
	return &kernel.Augmentation{Size: c.Width, Changes: kernel.MostChanges(e.data.sampling)}
}

// recipeBytes is the room of n samples' recipes.
func (e *gpuEngine) recipeBytes(n int) int64 {
	return int64(kernel.RecipesBytes(n, e.polygons(e.data.train, e.data.sampling, n)))
}

// pictureBytes is a batch of the largest pictures, in float RGB.
func pictureBytes(c model.Config) int64 {
	side := int64(max(c.Width, c.Largest))
	return 4 * int64(c.Batch) * side * side * 3
}

// feedBytes is the most device memory that a feed takes: of recipes, or of pictures. There is room for changes, which from 64
// pixels on the pictures have anyway: so a kit serves runs with and without them.
func (e *gpuEngine) feedBytes(c model.Config) int64 {
	a := kernel.Augmentation{Size: c.Width, Changes: 1}
	return max(pictureBytes(c), e.recipeBytes(c.Batch)+a.ScratchBytes(c.Batch))
}

// feedPictures makes the feed of batches that come with pictures of up to the largest side.
func (e *gpuEngine) feedPictures() error {
	return e.feedOf(nil, pictureBytes(e.net.Config()))
}

// feedOf makes the feed of batches of so many bytes. Where it fails there is none.
func (e *gpuEngine) feedOf(a *kernel.Augmentation, bytes int64) error {
	room, err := e.take(bytes)
	if err != nil {
		return err
	}
	s, err := newStage(e.place.GPU, stepsAhead, bytes)
	if err != nil {
		return errors.Join(err, e.place.Memory.Free(room))
	}
	if a != nil {
		a.Recipes = room
	}
	e.feed = &gpuFeed{stage: s, room: room, bytes: bytes, augmentation: a}
	return nil
}

// made says whether pictures are made on the GPU.
func (f *gpuFeed) made() bool { return f != nil && f.augmentation != nil }

// makes says whether they are, with so many changes.
func (f *gpuFeed) makes(changes int) bool { return f.made() && f.augmentation.Changes == changes }

// launches make the image of a batch of what is in the room when they run.
func (f *gpuFeed) launches(t kernel.Type, image kernel.View) []cuda.Launch {
	if f.augmentation == nil {
		return []cuda.Launch{kernel.PackImages(t, f.room, image)}
	}
	return f.augmentation.Launches(t, image)
}

// input is what goes to the room for a batch.
func (f *gpuFeed) input(b batch) ([]byte, error) {
	if f.augmentation == nil {
		return bytesOf(b.images), nil
	}
	r, ok := b.recipes.(*recipeRoom)
	if !ok {
		return nil, errors.New("a batch without recipes, where pictures are made on the GPU")
	}
	return r.Bytes(), nil
}

// pictures makes the image of a batch, as a step does, and brings it to the host.
func (e *gpuEngine) pictures(b batch) ([]float32, error) {
	if err := e.fit(b); err != nil {
		return nil, err
	}
	s, err := e.sideOf(b.side)
	if err == nil && e.feed == nil {
		err = e.feedPictures()
	}
	if err != nil {
		return nil, err
	}
	input, err := e.feed.input(b)
	if err != nil {
		return nil, err
	}
	st, v := e.place.Stream, s.device.Image(s.net.Image())
	all := make([]byte, v.Pixels()*int64(v.Stride)*s.device.Type().Bytes())
	err = errors.Join(e.feed.put(st, e.feed.room, input), e.place.Module.Run(st, e.feed.launches(s.device.Type(), v)...), st.CopyOut(all, v.P), st.Wait())
	if err != nil {
		return nil, err
	}
	return colours(all, s.device.Type(), int(v.Stride)), nil
}

// colours are red, green and blue of pixels of so many lanes.
func colours(pixels []byte, t kernel.Type, lanes int) []float32 {
	one := int(t.Bytes())
	rgb := make([]float32, 0, len(pixels)/one/lanes*3)
	for ; len(pixels) > 0; pixels = pixels[one*lanes:] {
		for c := range 3 {
			v := pixels[c*one:]
			if t == kernel.BFloat16 {
				rgb = append(rgb, math.Float32frombits(uint32(binary.LittleEndian.Uint16(v))<<16))
			} else {
				rgb = append(rgb, math.Float32frombits(binary.LittleEndian.Uint32(v)))
			}
		}
	}
	return rgb
}

func (f *gpuFeed) close() error {
	if f == nil {
		return nil
	}
	return f.stage.close()
}

// ownFeed gives up a feed of another kind, of the run that had the kit before.
func (e *gpuEngine) ownFeed() error {
	if e.feed == nil || e.feed.made() == e.made {
		return nil
	}
	return e.dropFeed()
}

// lacks is the room that a batch's recipes take where there is less, because they have more polygons than was reckoned; 0: they fit.
func (e *gpuEngine) lacks(b batch) (int64, error) {
	if err := e.ownFeed(); err != nil || !e.feed.made() {
		return 0, err
	}
	input, err := e.feed.input(b)
	if err != nil || int64(len(input)) <= e.feed.bytes {
		return 0, err
	}
	return int64(len(input)), nil
}

// grow makes the feed anew, with so much room.
func (e *gpuEngine) grow(bytes int64) error {
	a := e.feed.augmentation
	e.feed.augmentation = nil // its scratch stays
	return errors.Join(e.dropFeed(), e.feedOf(a, bytes))
}

// fit makes room for a batch: twice what it takes, for those that follow.
func (e *gpuEngine) fit(b batch) error {
	bytes, err := e.lacks(b)
	if err != nil || bytes == 0 {
		return err
	}
	return e.grow(2 * bytes)
}

// dropFeed gives up the feed, and the captured steps, which know where it is.
func (e *gpuEngine) dropFeed() error {
	old := e.feed
	if old == nil {
		return nil
	}
	e.feed = nil
	errs := []error{e.place.Stream.Wait()}
	for _, s := range e.sides {
		errs = append(errs, s.graph.Close())
		s.graph = nil
	}
	errs = append(errs, old.close(), e.place.Memory.Free(old.room))
	if old.augmentation != nil {
		errs = append(errs, e.place.Memory.Free(old.augmentation.Scratch))
	}
	return errors.Join(errs...)
}

// recipeRoom receives the recipes of a batch in memory of the host, which grows where polygons take more than was reckoned.
type recipeRoom struct{ *kernel.Recipes }

// newRecipeRoom makes room for n samples in so many bytes.
func newRecipeRoom(n int, bytes int64) *recipeRoom {
	return &recipeRoom{kernel.NewRecipes(make([]byte, bytes), n)}
}

func (r *recipeRoom) Set(i int, from *augment.Recipe) error {
	for {
		err := r.Recipes.Set(i, from)
		var full *kernel.RoomError
		if !errors.As(err, &full) {
			return err
		}
		r.Grow(2 * full.Need)
	}
}
