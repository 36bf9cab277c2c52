package loss

import (
	"fmt"
	"math"

	"github.com/mapsweep/mapsweep/trainer/native/assign"
)

// Gains weigh the three components.
type Gains struct{ Box, Class, DFL float64 }

// Total is the weighted sum of the parts.
func (g Gains) Total(p Parts) float64 { return g.Box*p.Box + g.Class*p.Class + g.DFL*p.DFL }

// Targets say what every anchor point of a batch learns. They belong to the Loss that
// made them; its next Targets call overwrites them.
type Targets struct {
	Truth []int32   // N*A: index into the truths, -1 background
	Score []float32 // N*A: target score of the truth's class, 0..1; 0 for background
	Total float64   // max(sum of scores, 1): what every component is divided by
	truth []Truth
}

// Loss computes losses with buffers of its own: the zero value is ready, one goroutine
// at a time, no allocation once the buffers have grown.
type Loss struct {
	Method  assign.Method // of the assignment; zero: assign.Usual
	Classes Classes       // how class losses are made; zero: plain binary cross-entropy

	assigner assign.Assigner
	objects  []assign.Object
	inside   []bool
	boxes    []float32
	scores   []float32 // A*K
	prob     []float64 // R
	sides    []float64 // 4*R
	targets  Targets
}

// Compute assigns and evaluates: the parts before gains, and in dBox (N*A*4*R) and
// dClass (N*A*K), both overwritten, the gradient of
//
//	weight * N * (gains.Box*box + gains.Class*class + gains.DFL*dfl)
//
// by the logits. N enters because the reference trainers scale the loss by the batch
// size; weight is 1 for the main head. truths must be ordered by image.
func (l *Loss) Compute(h Heads, truths []Truth, gains Gains, weight float64, dBox, dClass []float32) (Parts, error) {
	t, err := l.Assign(h, truths)
	if err != nil {
		return Parts{}, err
	}
	return l.Evaluate(h, t, gains, weight, dBox, dClass)
}

// Assign runs task-aligned assignment for every image of the batch.
func (l *Loss) Assign(h Heads, truths []Truth) (*Targets, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	l.grow(h)
	l.assigner.Method = l.Method
	t := &l.targets
	t.truth = truths
	sum, first := 0.0, 0
	for n := range h.N {
		l.objects = l.objects[:0]
		for j := first; j < len(truths) && truths[j].Image == n; j++ {
			o := truths[j]
			if o.Class < 0 || o.Class >= h.K {
				return nil, fmt.Errorf("assign targets: class %d of %d in image %d", o.Class, h.K, n)
			}
			l.objects = append(l.objects, assign.Object{Class: o.Class, X0: o.X0, Y0: o.Y0, X1: o.X1, Y1: o.Y1})
		}
		row := t.Truth[n*h.A : (n+1)*h.A]
		score := t.Score[n*h.A : (n+1)*h.A]
		sum += l.assign(h, n, first, row, score)
		first += len(l.objects)
	}
	if first != len(truths) {
		return nil, fmt.Errorf("assign targets: truth %d of %d is out of order or of image %d of %d", first, len(truths), truths[first].Image, h.N)
	}
	t.Total = max(sum, 1)
	return t, nil
}

// assign fills the rows of image n, whose truths start at first, and returns the sum of its scores.
func (l *Loss) assign(h Heads, n, first int, row []int32, score []float32) float64 {
	assign.Inside(h.Points, l.objects, l.inside)
	for a, in := range l.inside {
		if !in {
			continue
		}
		l.decode(h, n, a, l.boxes[4*a:4*a+4])
		for k, z := range h.Class[(n*h.A+a)*h.K : (n*h.A+a+1)*h.K] {
			l.scores[a*h.K+k] = float32(1 / (1 + math.Exp(-float64(z))))
		}
	}
	r := l.assigner.Assign(h.Points, l.boxes, l.scores, h.K, l.objects)
	sum := 0.0
	for a, o := range r.Object {
		row[a], score[a] = -1, 0
		if o >= 0 {
			row[a], score[a] = int32(first)+o, r.Score[a]
			sum += float64(r.Score[a])
		}
	}
	return sum
}

// decode writes the predicted corners of point a of image n.
func (l *Loss) decode(h Heads, n, a int, box []float32) {
	b := Decode(h, n, a, l.prob)
	box[0], box[1], box[2], box[3] = float32(b.X0), float32(b.Y0), float32(b.X1), float32(b.Y1)
}

// Decode returns the predicted corners of point a of image n, in pixels, not clipped.
// scratch has room for R numbers.
func Decode(h Heads, n, a int, scratch []float64) assign.Box {
	var d [4]float64
	at := (n*h.A + a) * 4 * h.R
	for side := range d {
		d[side], _, _ = softmax(h.Box[at+side*h.R:at+(side+1)*h.R], scratch)
	}
	return corners(h, a, d)
}

// corners turns distances in strides (left, top, right, bottom) into pixels.
func corners(h Heads, a int, d [4]float64) assign.Box {
	x, y, s := float64(h.Points[2*a]), float64(h.Points[2*a+1]), float64(h.Stride[a])
	return assign.Box{X0: x - d[0]*s, Y0: y - d[1]*s, X1: x + d[2]*s, Y1: y + d[3]*s}
}

// softmax writes the probabilities of the logits and returns their expectation
// sum k p_k, and the log sum exp of the logits as top + log sum.
func softmax(logits []float32, prob []float64) (mean, top, sum float64) {
	highest := logits[0]
	for _, z := range logits[1:] {
		highest = max(highest, z)
	}
	top = float64(highest)
	for k, z := range logits {
		e := math.Exp(float64(z) - top)
		prob[k] = e
		sum += e
		mean += float64(k) * e
	}
	for k := range logits {
		prob[k] /= sum
	}
	return mean / sum, top, sum
}

func (l *Loss) grow(h Heads) {
	if len(l.scores) != h.A*h.K || len(l.inside) != h.A || len(l.prob) != h.R {
		l.scores = make([]float32, h.A*h.K)
		l.inside, l.boxes = make([]bool, h.A), make([]float32, 4*h.A)
		l.prob, l.sides = make([]float64, h.R), make([]float64, 4*h.R)
	}
	if len(l.targets.Truth) != h.N*h.A {
		l.targets.Truth, l.targets.Score = make([]int32, h.N*h.A), make([]float32, h.N*h.A)
	}
}

func (h Heads) check() error {
	if h.N < 1 || h.A < 1 || h.K < 1 || h.R < 2 {
		return fmt.Errorf("check heads: %d images, %d points, %d classes, %d bins", h.N, h.A, h.K, h.R)
	}
	if len(h.Box) != h.N*h.A*4*h.R || len(h.Class) != h.N*h.A*h.K || len(h.Points) != 2*h.A || len(h.Stride) != h.A {
		return fmt.Errorf("check heads: %d box and %d class logits, %d point and %d stride numbers do not fit N %d, A %d, R %d, K %d",
			len(h.Box), len(h.Class), len(h.Points), len(h.Stride), h.N, h.A, h.R, h.K)
	}
	return nil
}
