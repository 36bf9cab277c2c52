package diagnosis

const (
	learnWithin = 10    // epochs after which a detector that learns has found something
	learnLeast  = 0.001 // mAP50: 0.1 points
)

// noLearning looks for a detector that still finds nothing.
func noLearning(t *trace) (Finding, bool) {
	f := Finding{State: Healthy, Source: fromUs,
		Threshold: "best mAP50 of 0.1 points or less after 10 epochs",
		Meaning:   "The detector finds objects."}
	metric := ""
	for _, m := range []string{"mAP50", "mAP50-95", "fitness"} {
		if len(t.curves[m]) > 0 {
			metric = m
			break
		}
	}
	if metric == "" {
		return unknown(f.Threshold, f.Source, t.missing("mAP50")), true
	}
	s := t.curves[metric]
	best := s.first()
	for _, p := range s {
		if p.v > best.v {
			best = p
		}
	}
	f.Numbers = []Number{{"best " + metric, best.v, Score, best.epoch, best.epoch}, {Name: "epochs measured", Value: float64(s.last().epoch), Unit: Epochs}}
	if best.v > learnLeast {
		return f, true
	}
	f.Levers = t.levers(longer, higherRate, warmUpLength, labels)
	switch {
	case s.last().epoch >= learnWithin:
		f.State = Problem
		f.Meaning = "After 10 epochs or more nothing is found: labels, class numbers, learning rate or picture size are wrong, and no comparison with this trial says anything."
		if t.Backend == backendYOLOv9 {
			f.Meaning += " Early stopping does not end such a run: to the official code each new 0 is as good as the best."
		}
	case t.ended():
		f.State = Watch
		f.Meaning = "The trial ended before it found anything; it was perhaps too short to tell."
	default:
		n := f.Numbers
		f = tooFew(f.Threshold, f.Source, metric, s.last().epoch, learnWithin)
		f.Numbers = n
	}
	return f, true
}
