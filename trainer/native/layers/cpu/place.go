package cpu

import (
	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/layers/lifetime"
)

// disturbs tells whether the use of o leaves something in the halo of l: they share memory, and pixels of the one lie
// where the other has its halo.
func disturbs(l, o *lifetime.Life) bool {
	if l == o || l.At >= o.At+o.Size || o.At >= l.At+l.Size {
		return false
	}
	plane := (l.T.H + 2) * (l.T.W + 2) * graph.Block
	return l.T.Image != o.T.Image || l.T.H != o.T.H || l.T.W != o.T.W || (l.At-o.At)%plane != 0
}
