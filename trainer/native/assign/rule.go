package assign

// peak is the best alignment and the best overlap of what an object keeps.
type peak struct{ metric, overlap float64 }

// among settles a picture's claims by the rule Method.All, which is that of the official YOLO code since version 6. It
// differs in two things. There is no least alignment: an object whose predicted boxes are all poor, as at the start of
// training, claims its TopK best points all the same, with small target scores. And a point that several objects claim
// goes to the object of the picture that it overlaps most, even if that is none of those that claim it.
func (s *Assigner) among(boxes, scores []float32, k int, objects []Object) {
	if len(s.metric) < len(s.object) {
		s.metric = make([]float64, len(s.object))
	}
	s.best = append(s.best[:0], make([]peak, len(objects))...)
	for i := range objects {
		for _, c := range s.claims[i*s.Method.TopK : i*s.Method.TopK+s.count[i]] {
			if s.object[c.anchor] < 0 {
				s.object[c.anchor], s.metric[c.anchor], s.overlap[c.anchor] = int32(i), c.metric, c.overlap
			} else {
				s.contest(int(c.anchor), boxes[4*c.anchor:4*c.anchor+4], scores[int(c.anchor)*k:], objects)
			}
		}
	}
	for a, o := range s.object {
		if o >= 0 {
			s.best[o] = peak{max(s.best[o].metric, s.metric[a]), max(s.best[o].overlap, s.overlap[a])}
		}
	}
	for a, o := range s.object {
		if o >= 0 {
			s.score[a] = float32(s.metric[a] / (s.best[o].metric + minScore) * s.best[o].overlap)
		}
	}
}

// contest gives point a, with its predicted box and scores, to the object that it overlaps most (on ties the earlier).
func (s *Assigner) contest(a int, box, scores []float32, objects []Object) {
	predicted := Box{float64(box[0]), float64(box[1]), float64(box[2]), float64(box[3])}
	most := -1.0
	for i, o := range objects {
		ov := CIoU(predicted, Box{float64(o.X0), float64(o.Y0), float64(o.X1), float64(o.Y1)})
		if ov > most {
			most = ov
			s.object[a], s.metric[a], s.overlap[a] = int32(i), s.Method.alignment(float64(scores[o.Class]), ov), ov
		}
	}
}
