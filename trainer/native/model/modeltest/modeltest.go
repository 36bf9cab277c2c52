// Package modeltest makes networks for tests that look as if they had been trained.
package modeltest

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/fold"
	"github.com/mapsweep/mapsweep/trainer/native/model"
)

// Scramble gives a network's normalisations statistics, scales and shifts unlike those at the start, and its boxes
// distributions of a few cells, and returns all tensors. Values stay of the order of 1 from layer to layer.
func Scramble(t testing.TB, n *model.Network, seed uint64) fold.Tensors {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 9))
	named := map[string][]float32{}
	bins := n.Model().Bins
	for x := range n.NamedTensors() {
		arena := n.Weights()
		if x.Stat {
			arena = n.Stats()
		}
		v, err := x.Get(arena)
		if err != nil {
			t.Fatal(err)
		}
		for i := range v {
			switch {
			case strings.HasSuffix(x.Name, "box.out.bias"), strings.HasSuffix(x.Name, ".2.bias") && len(v) == 4*bins:
				v[i] = float32(0.3*r.NormFloat64() - 0.4*float64(i%bins))
			case strings.HasSuffix(x.Name, "var"):
				v[i] = float32(0.1 + 0.5*r.Float64())
			case len(x.Shape) == 1 && v[i] == 1:
				v[i] = float32(0.6 + 0.8*r.Float64())
			case len(x.Shape) == 1:
				v[i] += float32(0.2 * r.NormFloat64())
			}
		}
		if err := x.Set(arena, v); err != nil {
			t.Fatal(err)
		}
		named[x.Name] = v
	}
	return fold.Tensors{Named: named, Labels: n.Model().Labels}
}
