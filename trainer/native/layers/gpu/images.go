package gpu

import (
	"errors"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

// Image is where the pictures of a batch lie: 4 lanes, red, green, blue and zero, 0..1.
func (d *Device) Image(image *graph.Tensor) kernel.View { return d.data(image) }

// SetImages fills the front of an image buffer: H*W*3 floats an image, by rows, RGB interleaved. pix may be used again when
// it returns.
func (d *Device) SetImages(image *graph.Tensor, pix []float32) error {
	room := 4 * int64(image.N*image.H*image.W*3)
	if d.pixels.bytes < room {
		if err := d.hold(&d.pixels, room); err != nil {
			return err
		}
	}
	v := d.data(image)
	v.N = int32(len(pix) / (image.H * image.W * 3))
	return errors.Join(d.Stream.CopyIn(d.pixels.p, raw(pix)), d.Module.Run(d.Stream, kernel.PackImages(d.typ, d.pixels.p, v)), d.Stream.Wait())
}

// hold gives a region so many bytes, for a pass alone.
func (d *Device) hold(r *region, bytes int64) (err error) {
	r.bytes = bytes
	r.p, err = d.lend(bytes)
	return err
}
