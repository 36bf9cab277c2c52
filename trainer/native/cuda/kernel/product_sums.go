package kernel

import "github.com/mapsweep/mapsweep/trainer/native/cuda"

// ProductSums writes what Conv.Forward leaves in Partial, of a product that another library has made: FP32 [ProductTiles][2][lanes],
// sums and sums of squares of y over tiles of pixels, each in a fixed order.
func ProductSums(t Type, y View, partial cuda.Ptr) cuda.Launch {
	blocks, columns := sumGrid(y)
	return cuda.Launch{
		Kernel: t.named("product_sums"), Grid: [3]int{blocks, columns}, Block: [3]int{sumThreads},
		Args: cuda.Args(struct {
			y       View
			partial cuda.Ptr
		}{y, partial}),
	}
}

// ProductTiles is the number of tiles of ProductSums: Norm.Tiles.
func ProductTiles(y View) int {
	blocks, _ := sumGrid(y)
	return blocks
}
