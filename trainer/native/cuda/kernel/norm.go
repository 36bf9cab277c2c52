package kernel

import "github.com/mapsweep/mapsweep/trainer/native/cuda"

// Norm is batch normalisation over lanes, A = silu(gamma (y - mean) inv + beta) + Add with inv = 1/sqrt(var + Eps), without
// silu if Linear. Lanes without a channel have Gamma and Beta of 0.
type Norm struct {
	Type                   Type
	Y, A                   View // product; output
	Add                    View // is added to the output (a residual), or P is 0
	Linear                 bool
	Gamma, Beta, Mean, Var cuda.Ptr // FP32 [lanes]; Mean and Var are the running statistics
	Eps, Momentum          float32
	Batch                  cuda.Ptr // FP32 [2][lanes]: mean and inv that Activate and Backward use
	Counters               cuda.Ptr // CounterBytes, zero before a launch and after it: launches that may run at once have their own

	// Over has training normalise with the pixels of all ranks, which have as many each: NormTotals of their sums lie in Totals
	// while they are added up. nil: with this GPU's.
	Over   *Ranks
	Totals cuda.Ptr
}

// What the launches of norm.cu are shaped by.
const (
	sumThreads = 256
	sumGroups  = 8   // of 8 lanes
	sumPixels  = 4   // a thread, at least
	sumBlocks  = 396 // three for each multiprocessor of a large GPU; the rows that are added up afterwards
)

// arm is Arm of norm.cu.
type arm struct {
	y                  View
	gamma, beta, batch cuda.Ptr
}

func (n Norm) arm() arm { return arm{n.Y, n.Gamma, n.Beta, n.Batch} }

// statistics is Statistics of statistics.cuh.
type statistics struct {
	arrivals          arrivals
	mean, vari, batch cuda.Ptr
	totals            cuda.Ptr
	count             float64
	eps, momentum     float32
	lanes, _          int32
}

// statistics are those that are made of sums over so many tiles; none without a norm, or without sums.
func (n *Norm) statistics(partial cuda.Ptr, tiles int) statistics {
	if n == nil || partial == 0 {
		return statistics{}
	}
	return n.made(arrivalsOf(n.Counters, partial, tiles, 2, n.Y.C))
}

func (n *Norm) made(a arrivals) statistics {
	return statistics{
		arrivals: a, mean: n.Mean, vari: n.Var, batch: n.Batch,
		totals: n.totals(), count: n.pixels(), eps: n.Eps, momentum: n.Momentum, lanes: n.Y.C,
	}
}

// Statistics completes Batch. In training what makes Y, Conv.Forward or ProductSums, has made it, of Y's pixels, and has moved
// the running statistics towards it, the variance towards the unbiased one: left is nothing, or the part of all ranks.
// Otherwise it is made from the running statistics.
func (n Norm) Statistics(train bool) []cuda.Launch {
	args := cuda.Args(n.made(arrivals{}))
	switch {
	case !train:
		return []cuda.Launch{flat("norm_running", int64(n.Y.C), args)}
	case n.Over != nil:
		return []cuda.Launch{n.Over.sumDoubles(n.Totals, 2*int64(n.Y.C)), flat("norm_statistics_over", int64(n.Y.C), args)}
	}
	return nil
}

// NormTotals is the number of FP64 values of Norm.Totals; a Rep uses those of its wide arm.
func NormTotals(lanes int32) int64 { return 3 * int64(lanes) }

func (n Norm) totals() cuda.Ptr {
	if n.Over == nil {
		return 0
	}
	return n.Totals
}

// pixels are those that are normalised together.
func (n Norm) pixels() float64 {
	if n.Over == nil {
		return float64(n.Y.Pixels())
	}
	return float64(n.Y.Pixels() * int64(n.Over.Count))
}

// Activate makes A, with Batch of Statistics.
func (n Norm) Activate() []cuda.Launch { return activate("norm", n, n.arm()) }

// Backward takes the gradient of A. The gradient of Y overwrites Y, those of Gamma and Beta overwrite dGamma and dBeta, FP32
// [lanes]. Add's gradient is dA itself.
func (n Norm) Backward(dA View, dGamma, dBeta, scratch cuda.Ptr) []cuda.Launch {
	return backward("norm", n, dA, scratch, []arm{n.arm()}, []cuda.Ptr{dGamma}, []cuda.Ptr{dBeta})
}

// ScratchBytes is what Backward needs.
func (n Norm) ScratchBytes() int64 { return scratchBytes(n.Y, 1) }

// Rep is the sum of two normalised products, a = silu(norm(Wide) + norm(Point)) (layers.Rep). Type, A, Add and Linear are
// Wide's.
type Rep struct{ Wide, Point Norm }

// Statistics makes both Batches, as [Norm.Statistics].
func (r Rep) Statistics(train bool) []cuda.Launch {
	return append(r.Wide.Statistics(train), r.Point.Statistics(train)...)
}

// Activate makes A.
func (r Rep) Activate() []cuda.Launch {
	same("rep", r.Wide.Y, r.Point.Y)
	return activate("rep", r.Wide, r.Wide.arm(), r.Point.arm())
}

// RepGrads are where the gradients of the arms' parameters go, FP32 [lanes].
type RepGrads struct{ WideGamma, WideBeta, PointGamma, PointBeta cuda.Ptr }

// Backward takes the gradient of A. Gradients of both products overwrite them, as [Norm.Backward].
func (r Rep) Backward(dA View, g RepGrads, scratch cuda.Ptr) []cuda.Launch {
	same("rep", r.Wide.Y, r.Point.Y)
	arms := []arm{r.Wide.arm(), r.Point.arm()}
	return backward("rep", r.Wide, dA, scratch, arms, []cuda.Ptr{g.WideGamma, g.PointGamma}, []cuda.Ptr{g.WideBeta, g.PointBeta})
}

// ScratchBytes is what Backward needs.
func (r Rep) ScratchBytes() int64 { return scratchBytes(r.Wide.Y, 2) }

func activate(family string, n Norm, arms ...arm) []cuda.Launch {
	same(family, n.Y, n.A)
	if n.Add.P != 0 {
		same(family, n.Add, n.A)
	}
	args := struct {
		out, add  View
		arm       [2]arm
		linear, _ int32
	}{out: n.A, add: n.Add, linear: flag(n.Linear)}
	copy(args.arm[:], arms)
	return []cuda.Launch{lanewise(n.Type.named(family+"_activate"), n.A, cuda.Args(args))}
}

// learned is Learned of norm.cu.
type learned struct{ gamma, inv, dGamma, dBeta, factors cuda.Ptr }

// gradArgs and learnedArgs are GradArgs and LearnedArgs.
type gradArgs struct {
	dA               View
	arm              [2]arm
	partial, factors cuda.Ptr
	linear, _        int32
}

type learnedArgs struct {
	arrivals arrivals
	arm      [2]learned
	totals   cuda.Ptr
	count    float64
	lanes, _ int32
}

func backward(family string, n Norm, dA View, scratch cuda.Ptr, arms []arm, dGamma, dBeta []cuda.Ptr) []cuda.Launch {
	same(family, n.Y, dA)
	blocks, columns := sumGrid(n.Y)
	args := gradArgs{dA: dA, partial: scratch, factors: scratch.Add(rowBytes(blocks, 1+len(arms), n.Y.C)), linear: flag(n.Linear)}
	copy(args.arm[:], arms)
	finish := learnedArgs{arrivals: arrivalsOf(n.Counters, scratch, blocks, 1+len(arms), n.Y.C), totals: n.totals(), count: n.pixels(), lanes: n.Y.C}
	for i, a := range arms {
		finish.arm[i] = learned{a.gamma, a.batch.Add(4 * int64(n.Y.C)), dGamma[i], dBeta[i], args.factors.Add(8 * int64(i) * int64(n.Y.C))}
	}
	all := []cuda.Launch{{
		Kernel: n.Type.named(family + "_grad_sums"), Grid: [3]int{blocks, columns}, Block: [3]int{sumThreads},
		Args: cuda.Args(struct {
			grad    gradArgs
			learned learnedArgs
		}{args, finish}),
	}}
	if n.Over != nil {
		all = append(all, n.Over.sumDoubles(n.Totals, int64(1+len(arms))*int64(n.Y.C)), flat(family+"_learned_over", int64(len(arms))*int64(n.Y.C), cuda.Args(finish)))
	}
	return append(all, lanewise(n.Type.named(family+"_grad"), n.Y, cuda.Args(args)))
}

// sumGrid is the grid of kernels that add up pixels: blocks along the pixels, and along the lanes.
func sumGrid(v View) (blocks, columns int) {
	groups := int(v.C) / 8
	columns = blocksOf(groups, sumGroups)
	perBlock := sumThreads / min(groups, sumGroups) * sumPixels
	return min(blocksOf(int(v.Pixels()), perBlock), max(sumBlocks/columns, 1)), columns
}

func scratchBytes(v View, arms int) int64 {
	blocks, _ := sumGrid(v)
	return rowBytes(blocks, 1+arms, v.C) + int64(arms)*2*int64(v.C)*4
}

// lanewise launches a flat kernel whose threads each keep to 8 lanes, over the pixels of a window.
func lanewise(kernel string, v View, args []byte) cuda.Launch {
	return flat(kernel, v.Pixels()*int64(v.C/8), args)
}

func blocksOf(n, each int) int { return (n + each - 1) / each }
