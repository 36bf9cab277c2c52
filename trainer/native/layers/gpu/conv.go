package gpu

import (
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/cudnn"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/layers/lifetime"
)

// arm is one convolution of a layer: all of it, a run of its groups, or one of the two of a RepConv; with the places of what it
// learns.
type arm struct {
	conv      kernel.Conv
	norm      kernel.Norm // with normalisation
	dW, dBeta cuda.Ptr    // without normalisation dBeta is the bias's
	dGamma    cuda.Ptr
	out, in   window
}

// window is a run of channel blocks.
type window struct{ first, count int }

// arms lists the convolutions of a layer: one, but where groups do not have the same number of blocks. learn is weight, gamma and beta, or weight and bias.
func (d *Device) arms(base *graph.Base, kernelSize, stride int, linear bool, learn []*graph.Param, run []*graph.Stat, product lifetime.Content) []arm {
	var all []arm
	x, out := d.data(base.In[0]), d.data(base.Out)
	shift := learn[len(learn)-1]
	for _, b := range runs(banks(learn[0])) {
		a := arm{out: window{b.first, b.count}, in: window{b.firstIn, b.countIn}}
		floats, lane := int64(4*b.at), int64(4*b.first*graph.Block)
		p := &d.params
		a.conv = kernel.Conv{
			Type: d.typ, X: d.window(x, b.firstIn, b.countIn), Kernel: kernelSize, Stride: stride, Groups: b.groups, Wgmma: d.wgmma(),
			W: param(p.weights, learn[0], 4).Add(floats),
		}
		if d.typ == kernel.BFloat16 {
			a.conv.W16 = param(p.rounded, learn[0], 2).Add(floats / 2)
		}
		a.dW, a.dBeta = param(p.grads, learn[0], 4).Add(floats), param(p.grads, shift, 4).Add(lane)
		if len(run) == 0 {
			a.conv.Y, a.conv.Bias = d.window(out, b.first, b.count), param(p.weights, shift, 4).Add(lane)
			all = append(all, a)
			continue
		}
		a.conv.Y = d.window(d.product(base.Out, product), b.first, b.count)
		a.dGamma = param(p.grads, learn[1], 4).Add(lane)
		a.norm = kernel.Norm{
			Type: d.typ, Y: a.conv.Y, A: d.window(out, b.first, b.count), Linear: linear,
			Gamma: param(p.weights, learn[1], 4).Add(lane), Beta: param(p.weights, shift, 4).Add(lane),
			Mean: d.stat(run[0]).Add(lane), Var: d.stat(run[1]).Add(lane),
			Eps: layers.NormEps, Momentum: layers.NormMomentum,
		}
		all = append(all, a)
	}
	return all
}

// ofConv and ofRep are the arms of a layer, without the memory that steps share.
func (d *Device) ofConv(op *layers.Conv) []arm {
	return d.arms(&op.Base, op.Kernel, op.Stride, op.Linear, op.Learn, op.Run, lifetime.Product)
}

func (d *Device) ofRep(op *layers.Rep) (wide, point arm) {
	half := len(op.Learn) / 2
	wide = d.arms(&op.Base, 3, 1, false, op.Learn[:half], op.Run[:2], lifetime.Product)[0]
	point = d.arms(&op.Base, 1, 1, false, op.Learn[half:], op.Run[2:], lifetime.Second)[0]
	return wide, point
}

// partialBytes is what the sums of an arm's products take, which its statistics are made of, whoever computes the convolution.
func (a *arm) partialBytes() int64 {
	return kernel.SumsBytes(a.mostTiles(), a.conv.Y.C)
}

func (a *arm) mostTiles() int { return max(a.conv.Tiles(), kernel.ProductTiles(a.conv.Y)) }

func (a *arm) forward() pass {
	return pass{direction: cudnn.Forward, conv: a.conv, x: a.conv.X, y: a.conv.Y}
}

func (a *arm) weightGrad(dY kernel.View) pass {
	return pass{direction: cudnn.Filter, conv: a.conv, x: a.conv.X, y: dY, dW: a.dW}
}

func (a *arm) inputGrad(dY, dX kernel.View, add bool) pass {
	return pass{direction: cudnn.Data, conv: a.conv, x: dX, y: dY, add: add}
}

// measure takes the memory that all layers use in turn, and the statistics in use of each.
func (d *Device) measure() error {
	var need, counters int64
	for _, op := range d.g.Ops() {
		all := d.armsOf(op)
		if _, ok := op.(*layers.Rep); ok {
			wide, point := &all[0], &all[1]
			r := kernel.Rep{Wide: wide.norm, Point: point.norm}
			need = max(need, r.ScratchBytes())
		}
		for i := range all {
			a := &all[i]
			if a.norm.Gamma == 0 {
				continue
			}
			need = max(need, a.partialBytes(), a.norm.ScratchBytes())
			counters = max(counters, kernel.CounterBytes(a.mostTiles(), a.conv.Y.C))
			p, err := d.lend(d.batchBytes(a.conv.Y.C))
			if err != nil {
				return err
			}
			d.batch[op] = append(d.batch[op], p)
		}
	}
	if err := d.hold(&d.scratch, need); err != nil {
		return err
	}
	if d.evaluates() {
		return nil
	}
	sliced := d.sliced()
	if err := d.hold(&d.beside, d.roomFor(sliced)); err != nil {
		return err
	}
	d.shares = share(sliced, d.beside.bytes)
	if counters == 0 {
		return nil
	}
	var err error
	d.counters, err = d.take(counters) // zero, and none but these launches may write there
	return err
}

// ready completes arm number i of a layer with the memory that it uses. Sums of products, and counters of the blocks that made
// them, are in use while one launch runs; no two that use them run at once, for gradients of weights, which run beside all others, do not.
func (d *Device) ready(op graph.Op, i int, a arm) arm {
	if a.norm.Gamma != 0 {
		a.norm.Batch, a.norm.Counters = d.batch[op][i], d.counters
		a.norm.Over, a.norm.Totals = d.over(), a.norm.Batch.Add(statBytes(a.conv.Y.C))
		norm := a.norm
		a.conv.Partial, a.conv.Norm = d.scratch.p, &norm
	}
	return a
}

// statBytes is what the mean and the deviation of a batch take, batchBytes that and the sums of all ranks.
func statBytes(lanes int32) int64 { return 2 * 4 * int64(lanes) }

func (d *Device) batchBytes(lanes int32) int64 {
	if d.over() == nil {
		return statBytes(lanes)
	}
	return statBytes(lanes) + 8*kernel.NormTotals(lanes)
}

func (d *Device) conv(op *layers.Conv, backward bool) (*work, error) {
	arms := d.ofConv(op)
	for i := range arms {
		arms[i] = d.ready(op, i, arms[i])
	}
	if backward {
		return d.prepared(&op.Base, d.convBackward(op, arms)...), nil
	}
	w := &work{}
	for _, a := range arms {
		if !op.Norm {
			w.train, w.eval = append(w.train, d.launches(a.forward())...), append(w.eval, d.launches(a.forward())...)
			continue
		}
		w.train = append(append(w.train, d.launches(a.forward())...), a.norm.Statistics(true)...)
		a.conv.Partial = 0
		w.eval = append(append(w.eval, d.launches(a.forward())...), a.norm.Statistics(false)...)
		if !d.late[op] {
			w.train, w.eval = append(w.train, a.norm.Activate()...), append(w.eval, a.norm.Activate()...)
		}
	}
	return w, nil
}

func (d *Device) convBackward(op *layers.Conv, arms []arm) (all []cuda.Launch) {
	dA := d.grad(op.Out)
	for _, a := range arms {
		dY := d.productGrad(op, a)
		if op.Norm {
			all = append(all, a.norm.Backward(d.window(dA, a.out.first, a.out.count), a.dGamma, a.dBeta, d.scratch.p)...)
		} else {
			all = append(all, beside(d.summed(a.dBeta, func(scratch cuda.Ptr) (cuda.Launch, kernel.Slices) { return a.conv.BiasSlices(dY, a.dBeta, scratch) }))...)
		}
		all = append(all, beside(d.launches(a.weightGrad(dY)))...)
		if len(op.Sends) > 0 {
			all = append(all, d.launches(a.inputGrad(dY, d.window(d.grad(op.In[0]), a.in.first, a.in.count), op.Sends[0].Add))...)
		}
	}
	return all
}

// repOf is the normalisation of a layer's arms, and the arms.
func (d *Device) repOf(op *layers.Rep) (r kernel.Rep, wide, point arm) {
	wide, point = d.ofRep(op)
	wide, point = d.ready(op, 0, wide), d.ready(op, 1, point)
	return kernel.Rep{Wide: wide.norm, Point: point.norm}, wide, point
}

func (d *Device) rep(op *layers.Rep, backward bool) (*work, error) {
	r, wide, point := d.repOf(op)
	if !backward {
		w := &work{train: append(append(d.launches(wide.forward()), d.launches(point.forward())...), r.Statistics(true)...)}
		wide.conv.Partial, point.conv.Partial = 0, 0
		w.eval = append(append(d.launches(wide.forward()), d.launches(point.forward())...), r.Statistics(false)...)
		if !d.late[op] {
			w.train, w.eval = append(w.train, r.Activate()...), append(w.eval, r.Activate()...)
		}
		return w, nil
	}
	all := r.Backward(d.grad(op.Out), kernel.RepGrads{WideGamma: wide.dGamma, WideBeta: wide.dBeta, PointGamma: point.dGamma, PointBeta: point.dBeta}, d.scratch.p)
	for i, a := range []arm{wide, point} {
		all = append(all, beside(d.launches(a.weightGrad(a.conv.Y)))...)
		if len(op.Sends) > 0 {
			all = append(all, d.launches(a.inputGrad(a.conv.Y, d.grad(op.In[0]), op.Sends[0].Add || i > 0))...)
		}
	}
	return d.prepared(&op.Base, all...), nil
}

// beside marks launches that nothing on the way back waits for: gradients of parameters, which the optimiser reads.
func beside(launches []cuda.Launch) []cuda.Launch {
	for i := range launches {
		launches[i].Beside = true
	}
	return launches
}
