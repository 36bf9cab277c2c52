package cpu

import (
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// layout is how parameters are stored: vectors by channel, and convolution weights as
// [groups][out blocks][in blocks][kernel][kernel][16 in][16 out], blocks those of a group. Channels lie in their lanes as
// in the tensors that the layer reads and writes (graph.Segments). The image's weights fill 3 of the 16 input lanes.
// Everything that has no logical counterpart is zero and stays so.
type layout struct{}

func (layout) ParamFloats(p *graph.Param) int {
	if len(p.Shape) == 4 {
		groups := max(p.Groups, 1)
		return groups * kernels.WeightLen(p.Out.Blocks()/groups*graph.Block, p.In.Blocks()/groups*graph.Block, p.Shape[2])
	}
	return p.Out.Blocks() * graph.Block
}

func (layout) StatFloats(s *graph.Stat) int { return s.Segments.Blocks() * graph.Block }

// bank is one group of a convolution: what it reads and writes, and its piece of the weights.
type bank struct {
	first, count      int   // channel blocks of the output
	firstIn, countIn  int   // and of the input
	out, in           []int // lanes of its channels, from its first block on
	at, floats        int   // of the stored weights
	logical, elements int   // and of the logical ones
}

// banks lists the groups of a convolution with the given weights.
func banks(p *graph.Param) []bank {
	groups := max(p.Groups, 1)
	oc, ic := p.Shape[0]/groups, p.Shape[1]
	all := make([]bank, groups)
	at := 0
	for g := range all {
		first, out, _ := p.Out.Cut(g*oc, oc)
		firstIn, in, _ := p.In.Cut(g*ic, ic)
		b := bank{first: first, count: out.Blocks(), firstIn: firstIn, countIn: in.Blocks(), out: out.Lanes(), in: in.Lanes(), at: at}
		b.floats = kernels.WeightLen(b.count*graph.Block, b.countIn*graph.Block, p.Shape[2])
		b.elements = oc * layers.FanIn(p)
		b.logical = g * b.elements
		at += b.floats
		all[g] = b
	}
	return all
}

// ExportParam returns p's values in logical order from an arena arranged as Weights.
func (d *Device) ExportParam(p *graph.Param, arena []float32) []float32 {
	from := d.of(arena, p)
	if len(p.Shape) != 4 {
		return export(from, p.Out)
	}
	out := make([]float32, p.Elements())
	for _, b := range banks(p) {
		kernels.UnpackWeights(out[b.logical:][:b.elements], from[b.at:][:b.floats], b.out, b.in, p.Shape[2])
	}
	return out
}

// ImportParam sets p's values in such an arena. values has p.Elements() floats.
func (d *Device) ImportParam(p *graph.Param, arena, values []float32) { importParam(p, arena, values) }

func importParam(p *graph.Param, arena, values []float32) {
	to := arena[p.Off : p.Off+p.Len]
	if len(p.Shape) != 4 {
		place(to, values, p.Out)
		return
	}
	for _, b := range banks(p) {
		kernels.PackWeights(to[b.at:][:b.floats], values[b.logical:][:b.elements], b.out, b.in, p.Shape[2])
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
