package loss

import (
	"fmt"
	"math"

	"github.com/mapsweep/mapsweep/trainer/native/assign"
)

// Evaluate computes the parts and the gradient for given targets, which are held
// constant, as is CIoU's alpha. t must come from Assign, of l or of another Loss, with the same shapes and truths.
// Arguments as for Compute.
//
//	class = sum BCE(logit, target) / total, or what l.Classes makes of it
//	box   = sum (1 - CIoU) score / total
//	dfl   = sum mean over 4 sides (-(l+1-d) log p_l - (d-l) log p_{l+1}) score / total
//
// with d the distance from point to side in strides, clipped to 0 .., and l its
// floor (Li et al. 2020, arXiv:2006.04388, equation 6).
func (l *Loss) Evaluate(h Heads, t *Targets, gains Gains, weight float64, dBox, dClass []float32) (Parts, error) {
	if len(dBox) != len(h.Box) || len(dClass) != len(h.Class) {
		return Parts{}, fmt.Errorf("evaluate loss: room for %d box and %d class gradients, want %d and %d", len(dBox), len(dClass), len(h.Box), len(h.Class))
	}
	if err := h.check(); err != nil {
		return Parts{}, err
	}
	if len(t.Truth) != h.N*h.A {
		return Parts{}, fmt.Errorf("evaluate loss: targets of %d points for %d", len(t.Truth), h.N*h.A)
	}
	l.grow(h)
	classes := l.classes
	if l.Classes.special() {
		classes = l.specialClasses
	}
	scale := weight * float64(h.N) / t.Total
	p := Parts{Class: classes(h, t, gains.Class*scale, dClass) / t.Total}
	clear(dBox)
	for i, truth := range t.Truth {
		if truth < 0 {
			continue
		}
		w := float64(t.Score[i])
		at := i * 4 * h.R
		box, dfl := l.point(h, i%h.A, t.truth[truth], h.Box[at:at+4*h.R],
			gains.Box*scale*w, gains.DFL*scale*w/4, dBox[at:at+4*h.R])
		p.Box += box * w
		p.DFL += dfl * w
	}
	p.Box /= t.Total
	p.DFL /= t.Total
	return p, nil
}

// classes returns the sum of the binary cross-entropies and writes scale (p - target).
func (l *Loss) classes(h Heads, t *Targets, scale float64, dClass []float32) float64 {
	sum := 0.0
	for i, z32 := range h.Class {
		z := float64(z32)
		e := math.Exp(-math.Abs(z))
		p := 1 / (1 + e)
		if z < 0 {
			p = e / (1 + e)
		}
		sum += max(z, 0) + math.Log(1+e)
		dClass[i] = float32(scale * p)
	}
	for i, truth := range t.Truth {
		if truth < 0 {
			continue
		}
		at := i*h.K + t.truth[truth].Class
		z, score := float64(h.Class[at]), float64(t.Score[i])
		sum -= z * score
		dClass[at] = float32(scale * (1/(1+math.Exp(-z)) - score))
	}
	return sum
}

// point returns 1 - CIoU and the distribution focal loss of one point and writes their
// gradient by its 4*R logits, scaled by gBox and gDFL (for the sum over the sides).
func (l *Loss) point(h Heads, a int, o Truth, logits []float32, gBox, gDFL float64, grad []float32) (box, dfl float64) {
	r := h.R
	var d, logSum [4]float64
	for s := range d {
		mean, top, sum := softmax(logits[s*r:(s+1)*r], l.sides[s*r:(s+1)*r])
		d[s], logSum[s] = mean, top+math.Log(sum)
	}
	truth := assign.Box{X0: float64(o.X0), Y0: float64(o.Y0), X1: float64(o.X1), Y1: float64(o.Y1)}
	ciou, g := assign.CIoUGrad(corners(h, a, d), truth)
	stride := float64(h.Stride[a])
	// box loss is 1 - CIoU; x0 = x - d0 stride, x1 = x + d2 stride.
	byDistance := [4]float64{g.X0 * stride, g.Y0 * stride, -g.X1 * stride, -g.Y1 * stride}
	x, y := float64(h.Points[2*a]), float64(h.Points[2*a+1])
	want := [4]float64{x - truth.X0, y - truth.Y0, truth.X1 - x, truth.Y1 - y}
	for s := range d {
		p, z := l.sides[s*r:(s+1)*r], logits[s*r:(s+1)*r]
		t := min(max(want[s]/stride, 0), float64(r)-1.01)
		left := int(t)
		wl := float64(left+1) - t
		dfl += (logSum[s] - wl*float64(z[left]) - (1-wl)*float64(z[left+1])) / 4
		for k, pk := range p {
			target := 0.0
			switch k {
			case left:
				target = wl
			case left + 1:
				target = 1 - wl
			}
			grad[s*r+k] = float32(gBox*byDistance[s]*pk*(float64(k)-d[s]) + gDFL*(pk-target))
		}
	}
	return 1 - ciou, dfl
}
