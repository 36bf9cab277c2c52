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
	scale := weight * float64(h.N) / t.Total
	classes := l.classes(h, t, gains.Class*scale, dClass)
	p := Parts{Class: classes / t.Total}
	clear(dBox)
	b := &l.boxing
	b.h, b.t, b.gains, b.scale, b.dBox, b.points = h, t, gains, scale, dBox, b.points[:0]
	for i, truth := range t.Truth {
		if truth >= 0 {
			b.points = append(b.points, point{at: i})
		}
	}
	l.each((len(b.points)+pointsEach-1)/pointsEach, b)
	for _, o := range b.points {
		w := float64(t.Score[o.at])
		p.Box += o.box * w
		p.DFL += o.dfl * w
	}
	p.Box /= t.Total
	p.DFL /= t.Total
	return p, nil
}

// A piece of a job is so many class logits, or so many points with an object.
const (
	termsEach  = 1 << 14
	pointsEach = 16
)

// classing is the class loss: the terms of some logits, and their gradient scale (p - target).
type classing struct {
	l      *Loss
	h      Heads
	t      *Targets
	scale  float64
	dClass []float32
	first  int       // logit of the first term
	terms  []float64 // so many logits at a time
}

// classes returns the sum of the binary cross-entropies, or what l.Classes makes of it, and writes the gradient.
func (l *Loss) classes(h Heads, t *Targets, scale float64, dClass []float32) float64 {
	j := &l.classing
	j.l, j.h, j.t, j.scale, j.dClass = l, h, t, scale, dClass
	sum := 0.0
	for j.first = 0; j.first < len(h.Class); j.first += len(j.terms) {
		n := min(len(j.terms), len(h.Class)-j.first)
		l.each((n+termsEach-1)/termsEach, j)
		for _, v := range j.terms[:n] {
			sum += v
		}
	}
	if l.Classes.special() {
		return sum
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

func (j *classing) do(_ *room, piece int) {
	from := piece * termsEach
	to := min(from+termsEach, len(j.terms), len(j.h.Class)-j.first)
	if j.l.Classes.special() {
		j.special(from, to)
		return
	}
	for i, z32 := range j.h.Class[j.first+from : j.first+to] {
		z := float64(z32)
		e := math.Exp(-math.Abs(z))
		p := 1 / (1 + e)
		if z < 0 {
			p = e / (1 + e)
		}
		j.terms[from+i] = max(z, 0) + math.Log(1+e)
		j.dClass[j.first+from+i] = float32(j.scale * p)
	}
}

// boxing is the box loss and the distribution focal loss of the points that have an object.
type boxing struct {
	h      Heads
	t      *Targets
	gains  Gains
	scale  float64
	dBox   []float32
	points []point
}

type point struct {
	at       int // in the batch
	box, dfl float64
}

func (j *boxing) do(r *room, piece int) {
	h := j.h
	for i := piece * pointsEach; i < min((piece+1)*pointsEach, len(j.points)); i++ {
		o := &j.points[i]
		w := float64(j.t.Score[o.at])
		logits, grad := h.Box[o.at*4*h.R:(o.at+1)*4*h.R], j.dBox[o.at*4*h.R:(o.at+1)*4*h.R]
		o.box, o.dfl = r.point(h, o.at%h.A, j.t.truth[j.t.Truth[o.at]], logits, j.gains.Box*j.scale*w, j.gains.DFL*j.scale*w/4, grad)
	}
}

// point returns 1 - CIoU and the distribution focal loss of one point and writes their
// gradient by its 4*R logits, scaled by gBox and gDFL (for the sum over the sides).
func (w *room) point(h Heads, a int, o Truth, logits []float32, gBox, gDFL float64, grad []float32) (box, dfl float64) {
	r := h.R
	var d, logSum [4]float64
	for s := range d {
		mean, top, sum := softmax(logits[s*r:(s+1)*r], w.sides[s*r:(s+1)*r])
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
		p, z := w.sides[s*r:(s+1)*r], logits[s*r:(s+1)*r]
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
