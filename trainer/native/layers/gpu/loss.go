package gpu

import (
	"errors"
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// Heads is the output of one head set over all its levels, dense, and the gradients of it.
type Heads struct {
	set          *layers.HeadSet
	device       kernel.Heads
	data, grad   []kernel.HeadTensor
	dBox, dClass cuda.Ptr
	host         loss.Heads // room for the outputs on the host
}

// criterion is the loss of a head set as the device computes it.
type criterion struct {
	kernel.Loss
	assigns bool // makes its targets itself
}

// UseLoss makes the device compute the loss, of at most so many objects in a batch. The first head set is the main one, a
// second the auxiliary one. Without it losses are the head sets' functions in Go. Programs that were compiled before keep those.
func (d *Device) UseLoss(s loss.Spec, objects int) error {
	op, err := d.lossOp()
	if err != nil {
		return err
	}
	if d.truths, err = d.truthRoom(op, objects); err != nil {
		return err
	}
	var scratch int64
	for i, set := range op.Sets {
		h, err := d.headsOf(set)
		if err != nil {
			return err
		}
		c := &criterion{assigns: i == 0 || !s.AuxMain, Loss: kernel.Loss{
			Heads: h.device, Truths: d.truths, Method: s.Method, Over: d.Ranks, DBox: h.dBox, DClass: h.dClass,
		}}
		if c.Settings, err = d.lend(kernel.LossSettingsBytes); err != nil {
			return err
		}
		if c.assigns {
			room, err := d.lend(kernel.TargetBytes(h.device.N, h.device.A))
			if err != nil {
				return err
			}
			c.Targets = kernel.PlaceTargets(room, h.device.N, h.device.A)
		} else {
			c.Targets = d.loss[op.Sets[0]].Targets
		}
		if c.Result, err = d.lend(kernel.LossResultBytes); err != nil {
			return err
		}
		scratch = max(scratch, c.ScratchBytes())
		d.loss[set] = c
	}
	if scratch > d.scratch.bytes {
		if d.lossScratch, err = d.lend(scratch); err != nil {
			return err
		}
	} else {
		d.lossScratch = d.scratch.p
	}
	for _, c := range d.loss {
		c.Scratch = d.lossScratch
	}
	delete(d.bound, graph.Step{Op: op})
	return d.SetLoss(s)
}

// SetLoss gives the loss of UseLoss other gains, weights and exponents, also where its launches are captured. It waits. The rest
// of s is as UseLoss had it.
func (d *Device) SetLoss(s loss.Spec) error {
	op, err := d.lossOp()
	if err != nil || d.Stream == nil {
		return err
	}
	var errs []error
	for i, set := range op.Sets {
		weight := 1.0
		if i > 0 {
			weight = s.Aux
		}
		errs = append(errs, d.Stream.CopyIn(d.loss[set].Settings, kernel.LossSettings(s.Gains, weight, s.Classes, s.Method)))
	}
	return errors.Join(append(errs, d.Stream.Wait())...)
}

func (d *Device) lossOp() (*layers.Loss, error) {
	ops := d.g.Ops()
	op, ok := ops[len(ops)-1].(*layers.Loss)
	if !ok || len(op.Sets) < 1 || len(op.Sets) > 2 {
		return nil, errors.New("the network does not end in the loss of one or two heads")
	}
	return op, nil
}

// truthRoom is where the objects of a batch lie.
func (d *Device) truthRoom(op *layers.Loss, objects int) (kernel.Truths, error) {
	n := op.Sets[0].Box[0].N
	p, err := d.lend(kernel.TruthBytes(n, objects))
	return kernel.PlaceTruths(p, n, objects), err
}

// Truths is the room for the objects of a batch: kernel.PackTruths fills as many bytes as kernel.TruthBytes says, from
// Truths().Box on.
func (d *Device) Truths() kernel.Truths { return d.truths }

// lossValues is the number of float64 values at the start of a kernel.LossResult.
const lossValues = 5

// Losses are the values of the head sets' losses, five each: box, class and DFL before gains, their weighted sum, the normaliser.
// With other ranks the first four are this one's part.
func (d *Device) Losses() (all []kernel.Doubles) {
	op, err := d.lossOp()
	if err != nil {
		return nil
	}
	for _, set := range op.Sets {
		all = append(all, kernel.Doubles{P: d.loss[set].Result, N: lossValues})
	}
	return all
}

func (d *Device) lossOf(op *layers.Loss, backward bool) (*work, error) {
	var all []cuda.Launch
	host := false
	for _, set := range op.Sets {
		h, err := d.headsOf(set)
		if err != nil {
			return nil, err
		}
		if backward {
			all = append(all, h.scatter(d.typ)...)
			continue
		}
		all = append(all, h.gather(d.typ)...)
		c := d.loss[set]
		if c == nil {
			host = true
			continue
		}
		if c.assigns {
			all = append(all, c.Assign()...)
		}
		all = append(all, c.Evaluate()...)
	}
	switch {
	case backward:
		return d.prepared(&op.Base, all...), nil
	case !host:
		return &work{train: all}, nil
	}
	return &work{train: all, host: func(p *graph.Pass) error { return d.lossOnHost(op, p) }}, nil
}

// lossOnHost calls the head sets' functions with the outputs, and brings the gradients to the device.
func (d *Device) lossOnHost(op *layers.Loss, p *graph.Pass) error {
	p.Loss = 0
	for _, set := range op.Sets {
		if set.Func == nil {
			return fmt.Errorf("head set %s has no loss", set.Name)
		}
		out, err := d.Outputs(set, set.Box[0].N)
		if err != nil {
			return err
		}
		dBox, dClass := make([]float32, len(out.Box)), make([]float32, len(out.Class))
		v, err := set.Func(out, dBox, dClass)
		if err != nil {
			return fmt.Errorf("loss of %s: %w", set.Name, err)
		}
		p.Loss += v
		h := d.heads[set]
		if err := errors.Join(d.Stream.CopyIn(h.dBox, raw(dBox)), d.Stream.CopyIn(h.dClass, raw(dClass)), d.Stream.Wait()); err != nil {
			return err
		}
	}
	return nil
}

// Outputs are those of a head set for the first images, after a pass that made them has been put into the stream. They are
// valid until the next call.
func (d *Device) Outputs(set *layers.HeadSet, images int) (loss.Heads, error) {
	h, err := d.headsOf(set)
	if err != nil {
		return loss.Heads{}, err
	}
	out := h.host
	out.N = images
	out.Box, out.Class = out.Box[:images*out.A*4*out.R], out.Class[:images*out.A*out.K]
	if err := d.Module.Run(d.Stream, h.gather(d.typ)...); err != nil {
		return out, err
	}
	return out, errors.Join(d.Stream.CopyOut(raw(out.Box), h.device.Box), d.Stream.CopyOut(raw(out.Class), h.device.Class), d.Stream.Wait())
}
