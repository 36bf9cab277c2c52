package reports

import (
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// answerTerms says which main effects and interactions a design that crosses factors shows. It says nothing where
// the design has none, or where they cannot be estimated yet.
func (s *Snapshot) answerTerms(w *writer, b *Block) {
	if !s.Spec.Screens() {
		return
	}
	f, err := s.Factorial(b)
	if err != nil {
		return
	}
	by := map[inference.Verdict][]Effect{}
	var likely []Effect // that would be clear if no two factors acted together
	aliased := false
	for _, t := range f.Terms {
		e := Effect{Label: t.Label}
		e.Mean, e.Low, e.High, e.Verdict, e.Reason, e.N = t.Estimate, t.Low, t.High, t.Verdict, t.Reason, f.Seeds
		by[t.Verdict] = append(by[t.Verdict], e)
		unchecked := f.Unchecked && len(t.Aliases) == 0
		aliased = aliased || t.Verdict == inference.Aliased && !unchecked
		if unchecked && t.Verdict == inference.Aliased && t.PHolm < s.Spec.Rules.Level() {
			likely = append(likely, e)
		}
	}
	for _, es := range by {
		slices.SortStableFunc(es, func(x, y Effect) int { return -compareAbs(x.Mean, y.Mean) })
	}
	if len(by[inference.Better])+len(by[inference.Worse]) > 0 {
		w.say("averaged over the levels of all other factors, ")
	}
	s.bothTerms(w, by[inference.Better], by[inference.Worse])
	if f.Unchecked {
		s.likelyTerms(w, likely)
	}
	if es := by[inference.NotTested]; len(es) > 0 {
		w.say("effects are not tested: %s. ", strings.TrimSuffix(es[0].Reason, "."))
	}
	if es := by[inference.Equivalent]; len(es) > 0 {
		w.say("%s %s no relevant difference (within ±%s). ", names(es), plural(len(es), "makes", "make"), s.Metric.WithUnit(Number(s.Metric.Scale(b.Margin), 1)))
	}
	if es := by[inference.NotShown]; len(es) > 0 {
		w.say("not shown for %s. ", names(es))
	}
	if aliased {
		w.say("effects that the design cannot tell from each other are listed as aliased. ")
	}
}

// bothTerms writes terms of two directions in one sentence.
func (s *Snapshot) bothTerms(w *writer, one, other []Effect) {
	s.clearTerms(w, one)
	if len(one) > 0 && len(other) > 0 {
		w.out[len(w.out)-1].Text = strings.TrimSuffix(w.out[len(w.out)-1].Text, ". ")
		w.say("; ")
	}
	s.clearTerms(w, other)
}

// likelyTerms says what a screening design makes likely, and on which assumption it rests.
func (s *Snapshot) likelyTerms(w *writer, likely []Effect) {
	w.say("main effects are not settled: each contains parts of interactions, and this design cannot check that there are none. Folding it over would tell. ")
	if len(likely) == 0 {
		w.say("no main effect stands out even if no two factors act together. ")
		return
	}
	slices.SortStableFunc(likely, func(x, y Effect) int { return -compareAbs(x.Mean, y.Mean) })
	var up, down []Effect
	for _, e := range likely {
		if e.Mean > 0 {
			up = append(up, e)
		} else {
			down = append(down, e)
		}
	}
	w.say("only if no two factors act together, ")
	s.bothTerms(w, up, down)
}

// clearTerms writes the terms that are shown, in one direction.
func (s *Snapshot) clearTerms(w *writer, es []Effect) {
	for i, e := range es[:min(len(es), spelled)] {
		size := strings.TrimLeft(s.Metric.Effect(e), "+−")
		if i == 0 {
			verb := "raises"
			if e.Mean < 0 {
				verb = "lowers"
			}
			w.strong("%s", e.Label)
			w.say(" %s %s by ", verb, s.Metric.Key)
			w.strong("%s", s.Metric.WithUnit(size))
			w.say(" (%g %% interval %s)", roundSignificant(100*(1-s.Spec.Rules.Level()), 4), ends(s.Metric, e))
			continue
		}
		w.say("%s", listSep(i, es))
		w.strong("%s", e.Label)
		w.say(" by %s (%s)", size, ends(s.Metric, e))
	}
	others(w, len(es)-spelled)
	if len(es) > 0 {
		w.say(". ")
	}
}
