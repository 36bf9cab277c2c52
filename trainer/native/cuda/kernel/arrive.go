package kernel

import (
	"math"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// arrivals is Arrivals of arrive.cuh: how the blocks of a launch that leave rows of sums find the last of them.
type arrivals struct {
	count, folded cuda.Ptr
	rows, each    int32
	runs, _       int32
}

// foldFrom are rows that are worth folding in runs: fewer the last block adds up in less time than runs take to find their last.
const foldFrom = 128

// runsOf cuts rows in runs.
func runsOf(rows int) (runs, each int) {
	if rows < foldFrom {
		return 1, rows
	}
	each = int(math.Ceil(math.Sqrt(float64(rows))))
	return blocksOf(rows, each), each
}

// arrivalsOf are those of partial, FP32 [rows][kinds][lanes], behind which runs are folded.
func arrivalsOf(count, partial cuda.Ptr, rows, kinds int, lanes int32) arrivals {
	runs, each := runsOf(rows)
	return arrivals{count: count, folded: partial.Add(4 * int64(rows) * int64(kinds) * int64(lanes)), rows: int32(rows), each: int32(each), runs: int32(runs)}
}

// rowBytes is the room for rows of sums and, folded, for runs of them.
func rowBytes(rows, kinds int, lanes int32) int64 {
	runs, _ := runsOf(rows)
	bytes := 4 * int64(rows)
	if runs > 1 {
		bytes += 8 * int64(runs)
	}
	return bytes * int64(kinds) * int64(lanes)
}

// CounterBytes is what Norm.Counters takes where rows of sums of so many lanes are at most so many: a column of a launch has 16
// lanes at least.
func CounterBytes(rows int, lanes int32) int64 {
	most := 1 + int64(math.Ceil(math.Sqrt(float64(max(rows, sumBlocks)))))
	return 4 * int64(lanes) / 16 * most
}

// SumsBytes is what Conv.Partial takes, and what ProductSums writes, of so many tiles.
func SumsBytes(tiles int, lanes int32) int64 { return rowBytes(tiles, 2, lanes) }
