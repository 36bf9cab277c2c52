package kernel

import "fmt"

// tile16 is a shape of conv16.cu: a block computes m x n elements of a matrix product, k terms at a time, with stages of them
// in shared memory; parts of its warps share the terms out.
type tile16 struct{ m, n, threads, parts, k, stages int }

// gather16 are the shapes of products and gradients of inputs: m pixels, n lanes.
var gather16 = []tile16{
	{128, 128, 256, 1, 32, 4},
	{128, 64, 128, 1, 32, 4},
	{64, 64, 128, 1, 32, 4},
	{128, 32, 128, 1, 32, 4},
	{64, 32, 128, 2, 64, 4},
	{128, 16, 128, 1, 32, 4},
	{32, 32, 128, 4, 64, 5},
	{32, 16, 128, 4, 64, 5},
}

func (t tile16) String() string { return fmt.Sprintf("%dx%d", t.m, t.n) }

// shared is the shared memory of a block, in bytes: the stages, and later the sums of its parts and the finished tile.
func (t tile16) shared() int {
	return max(t.stages*(t.m+t.n)*t.k*2, (t.parts-1)*t.m*t.n*4, t.m*(t.n+8)*2)
}

// What a multiprocessor does in a clock, about (sm_90): multiply-adds with mma.sync, bytes between it and the L2 cache. And
// what a block costs beside: clocks until its first stage is there, and from stage to stage where nothing else runs.
const (
	clockProducts, clockBytes = 600, 30
	startClocks, stageClocks  = 600, 120
)

// clocks is an estimate of the time of a product of so many tiles of pixels, columns and terms on so many multiprocessors:
// that of the one with most blocks, which are bound by their products, by what they read and write, or by latency where there
// are few.
func (t tile16) clocks(tiles, columns, terms, fill int64) int64 {
	m, n := int64(t.m), int64(t.n)
	most := ceil(tiles*ceil(columns, n), fill)
	block := max(m*n*terms/clockProducts, ((m+n)*terms*2+m*n*2)/clockBytes)
	return max(most*block, ceil(terms, int64(t.k))*stageClocks) + startClocks*ceil(most, 4)
}

func ceil(a, b int64) int64 { return (a + b - 1) / b }

// image16 are the shapes of products of the image, whose terms are one stage.
var image16 = []tile16{{128, 64, 128, 1, 64, 1}, {128, 32, 128, 1, 64, 1}, {128, 16, 128, 1, 64, 1}}

// imageTerms is the number of terms of a product of the image, with those that fill up matrices.
const imageTerms = 48

// weights16 are the shapes of gradients of weights: m lanes of the product, n of (tap, lane) of the input; imageWeights16
// those of the image.
var (
	weights16      = []tile16{{128, 128, 256, 1, 32, 4}, {64, 64, 128, 1, 32, 5}, {32, 64, 128, 2, 64, 4}, {16, 64, 128, 4, 64, 4}, {32, 32, 128, 4, 64, 5}}
	imageWeights16 = []tile16{{64, 64, 128, 1, 32, 5}, {32, 64, 128, 2, 64, 4}, {16, 64, 128, 4, 64, 4}}
)
