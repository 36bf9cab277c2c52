package diagnosis

const (
	gapSmall   = 0.08
	gapGood    = 0.15
	gapLarge   = 0.22
	nearlyDone = 0.80 // mAP50-95 over which a small gap is no sign of underfitting; mapsweep's
)

// mapGap compares mAP50 with mAP50-95 at the scored epoch.
func mapGap(t *trace) (Finding, bool) {
	f := Finding{State: Healthy, Source: fromArticle,
		Threshold: "under 8 points: perhaps underfitted; under 15: good; 15 to 22: to watch; over 22: boxes are not tight",
		Note:      "The article says nothing of 15 to 22. That a small gap above an mAP50-95 of 80 points is no underfitting is mapsweep's addition."}
	strict, loose := t.curves["mAP50-95"], t.curves["mAP50"]
	switch {
	case len(loose) == 0:
		return unknown(f.Threshold, f.Source, t.missing("mAP50")), true
	case len(strict) == 0:
		return unknown(f.Threshold, f.Source, t.missing("mAP50-95")), true
	}
	a, b, ok := t.together(loose, strict)
	if !ok {
		return unknown(f.Threshold, f.Source, "mAP50 and mAP50-95 were never measured at one epoch"), true
	}
	gap := a.v - b.v
	f.Numbers = []Number{{"mAP50", a.v, Score, a.epoch, a.epoch}, {"mAP50-95", b.v, Score, b.epoch, b.epoch}, {"difference", gap, Score, a.epoch, a.epoch}}
	switch {
	case a.v <= learnLeast:
		f.State, f.Meaning = Unknown, "Nothing is found yet, so the difference says nothing."
	case gap > gapLarge:
		f.State, f.Meaning = Problem, "Objects are found but their boxes are not tight: strengthen the regression of boxes."
		f.Levers = t.levers(boxGain, pictureSize)
	case gap >= gapGood:
		f.State, f.Meaning = Watch, "Boxes are less tight than in a good run, and tighter than where the article acts."
		f.Levers = t.levers(boxGain, longer)
	case gap < gapSmall && b.v <= nearlyDone && !t.ended():
		f.State, f.Meaning = Unknown, "A small difference belongs to the first epochs of every training, and this one has not run to its end."
	case gap < gapSmall && b.v <= nearlyDone:
		f.State, f.Meaning = Watch, "Loose boxes score hardly better than tight ones: the detector is perhaps underfitted."
		f.Levers = t.levers(longer, higherRate)
	default:
		f.Meaning = "Boxes are as tight as in a good run."
	}
	return f, true
}

// together finds the epoch of the score, else the last one at which both were measured.
func (t *trace) together(a, b series) (point, point, bool) {
	if p, ok := a.at(t.ScoreEpoch); ok {
		if q, ok := b.at(t.ScoreEpoch); ok {
			return p, q, true
		}
	}
	for i := len(a) - 1; i >= 0; i-- {
		if q, ok := b.at(a[i].epoch); ok {
			return a[i], q, true
		}
	}
	return point{}, point{}, false
}
