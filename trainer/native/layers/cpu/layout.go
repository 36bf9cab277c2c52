package cpu

import (
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// layout is how parameters are stored: vectors by channel, padded to whole blocks; convolution weights as
// [out blocks][in blocks][kernel][kernel][16 in][16 out]. The image's weights fill 3 of the 16 input lanes. Everything
// that has no logical counterpart is zero and stays so.
type layout struct{}

func (layout) ParamFloats(p *graph.Param) int {
	if len(p.Shape) == 4 {
		return kernels.WeightLen(p.Shape[0], p.Shape[1], p.Shape[2])
	}
	return padded(p.Elements())
}

func (layout) StatFloats(s *graph.Stat) int { return padded(s.Channels) }

func padded(channels int) int { return kernels.Blocks(channels) * kernels.Lanes }

// ExportParam returns p's values in logical order from an arena arranged as Weights.
func (d *Device) ExportParam(p *graph.Param, arena []float32) []float32 {
	out := make([]float32, p.Elements())
	if s := p.Shape; len(s) == 4 {
		kernels.UnpackWeights(out, d.of(arena, p), s[0], s[1], s[2])
	} else {
		copy(out, d.of(arena, p))
	}
	return out
}

// ImportParam sets p's values in such an arena. values has p.Elements() floats.
func (d *Device) ImportParam(p *graph.Param, arena, values []float32) {
	if s := p.Shape; len(s) == 4 {
		kernels.PackWeights(d.of(arena, p), values, s[0], s[1], s[2])
	} else {
		copy(d.of(arena, p), values)
	}
}

// ExportStat returns s's values from an arena arranged as Stats.
func (d *Device) ExportStat(s *graph.Stat, arena []float32) []float32 {
	return append([]float32(nil), arena[s.Off:s.Off+s.Channels]...)
}

// ImportStat sets s's values in such an arena.
func (d *Device) ImportStat(s *graph.Stat, arena, values []float32) {
	copy(arena[s.Off:s.Off+s.Channels], values)
}
