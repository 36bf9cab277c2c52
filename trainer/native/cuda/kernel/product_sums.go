package kernel

import "github.com/mapsweep/mapsweep/trainer/native/cuda"

// ProductSums does what Conv.Forward does beside the product, of one that another library has made: partial becomes FP32
// [ProductTiles][2][lanes], sums and sums of squares of y over tiles of pixels, each in a fixed order, and with a norm its statistics are
// made of them. partial has SumsBytes.
func ProductSums(t Type, y View, partial cuda.Ptr, norm *Norm) cuda.Launch {
	blocks, columns := sumGrid(y)
	return cuda.Launch{
		Kernel: t.named("product_sums"), Grid: [3]int{blocks, columns}, Block: [3]int{sumThreads},
		Args: cuda.Args(struct {
			y          View
			partial    cuda.Ptr
			statistics statistics
		}{y, partial, norm.statistics(partial, blocks)}),
	}
}

// ProductTiles is the number of tiles of ProductSums.
func ProductTiles(y View) int {
	blocks, _ := sumGrid(y)
	return blocks
}
