package model

import (
	"hash/fnv"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// initial returns the initial values of a parameter of op in logical order. Convolution weights are uniform in
// +-1/sqrt(fan in), the default of PyTorch's Conv2d (kaiming_uniform with a = sqrt 5), and so are biases of
// convolutions outside heads; scales are 1 and shifts 0. Box biases are 1. Class biases are ln(5 / K / cells): about 5
// objects an image (YOLOv8's prior). cells are those of the level, for DDetect those of an image of 640 x 640 pixels as
// in the official code. Values depend on seed and name alone, not on the batch or on other layers.
func (n *Network) initial(seed int64, p *graph.Param, op graph.Op, set *layers.HeadSet, box bool) []float32 {
	v := make([]float32, p.Elements())
	c, isConv := op.(*layers.Conv)
	switch {
	case p.Group == graph.Decay, set == nil && isConv && !c.Norm:
		weights := p
		if p.Group != graph.Decay {
			weights = op.Params()[0]
		}
		bound := 1 / math.Sqrt(float64(layers.FanIn(weights)))
		key := streamKey(seed, p.Name)
		for i := range v {
			v[i] = float32((2*uniform(key, uint64(i)) - 1) * bound)
		}
	case p.Group == graph.Norm, set != nil && box:
		fill(v, 1)
	case set != nil:
		fill(v, float32(math.Log(5/float64(set.Classes)/n.cells(set, op.Output()))))
	}
	return v
}

// cells is the number of cells that the prior of t's level counts with.
func (n *Network) cells(set *layers.HeadSet, t *graph.Tensor) float64 {
	if n.model.Head.Module != spec.DDetect {
		return float64(t.H * t.W)
	}
	side := 640 / float64(set.Strides[slices.Index(set.Class, t)])
	return side * side
}

func fill(v []float32, x float32) {
	for i := range v {
		v[i] = x
	}
}

// streamKey makes one key of seed and name.
func streamKey(seed int64, name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return mix(mix(uint64(seed)) ^ h.Sum64())
}

// uniform is draw i of the stream key, in [0, 1) with 53 bits.
func uniform(key, i uint64) float64 {
	return float64(mix(key+i*0x9e3779b97f4a7c15)>>11) / (1 << 53)
}

// mix is the output function of SplitMix64 (Steele, Lea, Flood 2014).
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
