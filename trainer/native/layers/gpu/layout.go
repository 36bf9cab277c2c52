package gpu

import (
	"errors"
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

// parameters are the arenas of learned values, their gradients and the running statistics: in device memory, and mirrored
// in the host's.
type parameters struct {
	groups                 [graph.Groups]graph.Extent
	weights, grads, stats  cuda.Ptr
	rounded                cuda.Ptr // the weights in bf16, where activations are
	hostWeights, hostGrads []float32
	hostStats              []float32
}

// layout stores vectors by lane, and convolution weights as [group][out lane][kernel x kernel][in lane], lanes those of the
// group; of the image there are 4. What has no logical counterpart is zero and stays so.
type layout struct{}

func (layout) ParamFloats(p *graph.Param) int {
	if len(p.Shape) != 4 {
		return p.Out.Blocks() * graph.Block
	}
	n := 0
	for _, b := range banks(p) {
		n += b.floats
	}
	return n
}

func (layout) StatFloats(s *graph.Stat) int { return s.Segments.Blocks() * graph.Block }

// bank is one group of a convolution: blocks that it reads and writes, and its piece of the weights.
type bank struct {
	first, count     int   // channel blocks of the output
	firstIn, countIn int   // and of the input
	out, in          []int // lanes of its channels, from its first block on
	lanesIn          int
	at, floats       int // of the stored weights
	logical          int // first of the logical ones
}

// banks lists the groups of a convolution with the given weights.
func banks(p *graph.Param) []bank {
	groups := max(p.Groups, 1)
	oc, ic, taps := p.Shape[0]/groups, p.Shape[1], p.Shape[2]*p.Shape[3]
	all := make([]bank, groups)
	at := 0
	for g := range all {
		first, out, _ := p.Out.Cut(g*oc, oc)
		firstIn, in, _ := p.In.Cut(g*ic, ic)
		b := bank{first: first, count: out.Blocks(), firstIn: firstIn, countIn: in.Blocks(), out: out.Lanes(), in: in.Lanes(), at: at, logical: g * oc * ic * taps}
		b.lanesIn = b.countIn * graph.Block
		if p.Image {
			b.lanesIn = imageLanes
		}
		b.floats = b.count * graph.Block * taps * b.lanesIn
		at += b.floats
		all[g] = b
	}
	return all
}

// run is one or more groups that lie side by side and have equal extents, so that kernels can take them as one.
type run struct {
	first, count     int // channel blocks of all its groups' outputs
	firstIn, countIn int // and of their inputs
	at               int // of the stored weights
	groups           int
}

// runs joins the groups of a convolution.
func runs(banks []bank) (all []run) {
	for i, b := range banks {
		if n := len(all); n > 0 && b.count == banks[i-1].count && b.countIn == banks[i-1].countIn &&
			b.first == all[n-1].first+all[n-1].count && b.firstIn == all[n-1].firstIn+all[n-1].countIn {
			r := &all[n-1]
			r.count, r.countIn, r.groups = r.count+b.count, r.countIn+b.countIn, r.groups+1
			continue
		}
		all = append(all, run{b.first, b.count, b.firstIn, b.countIn, b.at, 1})
	}
	return all
}

// arrange allocates the parameters, or takes the first device's.
func (d *Device) arrange() error {
	groups, floats, stats := d.g.Arrange(layout{})
	if d.first != nil {
		d.params = d.first.params
		if len(d.params.hostWeights) != floats || len(d.params.hostStats) != stats {
			return fmt.Errorf("share parameters: %d floats, %d at the larger size", floats, len(d.params.hostWeights))
		}
		return nil
	}
	p := &d.params
	p.groups = groups
	p.hostWeights, p.hostGrads, p.hostStats = make([]float32, floats), make([]float32, floats), make([]float32, stats)
	var err error
	for _, a := range []struct {
		to    *cuda.Ptr
		bytes int64
	}{{&p.weights, 4 * int64(floats)}, {&p.grads, 4 * int64(floats)}, {&p.stats, 4 * int64(stats)}} {
		if *a.to, err = d.take(a.bytes); err != nil {
			return err
		}
	}
	if d.typ == kernel.BFloat16 {
		p.rounded, err = d.take(2 * int64(floats))
	}
	return err
}

// Weights, Grads and Stats are the host's mirrors of the arenas. They are the device's own where Download and Upload bring
// them over, and otherwise as old as the last of these.

// Weights is the mirror of the parameters.
func (d *Device) Weights() []float32 { return d.params.hostWeights }

// Grads is the mirror of the gradients, arranged as Weights.
func (d *Device) Grads() []float32 { return d.params.hostGrads }

// Stats is the mirror of the running statistics.
func (d *Device) Stats() []float32 { return d.params.hostStats }

// Groups returns the extents of the parameter groups in the arenas.
func (d *Device) Groups() [graph.Groups]graph.Extent { return d.params.groups }

// Upload brings weights and statistics to the device, where there is one.
func (d *Device) Upload() error {
	p := &d.params
	if d.Stream == nil {
		return nil
	}
	err := errors.Join(d.Stream.CopyIn(p.weights, raw(p.hostWeights)), d.Stream.CopyIn(p.stats, raw(p.hostStats)))
	if err == nil && p.rounded != 0 {
		err = d.Module.Run(d.Stream, kernel.Round(p.weights, p.rounded, int64(len(p.hostWeights))))
	}
	return errors.Join(err, d.Stream.Wait())
}

// Download brings weights, gradients and statistics to the host.
func (d *Device) Download() error {
	p := &d.params
	return errors.Join(d.Stream.CopyOut(raw(p.hostWeights), p.weights), d.Stream.CopyOut(raw(p.hostGrads), p.grads),
		d.Stream.CopyOut(raw(p.hostStats), p.stats), d.Stream.Wait())
}

// param is where a parameter lies in an arena of so many bytes a value.
func param(arena cuda.Ptr, p *graph.Param, bytes int64) cuda.Ptr {
	return arena.Add(int64(p.Off) * bytes)
}

func (d *Device) stat(s *graph.Stat) cuda.Ptr { return d.params.stats.Add(4 * int64(s.Off)) }

// ExportParam returns p's values in logical order from an arena arranged as Weights.
func (d *Device) ExportParam(p *graph.Param, arena []float32) []float32 {
	from := arena[p.Off : p.Off+p.Len]
	if len(p.Shape) != 4 {
		return export(from, p.Out)
	}
	out := make([]float32, p.Elements())
	each(p, func(logical, stored int) { out[logical] = from[stored] })
	return out
}

// ImportParam sets p's values in such an arena. values has p.Elements() floats.
func (d *Device) ImportParam(p *graph.Param, arena, values []float32) {
	to := arena[p.Off : p.Off+p.Len]
	if len(p.Shape) != 4 {
		place(to, values, p.Out)
		return
	}
	each(p, func(logical, stored int) { to[stored] = values[logical] })
}

// each visits a convolution's weights: the index in logical order, OIHW, and in the stored one.
func each(p *graph.Param, visit func(logical, stored int)) {
	taps := p.Shape[2] * p.Shape[3]
	for _, b := range banks(p) {
		for o, out := range b.out {
			for i, in := range b.in {
				for k := range taps {
					visit(b.logical+(o*len(b.in)+i)*taps+k, b.at+(out*taps+k)*b.lanesIn+in)
				}
			}
		}
	}
}

// ExportStat returns s's values from an arena arranged as Stats.
func (d *Device) ExportStat(s *graph.Stat, arena []float32) []float32 {
	return export(arena[s.Off:s.Off+s.Len], s.Segments)
}

// ImportStat sets s's values in such an arena.
func (d *Device) ImportStat(s *graph.Stat, arena, values []float32) {
	place(arena[s.Off:s.Off+s.Len], values, s.Segments)
}

func export(from []float32, s graph.Segments) []float32 {
	out := make([]float32, 0, s.Channels())
	for _, lane := range s.Lanes() {
		out = append(out, from[lane])
	}
	return out
}

func place(to, values []float32, s graph.Segments) {
	for i, lane := range s.Lanes() {
		to[lane] = values[i]
	}
}

// Arenas are the parameters in device memory; Rounded is 0 where activations are float32.
type Arenas struct{ Weights, Rounded, Grads, Stats cuda.Ptr }

// Arenas are where parameters, gradients and statistics lie on the device.
func (d *Device) Arenas() Arenas {
	return Arenas{d.params.weights, d.params.rounded, d.params.grads, d.params.stats}
}
