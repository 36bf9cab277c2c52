package gpu

import (
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// work is what a step comes to: launches in training and in evaluation, and what only the host can do after the launches of
// training (a loss that is a function in Go), with the launches that follow it.
type work struct {
	train, eval []cuda.Launch
	host        func(*graph.Pass) error
	after       []cuda.Launch
}

func always(launches ...cuda.Launch) *work { return &work{train: launches, eval: launches} }

// Bind returns the kernel of a step; nil where nothing is to be done.
func (d *Device) Bind(s graph.Step) (graph.Kernel, error) {
	w, err := d.work(s)
	if err != nil || w == nil {
		return nil, err
	}
	return graph.KernelFunc(func(p *graph.Pass) error {
		if err := d.run([]*work{w}, p); err != nil {
			return err
		}
		return d.Stream.Wait()
	}), nil
}

// Compile joins the steps' launches. A run puts them into the stream; it waits only for a loss in Go.
func (d *Device) Compile(steps []graph.Step) (graph.Program, error) {
	var p program
	p.d = d
	for _, s := range steps {
		w, err := d.work(s)
		if err != nil {
			return nil, err
		}
		if w != nil {
			p.works = append(p.works, w)
		}
	}
	return p, nil
}

type program struct {
	d     *Device
	works []*work
}

func (p program) Run(pass *graph.Pass) error { return p.d.run(p.works, pass) }

func (d *Device) run(works []*work, pass *graph.Pass) error {
	var pending []cuda.Launch
	for _, w := range works {
		if !pass.Train {
			pending = append(pending, w.eval...)
			continue
		}
		pending = append(pending, w.train...)
		if w.host == nil {
			continue
		}
		if err := d.Module.Run(d.Stream, pending...); err != nil {
			return err
		}
		if err := w.host(pass); err != nil {
			return err
		}
		pending = append(pending[:0], w.after...)
	}
	return d.Module.Run(d.Stream, pending...)
}

// Launches are the launches of the steps in order, for a capture. It fails where a step needs the host.
func (d *Device) Launches(steps []graph.Step, train bool) (all []cuda.Launch, err error) {
	for _, s := range steps {
		w, err := d.work(s)
		switch {
		case err != nil:
			return nil, err
		case w == nil:
		case !train:
			all = append(all, w.eval...)
		case w.host != nil:
			return nil, fmt.Errorf("the loss of %s is computed on the host: it cannot be captured", s.Op.Kind())
		default:
			all = append(all, w.train...)
		}
	}
	return all, nil
}

// work makes a step's work once.
func (d *Device) work(s graph.Step) (*work, error) {
	if w, ok := d.bound[s]; ok {
		return w, nil
	}
	w, err := d.bind(s)
	if err != nil {
		return nil, fmt.Errorf("bind %s: %w", s.Op.Kind(), err)
	}
	d.bound[s] = w
	return w, nil
}

func (d *Device) bind(s graph.Step) (*work, error) {
	switch op := s.Op.(type) {
	case *layers.Conv:
		return d.conv(op, s.Backward)
	case *layers.Rep:
		return d.rep(op, s.Backward)
	case *layers.Concat:
		return d.concat(op, s.Backward), nil
	case *layers.Part:
		return d.part(op, s.Backward), nil
	case *layers.Add:
		return d.add(op, s.Backward), nil
	case *layers.Upsample:
		return d.upsample(op, s.Backward), nil
	case *layers.MaxPool:
		return d.maxPool(op, s.Backward)
	case *layers.AvgPool:
		return d.avgPool(op, s.Backward), nil
	case *layers.Fuse:
		return d.fuse(op, s.Backward), nil
	case *layers.Regroup:
		return d.regroup(op, s.Backward)
	case *layers.Loss:
		return d.lossOf(op, s.Backward)
	}
	return nil, fmt.Errorf("no kernel for %T", s.Op)
}

// prepared is launches after setting to zero what is about to be read or added to and was never written: gaps in the
// gradient of the output, and ranges to clear before a contribution.
func (d *Device) prepared(b *graph.Base, launches ...cuda.Launch) *work {
	var all []cuda.Launch
	zero := func(t *graph.Tensor, rs []graph.Range) {
		for _, r := range rs {
			all = append(all, kernel.Zero(d.typ, d.window(d.grad(t), r.First, r.N)))
		}
	}
	if b.Out != nil {
		zero(b.Out, b.Gaps)
	}
	for _, c := range b.Sends {
		zero(c.To, c.Clear)
	}
	if all = append(all, launches...); len(all) == 0 {
		return nil
	}
	return &work{train: all}
}
