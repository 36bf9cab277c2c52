package diagnosis

const (
	fallWithin = 10   // epochs
	fallLeast  = 0.40 // share of the first epoch's loss
	rebound    = 0.05 // rise after the tenth epoch that is more than a wobble
)

// boxLossFall is the article's picture of a healthy start: more than 40 % within 10 epochs, then slowly. A share of
// the loss does not depend on gains and auxiliary heads, so the threshold holds for every backend.
func boxLossFall(t *trace) (Finding, bool) {
	f := Finding{State: Healthy, Source: fromArticle,
		Threshold: "more than 40 % within 10 epochs, then slowly; the validation loss, where there is one, falls with it"}
	s := t.curves["loss/box"]
	if len(s) == 0 {
		return unknown(f.Threshold, f.Source, t.missing("loss/box")), true
	}
	first := s.first()
	if first.epoch > 3 || first.v <= 0 {
		return unknown(f.Threshold, f.Source, "the first epochs of the box loss are not stored, so its fall cannot be computed"), true
	}
	early, _ := s.until(fallWithin)
	fall := 1 - early.v/first.v
	f.Numbers = []Number{
		{"box loss", first.v, Plain, first.epoch, first.epoch}, {"box loss", early.v, Plain, early.epoch, early.epoch},
		{"fall", fall, Share, first.epoch, early.epoch},
	}
	if early.epoch < fallWithin && fall <= fallLeast {
		return unknownWith(f, tooFew(f.Threshold, f.Source, "loss/box", early.epoch, fallWithin)), true
	}
	last := s.last()
	late := last.v/early.v - 1
	if last.epoch > early.epoch {
		f.Numbers = append(f.Numbers, Number{"change after that", late, Share, early.epoch, last.epoch})
	}
	val := t.curves["val-loss/box"]
	valFalls := true
	if len(val) > 1 {
		if v, ok := val.until(fallWithin); ok && v.epoch > val.first().epoch {
			change := v.v/val.first().v - 1
			f.Numbers = append(f.Numbers, Number{"change of the validation box loss", change, Share, val.first().epoch, v.epoch})
			valFalls = change < 0
		}
	}
	switch {
	case fall <= 0:
		f.State, f.Meaning = Problem, "The box loss does not fall at all: the detector does not learn where objects are."
		f.Levers = t.levers(otherRate, labels)
	case fall <= fallLeast && t.pretrained():
		f.Meaning = "The run began with trained weights, so its box loss began low; the article's 40 % are of a run from scratch."
		f.State = Unknown
	case fall <= fallLeast:
		f.State, f.Meaning = Watch, "The box loss falls more slowly than in a healthy run: the learning rate or the length of warm-up may not fit."
		f.Levers = t.levers(otherRate, warmUpLength)
	case late > rebound:
		f.State, f.Meaning = Watch, "The box loss fell well at first and then rose again."
		f.Levers = t.levers(lowerRate)
	case !valFalls:
		f.State, f.Meaning = Watch, "The box loss falls on training pictures, and does not on validation pictures."
		f.Levers = t.levers(regularise, labels)
	default:
		f.Meaning = "The box loss falls as in a healthy run."
	}
	return f, true
}

// unknownWith keeps the numbers of a finding that turned out to be too early to judge.
func unknownWith(f, u Finding) Finding {
	u.Numbers = append(f.Numbers, u.Numbers...)
	return u
}

// pretrained says that the run began with weights of an earlier one.
func (t *trace) pretrained() bool {
	v, ok := t.value("weights")
	s, isText := v.(string)
	return ok && isText && s != ""
}
