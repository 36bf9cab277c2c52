package augment

import "github.com/mapsweep/mapsweep/trainer/dataset/internal/raster"

// ExactColour is one colour after a change of hue, saturation and value by the given shares.
func ExactColour(r, g, b uint8, change HSV) (out [3]float32) {
	a := &Augmenter{}
	for i := range a.level {
		a.level[i] = float32(i) / 255
	}
	a.canvas[0] = raster.Pic{W: 1, H: 1, C: 3, Pix: []uint8{r, g, b}}
	a.exactColour(out[:], change.scale())
	return out
}
