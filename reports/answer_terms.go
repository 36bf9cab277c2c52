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
	aliased := false
	for _, t := range f.Terms {
		e := Effect{Label: t.Label}
		e.Mean, e.Low, e.High, e.Verdict, e.N = t.Estimate, t.Low, t.High, t.Verdict, f.Seeds
		by[t.Verdict] = append(by[t.Verdict], e)
		aliased = aliased || t.Verdict == inference.Aliased
	}
	for _, es := range by {
		slices.SortStableFunc(es, func(x, y Effect) int { return -compareAbs(x.Mean, y.Mean) })
	}
	if len(by[inference.Better])+len(by[inference.Worse]) > 0 {
		w.say("averaged over the levels of all other factors, ")
	}
	for i, es := range [][]Effect{by[inference.Better], by[inference.Worse]} {
		if i == 1 && len(by[inference.Better]) > 0 && len(es) > 0 {
			w.out[len(w.out)-1].Text = strings.TrimSuffix(w.out[len(w.out)-1].Text, ". ")
			w.say("; ")
		}
		s.clearTerms(w, es)
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
