package assign

import "math"

// minScore is the alignment that a claim must exceed.
const minScore = 1e-9

// Method holds the numbers of the assignment (Feng et al. 2021, arXiv:2108.07755, equation 7: alignment = score^Alpha overlap^Beta).
type Method struct {
	TopK        int     // points that one object may claim, at least 1
	Alpha, Beta float64 // 0 or more
	All         bool    // see rule.go
}

// Usual is the method as every YOLO since version 8 sets it.
var Usual = Method{TopK: 10, Alpha: 0.5, Beta: 6}

// alignment of a point with class probability p and overlap o, both above 0. The usual exponents take products, not powers.
func (m Method) alignment(p, o float64) float64 {
	a := 0.0
	if m.Alpha == Usual.Alpha {
		a = math.Sqrt(p)
	} else {
		a = math.Pow(p, m.Alpha)
	}
	if m.Beta == Usual.Beta {
		return a * o * o * o * o * o * o
	}
	return a * math.Pow(o, m.Beta)
}

// Object is a truth of one picture: class from 0, corners in pixels.
type Object struct {
	Class          int
	X0, Y0, X1, Y1 float32
}

// Result says for every anchor point which object it learns (index into the objects, -1:
// background) and the target of its class score, 0..1. Both have length A and belong to
// the Assigner: the next call overwrites them.
type Result struct {
	Object []int32
	Score  []float32
}

// claim is one point that an object wants.
type claim struct {
	anchor          int32
	metric, overlap float64
}

// Assigner assigns picture after picture with the same buffers. The zero value is
// ready; one goroutine at a time.
type Assigner struct {
	Method Method // zero: Usual

	object  []int32
	score   []float32
	overlap []float64 // A: overlap of the claim that holds the point
	claims  []claim   // M x Method.TopK, best first
	count   []int     // M

	metric []float64 // A: alignment of the claim that holds the point, under the rule All
	best   []peak    // M, under the rule All
}

// Inside marks the points that lie strictly inside at least one object. Only those
// points' boxes and scores are read by Assign.
// points is A x 2 (x, y in pixels); mark has length A and is overwritten.
func Inside(points []float32, objects []Object, mark []bool) {
	for a := range mark {
		mark[a] = false
	}
	for i := range objects {
		o := &objects[i]
		for a := range mark {
			if inside(points[2*a], points[2*a+1], o) {
				mark[a] = true
			}
		}
	}
}

func inside(x, y float32, o *Object) bool {
	return x-o.X0 > minScore && y-o.Y0 > minScore && o.X1-x > minScore && o.Y1-y > minScore
}

// Assign matches one picture.
//
//	points A x 2   anchor centres, pixels
//	boxes  A x 4   predicted corners, pixels
//	scores A x K   predicted class probabilities, 0..1
//
// An object may claim the points strictly inside it. Alignment is p^Alpha o^Beta with p
// the predicted probability of the object's class and o = max(CIoU, 0); each object
// claims its TopK best points above 1e-9 (on ties the earlier point). A point that
// several objects claim goes to the one that it overlaps most (on ties the earlier).
// The target score of a point is its alignment over the object's best alignment,
// times the object's best overlap, both among the points that the object keeps.
// Method.All changes two of these rules.
func (s *Assigner) Assign(points, boxes, scores []float32, k int, objects []Object) Result {
	if s.Method == (Method{}) {
		s.Method = Usual
	}
	n, top := len(points)/2, s.Method.TopK
	s.reset(n, len(objects))
	for i := range objects {
		s.claim(i, points, boxes, scores, k, &objects[i])
	}
	if s.Method.All {
		s.among(boxes, scores, k, objects)
		return Result{Object: s.object[:n], Score: s.score[:n]}
	}
	for i := range objects {
		for _, c := range s.claims[i*top : i*top+s.count[i]] {
			if s.object[c.anchor] < 0 || c.overlap > s.overlap[c.anchor] {
				s.object[c.anchor], s.overlap[c.anchor] = int32(i), c.overlap
			}
		}
	}
	for i := range objects {
		s.settle(i)
	}
	return Result{Object: s.object[:n], Score: s.score[:n]}
}

func (s *Assigner) reset(n, m int) {
	if cap(s.object) < n {
		s.object, s.score, s.overlap = make([]int32, n), make([]float32, n), make([]float64, n)
	}
	if len(s.count) < m || len(s.claims) < m*s.Method.TopK {
		s.count, s.claims = make([]int, 2*m), make([]claim, 2*m*s.Method.TopK)
	}
	s.object, s.score, s.overlap = s.object[:n], s.score[:n], s.overlap[:n]
	for a := range s.object {
		s.object[a], s.score[a] = -1, 0
	}
}

// claim finds the best points of object i.
func (s *Assigner) claim(i int, points, boxes, scores []float32, k int, o *Object) {
	top := s.Method.TopK
	best, least := s.claims[i*top:(i+1)*top], minScore
	if s.Method.All {
		least = 0
	}
	have := 0
	truth := Box{float64(o.X0), float64(o.Y0), float64(o.X1), float64(o.Y1)}
	for a := 0; 2*a < len(points); a++ {
		if !inside(points[2*a], points[2*a+1], o) {
			continue
		}
		b := boxes[4*a : 4*a+4]
		ov := CIoU(Box{float64(b[0]), float64(b[1]), float64(b[2]), float64(b[3])}, truth)
		if !(ov > 0) {
			continue
		}
		metric := s.Method.alignment(float64(scores[a*k+o.Class]), ov)
		if !(metric > least) || have == top && metric <= best[have-1].metric {
			continue
		}
		if have < top {
			have++
		}
		j := have - 1
		for ; j > 0 && metric > best[j-1].metric; j-- {
			best[j] = best[j-1]
		}
		best[j] = claim{int32(a), metric, ov}
	}
	s.count[i] = have
}

// settle gives object i's points their target scores.
func (s *Assigner) settle(i int) {
	first := i * s.Method.TopK
	claims := s.claims[first : first+s.count[i]]
	var metric, overlap float64
	for _, c := range claims {
		if s.object[c.anchor] == int32(i) {
			metric, overlap = max(metric, c.metric), max(overlap, c.overlap)
		}
	}
	for _, c := range claims {
		if s.object[c.anchor] == int32(i) {
			s.score[c.anchor] = float32(c.metric / (metric + minScore) * overlap)
		}
	}
}
