package diagnosis

const (
	endShare  = 0.10 // of lr0
	endEpochs = 3.0  // a linear schedule over E epochs may end 3/E above its final value
	endLeast  = 5    // epochs
)

// rateEnd looks at the learning rate of the last epoch: a schedule that does not come down leaves a noisy score.
func rateEnd(t *trace) (Finding, bool) {
	f := Finding{State: Healthy, Source: fromUs,
		Threshold: "learning rate of weights at the last epoch above 10 % of lr0 (of fewer than 30 epochs: above 3 / epochs)"}
	if !t.ended() {
		return f, false
	}
	s := t.curves["lr/weights"]
	if len(s) == 0 {
		return unknown(f.Threshold, f.Source, t.missing("lr/weights")), true
	}
	last := s.last()
	if last.epoch < endLeast {
		return tooFew(f.Threshold, f.Source, "lr/weights", last.epoch, endLeast), true
	}
	top, known := t.number("lr0")
	if !known || top <= 0 {
		for _, p := range s {
			top = max(top, p.v)
		}
	}
	if top <= 0 {
		return unknown(f.Threshold, f.Source, "the learning rate is 0 at every epoch"), true
	}
	share := last.v / top
	f.Numbers = []Number{{"learning rate", last.v, Plain, last.epoch, last.epoch}, {Name: "lr0, or the highest one", Value: top}, {"share of it", share, Share, last.epoch, last.epoch}}
	planned := t.Planned
	if planned <= 0 {
		planned = last.epoch
	}
	switch {
	case share <= max(endShare, endEpochs/float64(planned)):
		f.Meaning = "The learning rate had come down when training ended."
		return f, true
	case last.epoch < planned:
		f.Numbers = append(f.Numbers, Number{Name: "of planned", Value: float64(planned), Unit: Epochs})
		f.Meaning = "Training ended before its schedule did, at a learning rate that is still high: the score is noisier and perhaps lower than at the end of a shorter schedule."
	default:
		f.Meaning = "The learning rate was still high when training ended: the score is noisier and perhaps lower than with a schedule that comes down."
	}
	f.State = Watch
	f.Levers = t.levers(lowerEnd)
	return f, true
}
