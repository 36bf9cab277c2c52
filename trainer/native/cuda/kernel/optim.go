package kernel

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// Kind is an optimiser.
type Kind int

// The kinds, as optim.SGD, optim.AdamW (of which Adam has L2) and optim.LION.
const (
	SGD Kind = iota
	Adam
	AdamW
	LION
)

// Segment is a run of floats of the arenas that is treated alike: optim.Segment. Off is a multiple of 16. Floats of no segment
// are padding: zero, and left alone.
type Segment struct {
	Off, Len            int64
	Decay, Bias, Frozen bool
}

const (
	floatsPerEntry = 16 // floats that share an entry of the table
	entryMoves     = 1  // bits of an entry, as in optim.cu
	entryDecays    = 2
	entryBias      = 4
	entryFrozen    = 8
)

// Table is what the kernels know of segments: a byte for each 16 floats of the arenas.
func Table(floats int64, segments []Segment) []byte {
	t := make([]byte, (floats+floatsPerEntry-1)/floatsPerEntry)
	for _, s := range segments {
		if s.Off%floatsPerEntry != 0 || s.Off < 0 || s.Off+s.Len > floats {
			panic(fmt.Sprintf("optimiser: a segment of %d floats at %d of %d", s.Len, s.Off, floats))
		}
		entry := byte(entryMoves)
		if s.Frozen {
			entry = entryFrozen
		}
		if s.Decay {
			entry |= entryDecays
		}
		if s.Bias {
			entry |= entryBias
		}
		for i := s.Off / floatsPerEntry; i*floatsPerEntry < s.Off+s.Len; i++ {
			t[i] = entry
		}
	}
	return t
}

// Optimizer is the end of a training step: what trainer/native does in solver.step and with the moving average after it. All
// arenas are FP32 and arranged as the weights. They begin as zeros, but for weights, W16 and averages.
//
//   - The gradients are added to Sum where there is one. If the step's input says so, they (Sum) move the weights.
//   - Their global norm is clipped before; frozen ones are cleared and count in no norm.
//   - After a step that moves weights, averages go towards weights and statistics, and Sum is zero.
//   - Where a loss or the norm is not finite, the step does what [Halt] says, and all steps after do nothing: they put the
//     running statistics back to what they were.
type Optimizer struct {
	Kind                  Kind
	Step                  Step
	Beta1, Beta2, Epsilon float64 // Adam, AdamW; LION: the betas alone
	WeightDecay, ClipNorm float64 // ClipNorm 0: no clipping. These and Beta1 go with each step's Input, and are in no launch

	Floats         int64    // of an arena, a multiple of 16
	Table          cuda.Ptr // Table
	Weights, Grads cuda.Ptr
	W16            cuda.Ptr // bf16 copy of the weights, or 0
	Momentum       cuda.Ptr // SGD; the others: average of the gradients
	Square, Peak   cuda.Ptr // Adam, AdamW; Peak: AMSGrad, or 0
	Sum            cuda.Ptr // gradients of several batches, or 0: each batch moves the weights
	Average        cuda.Ptr // moving average of the weights, or 0

	StatFloats   int64    // of the arenas of running statistics, a multiple of 16
	Stats        cuda.Ptr // as the forward pass of this step has left them
	AverageStats cuda.Ptr // their moving average, or 0
	KeptStats    cuda.Ptr // what steps after one that was not finite put back; or 0: forward passes heed the state themselves

	Scratch cuda.Ptr // ScratchBytes; used within Launches alone
}

// optimThreads is NORM_THREADS of optim.cu.
const optimThreads = 256

// optimBlocks is how many blocks sum an arena: as many as fill a large GPU, of at least 16 floats a thread.
func optimBlocks(floats int64) int {
	return int(min(max((floats+16*optimThreads-1)/(16*optimThreads), 1), 4*132))
}

// ScratchBytes is the size of Scratch.
func (o Optimizer) ScratchBytes() int64 { return int64(optimBlocks(o.Floats)) * 8 }

// Launches are those between the last gradient and Step.End, two.
func (o Optimizer) Launches() []cuda.Launch {
	if o.Floats%floatsPerEntry != 0 || o.StatFloats%floatsPerEntry != 0 {
		panic(fmt.Sprintf("optimiser: arenas of %d and %d floats, not multiples of %d", o.Floats, o.StatFloats, floatsPerEntry))
	}
	return []cuda.Launch{o.norm(), o.move()}
}

func (o Optimizer) norm() cuda.Launch {
	args := struct {
		state, grads, sum, table, partial cuda.Ptr
		losses                            watched
		quads                             int64
	}{o.Step.State, o.Grads, o.Sum, o.Table, o.Scratch, o.Step.losses(), o.Floats / 4}
	return cuda.Launch{Kernel: "step_norm", Grid: [3]int{optimBlocks(o.Floats)}, Block: [3]int{optimThreads}, Args: cuda.Args(args)}
}

func (o Optimizer) move() cuda.Launch {
	args := struct {
		state, weights, rounded, grads, sum, momentum, square, peak, average, stats, averageStats, kept, table cuda.Ptr
		quads, statQuads                                                                                       int64
		fresh2, beta2, epsilon                                                                                 float32
		_                                                                                                      int32
	}{
		state: o.Step.State, weights: o.Weights, rounded: o.W16, grads: o.Grads, sum: o.Sum, momentum: o.Momentum,
		square: o.Square, peak: o.Peak, average: o.Average, stats: o.Stats, averageStats: o.AverageStats, kept: o.KeptStats,
		table: o.Table, quads: o.Floats / 4, statQuads: o.StatFloats / 4,
		fresh2: float32(1 - o.Beta2), beta2: float32(o.Beta2), epsilon: float32(o.Epsilon),
	}
	kernel := map[Kind]string{SGD: "step_sgd", Adam: "step_adam", AdamW: "step_adam", LION: "step_lion"}[o.Kind]
	return flat(kernel, max(o.Floats, o.StatFloats)/4, cuda.Args(args))
}

// SumSquares writes the sum of the squares of n floats (a multiple of 4) to total, a float64. It is finite exactly where all
// floats are. scratch is of SumSquaresScratch(n) bytes.
func SumSquares(p cuda.Ptr, n int64, total, scratch cuda.Ptr) []cuda.Launch {
	if n%4 != 0 {
		panic(fmt.Sprintf("sum of squares: %d floats, not a multiple of 4", n))
	}
	blocks := optimBlocks(n)
	part := struct {
		p, partial cuda.Ptr
		quads      int64
	}{p, scratch, n / 4}
	all := struct {
		partial, total cuda.Ptr
		n, _           int32
	}{partial: scratch, total: total, n: int32(blocks)}
	return []cuda.Launch{
		{Kernel: "sum_squares", Grid: [3]int{blocks}, Block: [3]int{optimThreads}, Args: cuda.Args(part)},
		{Kernel: "sum_total", Block: [3]int{optimThreads}, Args: cuda.Args(all)},
	}
}

// SumSquaresScratch is the scratch, in bytes, of SumSquares of n floats.
func SumSquaresScratch(n int64) int64 { return int64(optimBlocks(n)) * 8 }
