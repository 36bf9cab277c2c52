package gpu

import (
	"errors"
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/cudnn"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// Ours is the way of a pass that our kernels compute; other ways have the names of cuDNN's algorithms.
const Ours = "ours"

// ErrNotChosen is wrapped by errors about kinds of passes of which no choice is known, where none can be made.
var ErrNotChosen = errors.New("nothing was chosen for it before")

// mostWorkspace is how much memory an algorithm of cuDNN may take while it runs, in bytes.
const mostWorkspace = 32 << 20

// foreign is what cuDNN has for passes that follow each other: gradients of weights run beside all others.
type foreign struct {
	handle    *cudnn.Handle // nil: not chosen yet
	workspace region        // of mostWorkspace
}

// Timer measures ways to compute a pass.
type Timer struct {
	Repeats int // of the pass in one measurement, which is one captured graph
	Rounds  int // measurements of each way, of which the shortest counts

	Reckon func(pass, way string) float64 // nil, or gives the seconds of a way in place of measurements
}

// LendToCuDNN takes the memory that convolutions need which cuDNN computes, without using it yet.
func (d *Device) LendToCuDNN() error {
	if len(d.foreign) > 0 {
		return nil
	}
	var most int64
	if err := d.meet(func(p pass) { most = max(most, weightsOf(&p.conv)) }); err != nil {
		return err
	}
	for _, beside := range []bool{false, true} {
		p, err := d.take(mostWorkspace)
		if err != nil {
			return err
		}
		d.foreign[beside] = &foreign{workspace: region{p, mostWorkspace}}
	}
	if d.typ != kernel.BFloat16 {
		return nil
	}
	p, err := d.take(2 * most)
	d.rounded = region{p, 2 * most}
	return err
}

// open makes the handles.
func (d *Device) open(l *cudnn.Library) error {
	for _, f := range d.foreign {
		if f.handle != nil {
			continue
		}
		h, err := l.NewHandle(d.Stream)
		if err != nil {
			return err
		}
		f.handle = h
	}
	return nil
}

// endCuDNN gives back what cuDNN has. Captured work must be gone.
func (d *Device) endCuDNN() error {
	for _, p := range d.plans {
		p.Close()
	}
	clear(d.plans)
	var errs []error
	for _, f := range d.foreign {
		if f.handle != nil {
			errs = append(errs, f.handle.Close())
			f.handle = nil
		}
	}
	return errors.Join(errs...)
}

// meet calls visit with every pass that may be computed in several ways.
func (d *Device) meet(visit func(pass)) error {
	d.met = visit
	defer func() { d.met = nil }()
	for _, s := range d.convolutions() {
		if _, err := d.bind(s); err != nil {
			return err
		}
	}
	return nil
}

// convolutions are the steps of layers that convolve.
func (d *Device) convolutions() (all []graph.Step) {
	for _, s := range append(append([]graph.Step(nil), d.g.Forward...), d.g.Backward...) {
		switch s.Op.(type) {
		case *layers.Conv, *layers.Rep:
			all = append(all, s)
		}
	}
	return all
}

// Choose has each convolution computed by the faster of our kernels and cuDNN, in each direction, and returns what was chosen by
// kind of pass: [Ours], or the name of an algorithm. What is known of them is taken as it is, and runs once, for it must not run
// in a capture first; the rest is timed. Without a timer the error wraps [ErrNotChosen] where some are not known, and the device
// is as it was. It comes after Upload and before anything is captured: programs that were compiled before keep our kernels. It
// overwrites activations and gradients, of which there are none yet. The library must not be closed before the device.
func (d *Device) Choose(l *cudnn.Library, known map[string]string, t *Timer) (map[string]string, error) {
	if t == nil {
		if err := d.covered(known); err != nil {
			return nil, err
		}
	}
	if err := d.LendToCuDNN(); err != nil {
		return nil, err
	}
	if err := d.open(l); err != nil {
		return nil, err
	}
	chosen := map[string]string{}
	ways := map[kind]way{}
	var failed error
	err := d.meet(func(p pass) {
		k := p.kind()
		if failed != nil || chosen[k.String()] != "" {
			return
		}
		w, name, err := d.choose(p, known[k.String()], t)
		if err != nil {
			failed = choosing(k, err)
			return
		}
		if chosen[k.String()] = name; name != Ours {
			ways[k] = w
		}
	})
	if err := errors.Join(failed, err); err != nil {
		return nil, err
	}
	d.ways = ways
	d.shares = share(d.sliced(), d.beside.bytes)
	for _, s := range d.convolutions() {
		delete(d.bound, s)
	}
	return chosen, nil
}

// covered says which pass nothing is known of, or nil.
func (d *Device) covered(known map[string]string) error {
	var missing error
	err := d.meet(func(p pass) {
		if k := p.kind(); missing == nil && known[k.String()] == "" {
			missing = choosing(k, ErrNotChosen)
		}
	})
	return errors.Join(missing, err)
}

func choosing(k kind, err error) error {
	return fmt.Errorf("choose who computes the convolution %s: %w", k, err)
}

// choose finds the way of a name, or, where that is "", the fastest one.
func (d *Device) choose(p pass, name string, t *Timer) (way, string, error) {
	p.conv.Norm = nil // or trials would move running statistics; who makes the product makes them of its sums in like time
	if name == Ours {
		return way{}, Ours, nil
	}
	all, err := d.offers(p.kind())
	if name == "" {
		if err != nil { // shapes that the library does not know
			return way{}, Ours, d.intact(err)
		}
		return d.fastest(p, all, t)
	}
	for _, w := range all {
		if w.algorithm.String() == name {
			return w, name, d.once(d.theirs(p, w))
		}
	}
	return way{}, "", errors.Join(fmt.Errorf("this cuDNN does not offer %s, which was chosen before", name), err)
}

// intact passes an error on where the GPU can do nothing more, and drops it where the library has refused something.
func (d *Device) intact(err error) error {
	if errors.Is(err, cuda.ErrLost) {
		return err
	}
	return d.Stream.Wait()
}

// offers are cuDNN's ways to compute passes of a kind.
func (d *Device) offers(k kind) (all []way, err error) {
	plan := d.plans[k]
	if plan == nil {
		if plan, err = d.foreign[k.Direction == cudnn.Filter].handle.Plan(k.Shape); err != nil {
			return nil, err
		}
		d.plans[k] = plan
	}
	algorithms, err := plan.Algorithms(k.Direction, mostWorkspace)
	for _, a := range algorithms {
		all = append(all, way{plan, a})
	}
	return all, err
}

// fastest times our kernels and the ways of cuDNN that can be captured.
func (d *Device) fastest(p pass, all []way, t *Timer) (way, string, error) {
	if len(all) == 0 {
		return way{}, Ours, nil
	}
	var timed string // the way that ran last
	var candidates []cudnn.Candidate
	var graphs []*cuda.Captured
	defer func() {
		for _, g := range graphs {
			_ = g.Close()
		}
	}()
	try := func(name string, launches []cuda.Launch) error {
		g, err := d.repeated(launches, t.Repeats)
		if err != nil {
			return err
		}
		graphs = append(graphs, g)
		candidates = append(candidates, cudnn.Candidate{Name: name, Run: func() error {
			timed = name
			return g.Launch(d.Stream)
		}})
		return nil
	}
	if err := try(Ours, d.alone(p)); err != nil {
		return way{}, "", err
	}
	tried := []way{{}}
	for _, w := range all {
		if err := try(w.algorithm.String(), d.theirs(p, w)); err == nil {
			tried = append(tried, w)
		} else if err := d.intact(err); err != nil {
			return way{}, "", err
		}
	}
	i, err := cudnn.Fastest(candidates, t.Rounds, func(run func() error) (float64, error) {
		s, err := d.seconds(run)
		if t.Reckon != nil {
			s = t.Reckon(p.kind().String(), timed)
		}
		return s, err
	})
	if err = errors.Join(err, d.Stream.Wait()); err != nil {
		return way{}, "", err
	}
	return tried[i], candidates[i].Name, nil
}

// alone is what our kernels launch for a pass. Adding up slices is left out: it is a small part of a launch for many of them.
func (d *Device) alone(p pass) []cuda.Launch {
	if p.direction != cudnn.Filter {
		return d.ours(p)
	}
	l, _ := p.slices(d.beside.p)
	return []cuda.Launch{l}
}

// once runs launches outside of a capture, so that libraries load what they need.
func (d *Device) once(launches []cuda.Launch) error {
	return errors.Join(d.Module.Run(d.Stream, launches...), d.Stream.Wait())
}

// repeated runs launches once, and records some repetitions.
func (d *Device) repeated(launches []cuda.Launch, times int) (*cuda.Captured, error) {
	if err := d.once(launches); err != nil {
		return nil, err
	}
	run := func() error { return d.Module.Run(d.Stream, launches...) }
	return d.Stream.Capture(func() error {
		for range max(1, times) {
			if err := run(); err != nil {
				return err
			}
		}
		return nil
	})
}

// seconds is how long the device is at work on what run puts into the stream.
func (d *Device) seconds(run func() error) (s float64, err error) {
	from, err := d.GPU.NewEvent(true)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := d.GPU.NewEvent(true)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if err := errors.Join(from.Record(d.Stream), run(), to.Record(d.Stream), to.Wait()); err != nil {
		return 0, err
	}
	return cuda.Seconds(from, to)
}
