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

// Loss computes losses with buffers of its own: the zero value is ready, one call at a time, no allocation with one thread
// once the buffers have grown.
type Loss struct {
	Method  assign.Method // of the assignment; zero: assign.Usual
	Classes Classes       // how class losses are made; zero: plain binary cross-entropy

	// Threads is how many goroutines share the work, the calling one included; results have the same bits for every number. 0: 1.
	Threads int

	rooms     []room
	targets   Targets
	assigning assigning
	classing  classing
	boxing    boxing
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
	t, j := &l.targets, &l.assigning
	t.truth = truths
	j.l, j.h = l, h
	at := 0
	for n := range h.N {
		j.first[n] = at
		for ; at < len(truths) && truths[at].Image == n; at++ {
			if c := truths[at].Class; c < 0 || c >= h.K {
				return nil, fmt.Errorf("assign targets: class %d of %d in image %d", c, h.K, n)
			}
		}
	}
	j.first[h.N] = at
	if at != len(truths) {
		return nil, fmt.Errorf("assign targets: truth %d of %d is out of order or of image %d of %d", at, len(truths), truths[at].Image, h.N)
	}
	l.each(h.N, j)
	sum := 0.0
	for _, s := range j.sums {
		sum += s
	}
	t.Total = max(sum, 1)
	return t, nil
}

// assigning is the assignment of a batch, a piece an image.
type assigning struct {
	l     *Loss
	h     Heads
	first []int     // N+1: the first truth of each image
	sums  []float64 // N: sum of the scores of each image
}

// do fills the rows of image n.
func (j *assigning) do(r *room, n int) {
	h, t := j.h, &j.l.targets
	first, end := j.first[n], j.first[n+1]
	r.objects = r.objects[:0]
	for _, o := range t.truth[first:end] {
		r.objects = append(r.objects, assign.Object{Class: o.Class, X0: o.X0, Y0: o.Y0, X1: o.X1, Y1: o.Y1})
	}
	assign.Inside(h.Points, r.objects, r.inside)
	for a, in := range r.inside {
		if !in {
			continue
		}
		decode(h, n, a, r.boxes[4*a:4*a+4], r.prob)
		for k, z := range h.Class[(n*h.A+a)*h.K : (n*h.A+a+1)*h.K] {
			r.scores[a*h.K+k] = float32(1 / (1 + math.Exp(-float64(z))))
		}
	}
	row, score := t.Truth[n*h.A:(n+1)*h.A], t.Score[n*h.A:(n+1)*h.A]
	r.assigner.Method = j.l.Method
	found := r.assigner.Assign(h.Points, r.boxes, r.scores, h.K, r.objects)
	sum := 0.0
	for a, o := range found.Object {
		row[a], score[a] = -1, 0
		if o >= 0 {
			row[a], score[a] = int32(first)+o, found.Score[a]
			sum += float64(found.Score[a])
		}
	}
	j.sums[n] = sum
}

// decode writes the predicted corners of point a of image n.
func decode(h Heads, n, a int, box []float32, scratch []float64) {
	b := Decode(h, n, a, scratch)
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
