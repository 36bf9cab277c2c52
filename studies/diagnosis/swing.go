package diagnosis

import (
	"slices"
)

const (
	swingArticle = (1.0 - 0.5) / 0.75 // the width of the article's band over its middle: 67 %
	swingWatch   = 0.20
	swingFalls   = 0.05 // a fall over the window from which on the loss counts as falling
	swingLeast   = 6    // points in the window
)

// auxiliary is what the auxiliary heads of the official scripts add to the reported loss, as a share of the main head's.
var auxiliary = map[Script]float64{TrainDual: 0.25, TrainTriple: 0.5}

// boxLossSwing is the article's "swings in 0.5 to 1.0 without falling", made relative: see the threshold.
func boxLossSwing(t *trace) (Finding, bool) {
	f := Finding{State: Healthy, Source: fromArticle + ", made relative",
		Threshold: "over the last half of the epochs, a swing (highest minus lowest, less the trend) of 67 % of the median or more and a fall of less than 5 %; from 20 % on: to watch",
		Note:      t.whyRelative()}
	s := t.curves["loss/box"]
	if len(s) == 0 {
		return unknown(f.Threshold, f.Source, t.missing("loss/box")), true
	}
	w := s.after(s.last().epoch / 2)
	if len(w) < swingLeast {
		return tooFew(f.Threshold, f.Source, "loss/box", len(s), 2*swingLeast), true
	}
	middle := median(w.values())
	if middle <= 0 {
		return unknown(f.Threshold, f.Source, "the box loss is 0, so a share of it says nothing"), true
	}
	_, residuals := w.line()
	v := w.values() // a line through a zigzag tilts a little, so the plain range may be the smaller one
	swing := min(slices.Max(residuals)-slices.Min(residuals), slices.Max(v)-slices.Min(v)) / middle
	third := len(w) / 3
	fall := 1 - mean(w.tail(third).values())/mean(w[:third].values())
	from, to := w.first().epoch, w.last().epoch
	f.Numbers = []Number{{"median box loss", middle, Plain, from, to}}
	if gain := t.reportedGain(); gain != 1 {
		f.Numbers = append(f.Numbers, Number{"the same without gains and auxiliary heads (1 − CIoU)", middle / gain, Plain, from, to})
	}
	f.Numbers = append(f.Numbers, Number{"swing", swing, Share, from, to}, Number{"fall", fall, Share, from, to})
	switch {
	case fall < swingFalls && swing >= swingArticle:
		f.State, f.Meaning = Problem, "The box loss swings widely and does not fall: the learning rate is too high, or the picture size does not fit the objects."
	case fall < swingFalls && swing >= swingWatch:
		f.State, f.Meaning = Watch, "The box loss swings and does not fall any more: the learning rate may be too high, or the picture size may not fit the objects."
	default:
		f.Meaning = "The box loss does not swing on the spot."
		return f, true
	}
	f.Levers = t.levers(lowerRate, pictureSize)
	return f, true
}

// whyRelative says why the article's 0.5 and 1.0 cannot be taken as they are.
func (t *trace) whyRelative() string {
	why := "what a program's loss includes is its own affair"
	switch {
	case auxiliary[t.script()] > 0:
		why = "the loss that the official code reports includes the gain (7.5) and a quarter of each auxiliary head's, and the article does not say what its own includes"
	case t.Backend == backendYOLOv9:
		why = "the loss that the official code reports includes the gain (7.5), and the article does not say what its own includes"
	case t.Backend == backendNative:
		why = "the native trainer's loss is stored without gains, and the article does not say what its own includes"
	}
	return "The article's 0.5 to 1.0 cannot be carried over: " + why + ". 67 % is the width of its band over its middle."
}

// reportedGain is what the stored box loss was multiplied by, if all heads were equally good.
func (t *trace) reportedGain() float64 {
	if t.Backend != backendYOLOv9 {
		return 1
	}
	gain := 7.5 // the literal of the official loss
	if v, ok := t.number("box"); ok && v > 0 {
		gain = v // mapsweep's launcher makes it live
	}
	return gain * (1 + auxiliary[t.script()])
}
