package native

import (
	"math"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// decoder turns a head's output into candidates. Its buffers are reused.
type decoder struct {
	some    []evaluate.Candidate
	scratch []float64
}

// candidates lists what the head finds in image n of the batch with a score above least or just below it (suppression
// looks again): every class of every anchor point by itself, corners clipped to the picture of size pixels a side. The
// list is overwritten by the next call.
func (d *decoder) candidates(h loss.Heads, n int, size float64, score float32) []evaluate.Candidate {
	if len(d.scratch) < h.R {
		d.scratch = make([]float64, h.R)
	}
	least := float32(-math.Log(1/float64(score)-1)) - 1e-3 // just below the logit of the limit
	d.some = d.some[:0]
	for a := range h.A {
		box, decoded := evaluate.Candidate{}, false
		for k, z := range h.Class[(n*h.A+a)*h.K : (n*h.A+a+1)*h.K] {
			if !(z > least) {
				continue
			}
			if !decoded {
				b := loss.Decode(h, n, a, d.scratch)
				box.X0, box.Y0, box.X1, box.Y1 = within(b.X0, size), within(b.Y0, size), within(b.X1, size), within(b.Y1, size)
				decoded = true
			}
			box.Class, box.Score = k, float32(1/(1+math.Exp(-float64(z))))
			d.some = append(d.some, box)
		}
	}
	return d.some
}

// found lists what the head finds in image n of a batch, as detectors are scored. The list is overwritten by the next call.
func (d *decoder) found(h loss.Heads, n int, size float64) []evaluate.Candidate {
	o := evaluate.DefaultNMS
	return evaluate.NMS(d.candidates(h, n, size, o.Score), o)
}

func within(v, size float64) float32 { return float32(min(max(v, 0), size)) }

// levels has the bytes 0..255 as 0..1.
func levels() (level [256]float32) {
	for i := range level {
		level[i] = float32(i) / 255
	}
	return level
}
