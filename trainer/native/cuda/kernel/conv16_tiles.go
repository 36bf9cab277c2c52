package kernel

import "fmt"

// tile16 is a shape of conv16.cuh: a block computes m x n elements of a matrix product, k terms at a time, with stages of them
// in shared memory; its warps have parts of rows, columns and terms.
type tile16 struct{ m, n, rows, columns, parts, k, stages int }

// gather16 are the shapes of products and gradients of inputs: m pixels, n lanes.
var gather16 = []tile16{
	{128, 128, 2, 4, 1, 32, 4},
	{128, 64, 2, 2, 1, 32, 4},
	{64, 64, 2, 2, 1, 32, 4},
	{128, 32, 4, 1, 1, 32, 4},
	{64, 32, 2, 1, 2, 64, 4},
	{128, 16, 4, 1, 1, 32, 4},
	{32, 32, 1, 1, 4, 64, 5},
	{32, 16, 1, 1, 4, 64, 5},
}

// image16 are the shapes of products of the image, whose terms are one stage; imageTerms is their number, with those that
// fill up matrices.
var image16 = []tile16{{128, 64, 4, 1, 1, 64, 1}, {128, 32, 4, 1, 1, 64, 1}, {128, 16, 4, 1, 1, 64, 1}}

const imageTerms = 48

func (t tile16) String() string { return fmt.Sprintf("%dx%d", t.m, t.n) }

func (t tile16) threads() int { return 32 * t.rows * t.columns * t.parts }

// shared is the shared memory of a block, in bytes: the stages, and later the sums of its parts and the finished tile.
func (t tile16) shared() int {
	return max(t.stages*(t.m+t.n)*t.k*2, (t.parts-1)*t.m*t.n*4, t.m*(t.n+8)*2)
}

// What a multiprocessor does in a clock, about (sm_90): multiply-adds with mma.sync, bytes of shared memory, and bytes between
// it and the L2 cache. And what a block costs beside, in clocks: to start and to finish, and from stage to stage where nothing
// else runs.
const (
	clockProducts, clockShared, clockBytes = 1200, 128, 30
	blockClocks, startClocks, stageClocks  = 150, 600, 120
)

// products is the clocks of products of so many terms in a block. Of a stage, `copied` bytes are written to shared memory for
// each term.
func (t tile16) products(terms, copied int64) int64 {
	m, n := int64(t.m), int64(t.n)
	read := (m*int64(t.columns) + n*int64(t.rows)) * 2
	return terms * max(m*n*clockShared/clockProducts, read+copied) / clockShared
}

// inTurn is the clocks of so many blocks on one multiprocessor, each of which takes `block` where others hide its waits; up to
// three are there at a time.
func inTurn(blocks, block int64) int64 {
	return blocks*block + blocks*block*3/(5*min(blocks, 3)) + startClocks*ceil(blocks, 3)
}

// clocks is an estimate of the time of a product of so many tiles of pixels, columns and terms on so many multiprocessors:
// that of the one with most blocks, which are bound by products, shared memory or the L2 cache, or by latency where there are
// few.
func (t tile16) clocks(tiles, columns, terms, fill int64) int64 {
	m, n := int64(t.m), int64(t.n)
	most := ceil(tiles*ceil(columns, n), fill)
	block := max(t.products(terms, 2*(m+n)), (2*(m+n)*terms+2*m*n)/clockBytes) + blockClocks
	return max(inTurn(most, block), ceil(terms, int64(t.k))*stageClocks)
}

func ceil(a, b int64) int64 { return (a + b - 1) / b }
