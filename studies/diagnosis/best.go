package diagnosis

const (
	risingLeast = 10   // epochs
	risingPoint = 0.01 // 1 point
)

// bestEpoch asks what early stopping with the article's patience would have done.
func bestEpoch(t *trace) (Finding, bool) {
	f := Finding{State: Healthy, Source: "tuning article, signals: patience 10",
		Threshold: "no better score for 10 epochs"}
	metric, s, low, ok := t.progress()
	switch {
	case !ok:
		return unknown(f.Threshold, f.Source, t.missing("mAP50-95")), true
	case s.last().epoch <= patience:
		return tooFew(f.Threshold, f.Source, metric, s.last().epoch, patience+1), true
	}
	best := bestOf(s, low)
	u := unitOf(metric)
	f.Numbers = []Number{{"best " + metric, best.v, u, best.epoch, best.epoch}, {"last " + metric, s.last().v, u, s.last().epoch, s.last().epoch}}
	stop, then, stopped := stopAt(s, low)
	if !stopped {
		f.Meaning = "The best epoch is among the last ones: early stopping would have changed nothing."
		return f, true
	}
	saved := s.last().epoch - stop
	f.Numbers = append(f.Numbers, Number{Name: "patience 10 would stop at", Value: float64(stop), Unit: AtEpoch})
	if then.epoch != best.epoch {
		lost := best.v - then.v
		if low {
			lost = -lost
		}
		f.Numbers = append(f.Numbers, Number{Name: "and would miss", Value: lost, Unit: u, From: then.epoch, To: best.epoch})
		f.Meaning = "Early stopping with patience 10 would have ended this trial before its best epoch."
		return f, true
	}
	f.Numbers = append(f.Numbers, Number{Name: "epochs that brought nothing", Value: float64(saved), Unit: Epochs})
	if saved == 0 {
		f.Meaning = "The trial ended where early stopping with patience 10 would have ended it."
		return f, true
	}
	f.State, f.Meaning = Watch, "The best epoch lies far before the last: early stopping with patience 10 would have kept the best score and saved the rest."
	f.Levers = t.levers(stopEarly)
	return f, true
}

// stopAt is the epoch at which patience runs out, and the best point until then.
func stopAt(s series, low bool) (epoch int, best point, stopped bool) {
	best = s[0]
	for _, p := range s {
		if low && p.v <= best.v || !low && p.v >= best.v {
			best = p
		}
		if p.epoch-best.epoch >= patience {
			return p.epoch, best, true
		}
	}
	return 0, best, false
}

// stillRising compares the last fifth of the epochs with the fifth before.
func stillRising(t *trace) (Finding, bool) {
	f := Finding{State: Healthy, Source: fromUs,
		Threshold: "mean score of the last fifth of the epochs more than 1 point above that of the fifth before (twice its spread over seeds, if that is more)"}
	metric, s, low, ok := t.scored()
	if !ok || !t.ended() || low || !isScore(metric) {
		return f, false
	}
	if s.last().epoch < risingLeast {
		return tooFew(f.Threshold, f.Source, metric, s.last().epoch, risingLeast), true
	}
	fifth := s.last().epoch / 5
	end := s.after(s.last().epoch - fifth)
	before := s.after(s.last().epoch - 2*fifth)
	before = before[:len(before)-len(end)]
	if len(end) == 0 || len(before) == 0 {
		return unknown(f.Threshold, f.Source, "the last epochs were not scored often enough"), true
	}
	gain, limit := mean(end.values())-mean(before.values()), risingPoint
	f.Numbers = []Number{{metric + " in the fifth before", mean(before.values()), Score, before.first().epoch, before.last().epoch},
		{metric + " in the last fifth", mean(end.values()), Score, end.first().epoch, end.last().epoch}, {"gain", gain, Score, 0, 0}}
	if t.Noise.DF > 1 && metric == t.Objective.Metric {
		limit = max(limit, 2*t.Noise.SD)
		f.Numbers = append(f.Numbers, Number{Name: "spread over seeds (standard deviation)", Value: t.Noise.SD, Unit: Score})
	}
	if gain > limit {
		f.State, f.Meaning = Watch, "The score was still rising when training ended: what differs between variants may be speed of learning only."
		f.Levers = t.levers(longer, higherRate)
		return f, true
	}
	f.Meaning = "The score had levelled off when training ended."
	return f, true
}
