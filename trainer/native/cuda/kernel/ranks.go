package kernel

import "github.com/mapsweep/mapsweep/trainer/native/cuda"

// Ranks are the GPUs that train one network together, each with an equal share of every batch.
type Ranks struct {
	Count int
	// SumDoubles has n FP64 values at p become their sums over all ranks. It puts that into the stream of the launches around it,
	// in the same order on every rank.
	SumDoubles func(p cuda.Ptr, n int64) error
}

// sumDoubles stands where a launch stands.
func (r *Ranks) sumDoubles(p cuda.Ptr, n int64) cuda.Launch {
	return cuda.Launch{Kernel: "sum over GPUs", Call: func(*cuda.Stream) error { return r.SumDoubles(p, n) }}
}
