package diagnosis

import "fmt"

const (
	patience  = 10   // epochs, of the article
	valRise   = 0.05 // over the lowest validation loss; the article names no size
	valShort  = 3    // epochs after which a rise is worth watching
	valLeast  = 6    // epochs that the rule needs
	fallPoint = 0.01 // of the score, where the spread over seeds is not known: 1 point
)

// overfitting is the article's rule: training box loss falls, validation box loss keeps rising.
func overfitting(t *trace) (Finding, bool) {
	f := Finding{State: Healthy, Source: fromArticle,
		Threshold: "validation box loss 5 % above its lowest value for 10 epochs while training box loss falls; for 3 epochs: to watch",
		Note:      "10 epochs are the article's patience; it gives no size of the rise, and 5 % are mapsweep's."}
	val, train := t.curves["val-loss/box"], t.curves["loss/box"]
	if len(val) == 0 {
		return t.noValidationLoss(f), true
	}
	if len(train) == 0 {
		return unknown(f.Threshold, f.Source, t.missing("loss/box")), true
	}
	if len(val) < valLeast {
		return tooFew(f.Threshold, f.Source, "val-loss/box", len(val), valLeast), true
	}
	low, last := val.lowest(), val.last()
	rise := val.settled()/low.v - 1
	since := last.epoch - low.epoch
	atLow, ok := train.until(low.epoch)
	if !ok {
		atLow = train.first()
	}
	change := train.settled()/atLow.v - 1
	f.Numbers = []Number{
		{"lowest validation box loss", low.v, Plain, low.epoch, low.epoch},
		{"validation box loss since then", rise, Share, low.epoch, last.epoch},
		{"training box loss since then", change, Share, atLow.epoch, train.last().epoch},
	}
	if since == 0 {
		f.Numbers = f.Numbers[:1]
	}
	switch {
	case rise > valRise && change < 0 && since >= patience:
		f.State = Problem
		f.Meaning = "The detector learns its training pictures by heart: stop early, or vary the pictures more."
		f.Levers = t.levers(stopEarly, regularise)
	case rise > valRise && change < 0 && since >= valShort:
		f.State = Watch
		f.Meaning = "Validation box loss has begun to rise while training box loss falls."
		f.Levers = t.levers(stopEarly, regularise)
	default:
		f.Meaning = "Validation box loss does not rise away from training box loss."
	}
	return f, true
}

// noValidationLoss says why validation loss cannot be judged and what stands in for it.
func (t *trace) noValidationLoss(f Finding) Finding {
	switch script := t.script(); {
	case script == TrainDual || script == TrainTriple:
		f.Meaning = fmt.Sprintf("%s computes no validation loss: its three columns are always 0 (official code, val_%s.py), so what the article says of val/box_loss cannot be seen with this model.",
			script, map[Script]string{TrainDual: "dual", TrainTriple: "triple"}[script])
	case t.Backend == backendNative:
		f.Meaning = "The native trainer scores validation pictures and computes no loss on them."
	default:
		f.Meaning = t.missing("val-loss/box")
	}
	f.State = Unknown
	f.Instead = "the plateau of the score: see \"Overfitting, by score\" and \"Early stopping\""
	if metric, s, low, ok := t.progress(); ok {
		best := bestOf(s, low)
		f.Numbers = []Number{{"best " + metric, best.v, unitOf(metric), best.epoch, best.epoch}}
		if best.epoch == s.last().epoch {
			return f
		}
		f.Numbers = append(f.Numbers, Number{metric + " since then", s.last().v - best.v, unitOf(metric), best.epoch, s.last().epoch})
		if train := t.curves["loss/box"]; len(train) > 0 {
			if from, ok := train.until(best.epoch); ok && from.v > 0 {
				f.Numbers = append(f.Numbers, Number{"training box loss since then", train.last().v/from.v - 1, Share, from.epoch, train.last().epoch})
			}
		}
	}
	return f
}

// scoreFall stands in for validation loss: the score has fallen since its best epoch while training loss falls.
func scoreFall(t *trace) (Finding, bool) {
	f := Finding{State: Healthy, Source: fromUs + ", in place of the validation loss",
		Threshold: "score 1 point below its best (twice its spread over seeds, if that is more) for 10 epochs while training box loss falls; half of that: to watch"}
	metric, s, low, ok := t.scored()
	switch {
	case !ok:
		return unknown(f.Threshold, f.Source, t.missing("mAP50-95")), true
	case !isScore(metric):
		return f, false
	case s.last().epoch <= patience:
		return tooFew(f.Threshold, f.Source, metric, s.last().epoch, patience+1), true
	}
	best := bestOf(s, low)
	since := s.last().epoch - best.epoch
	drop := best.v - s.settled()
	limit := fallPoint
	f.Numbers = []Number{{"best " + metric, best.v, Score, best.epoch, best.epoch},
		{metric + ", median of the last 3", s.settled(), Score, s.tail(3).first().epoch, s.last().epoch}}
	if t.Noise.DF > 1 && metric == t.Objective.Metric {
		limit = max(limit, 2*t.Noise.SD)
		f.Numbers = append(f.Numbers, Number{Name: "spread over seeds (standard deviation)", Value: t.Noise.SD, Unit: Score})
	}
	falls := true
	if train := t.curves["loss/box"]; len(train) > 0 && since > 0 {
		if from, ok := train.until(best.epoch); ok && from.v > 0 {
			change := train.settled()/from.v - 1
			f.Numbers = append(f.Numbers, Number{"training box loss since then", change, Share, from.epoch, train.last().epoch})
			falls = change < 0
		}
	}
	switch {
	case since >= patience && falls && drop > limit:
		f.State, f.Meaning = Problem, "The score fell while the training loss went on falling: overfitting, as far as it can be seen without a validation loss."
		f.Levers = t.levers(stopEarly, regularise)
	case since >= patience && falls && drop > limit/2:
		f.State, f.Meaning = Watch, "The score has been slipping since its best epoch while the training loss goes on falling."
		f.Levers = t.levers(stopEarly, regularise)
	default:
		f.Meaning = "The score does not fall behind its best."
	}
	return f, true
}

// bestOf is the best point; the last one among equals, as the official code keeps it.
func bestOf(s series, low bool) point {
	best := s[0]
	for _, p := range s {
		if low && p.v <= best.v || !low && p.v >= best.v {
			best = p
		}
	}
	return best
}
