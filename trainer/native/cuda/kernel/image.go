package kernel

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"slices"
)

//go:embed kernels.fatbin
var image []byte

// Image is what a GPU loads: the kernels of this package as machine code for compute capability 8.x and 9.0, and as PTX, which the
// driver compiles for later ones. `make kernels` makes it of the sources; kernels.txt lists what is in it.
func Image() []byte { return slices.Clone(image) }

// Hash names the image, so that what was computed with other kernels can be told apart.
func Hash() string {
	sum := sha256.Sum256(image)
	return hex.EncodeToString(sum[:8])
}
