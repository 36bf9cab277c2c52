package diagnosis

const (
	swingPoints  = 0.009 // the article's spread without averaging: 0.9 points
	steadyPoints = 0.003 // and with it: 0.3 points
	unstableFrom = 10    // epochs
	fewPictures  = 200   // validation pictures under which the article recommends averaging
)

// unstable compares how the score moves from epoch to epoch with how it differs from seed to seed.
func unstable(t *trace) (Finding, bool) {
	f := Finding{State: Healthy, Source: "tuning article, figures of EMA: ±0.9 points without, ±0.3 with",
		Threshold: "standard deviation around a straight line over the last epochs above 0.9 points"}
	metric, s, _, ok := t.scored()
	switch {
	case !ok:
		return unknown(f.Threshold, f.Source, t.missing("mAP50-95")), true
	case !isScore(metric):
		return f, false
	case len(s) < unstableFrom:
		return tooFew(f.Threshold, f.Source, metric, len(s), unstableFrom), true
	}
	w := s.tail(max(5, min(10, len(s)/4)))
	_, residuals := w.line()
	sd, limit := spread(residuals), swingPoints
	f.Numbers = []Number{{"swing of " + metric + " (standard deviation)", sd, Score, w.first().epoch, w.last().epoch}}
	if t.Noise.DF > 2 && metric == t.Objective.Metric {
		limit = max(steadyPoints, t.Noise.SD)
		f.Threshold = "standard deviation around a straight line over the last epochs above that over seeds, and above 0.3 points"
		f.Source = fromUs + "; 0.3 points is the article's spread with EMA"
		f.Numbers = append(f.Numbers, Number{Name: "spread over seeds (standard deviation)", Value: t.Noise.SD, Unit: Score})
	}
	if t.Val > 0 {
		f.Numbers = append(f.Numbers, Number{Name: "validation pictures", Value: float64(t.Val), Unit: Pictures})
	}
	if sd <= limit {
		f.Meaning = "The score is steady over the last epochs."
		return f, true
	}
	f.State, f.Meaning = Watch, "The score depends on the epoch at which it is read: a neighbouring epoch would have given another result."
	if t.Val > 0 && t.Val < fewPictures {
		f.Meaning += " The validation set has fewer than 200 pictures, where the article recommends averaging of weights."
	}
	f.Levers = t.levers(average, lowerEnd)
	return f, true
}
