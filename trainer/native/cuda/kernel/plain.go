package kernel

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// Add writes x + y to out, which may be one of them.
func Add(t Type, x, y, out View) cuda.Launch {
	same("sum", x, out)
	same("sum", y, out)
	return lanewise(t.named("add"), out, cuda.Args([3]View{x, y, out}))
}

// Zero clears a window.
func Zero(t Type, v View) cuda.Launch { return lanewise(t.named("zero"), v, cuda.Args(v)) }

// PackImages writes pictures, float32 RGB interleaved [N][H][W][3], to the network's image, whose fourth lane becomes 0.
func PackImages(t Type, rgb cuda.Ptr, image View) cuda.Launch {
	if image.C != 4 || image.Stride != 4 {
		panic(fmt.Sprintf("pack images: %d lanes of %d, not 4", image.C, image.Stride))
	}
	return flat(t.named("pack_images"), image.Pixels(), cuda.Args(struct {
		rgb   cuda.Ptr
		image View
	}{rgb, image}))
}
