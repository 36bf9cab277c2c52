package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Phrase is a piece of a sentence; Strong pieces are emphasised.
type Phrase struct {
	Text   string
	Strong bool
}

// Text joins phrases.
func Text(ps []Phrase) string {
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(p.Text)
	}
	return b.String()
}

type writer struct{ out []Phrase }

func (w *writer) say(format string, args ...any) {
	w.out = append(w.out, Phrase{Text: fmt.Sprintf(format, args...)})
}

func (w *writer) strong(format string, args ...any) {
	w.out = append(w.out, Phrase{Text: fmt.Sprintf(format, args...), Strong: true})
}

// Answer says in plain sentences what a block of the study found, and what it did not settle.
func (s *Snapshot) Answer(b *Block) []Phrase {
	w := &writer{}
	s.answerClaim(w)
	s.standing(w)
	switch {
	case s.Count.Finished() == 0:
	case !s.Spec.Referenced():
		s.answerConfirmed(w)
		s.answerTerms(w, b)
		if s.Front != nil {
			s.answerFront(w)
		} else {
			s.answerSearch(w)
		}
	case s.Count.Complete == 0:
		w.say("no trial is complete, so there is no score to compare. ")
	case len(b.Arms) > 0:
		s.answerEffects(w, b)
		s.answerTuned(w, b)
	}
	return w.sentences(b)
}

// sentences puts capitals where sentences begin (never in an arm's own name) and trims the end.
func (w *writer) sentences(b *Block) []Phrase {
	begins := true
	for i := range w.out {
		t := w.out[i].Text
		if begins && !slices.ContainsFunc(b.Arms, func(a Arm) bool { return strings.HasPrefix(t, a.Label) && !a.Reference }) {
			r, n := utf8.DecodeRuneInString(t)
			w.out[i].Text = string(unicode.ToUpper(r)) + t[n:]
		}
		begins = strings.HasSuffix(t, ". ")
	}
	if n := len(w.out); n > 0 {
		w.out[n-1].Text = strings.TrimRight(w.out[n-1].Text, " ")
	}
	return w.out
}

// standing says first what a reader must not overlook: nothing ran, all failed, or it still goes on.
func (s *Snapshot) standing(w *writer) {
	c := s.Count
	switch {
	case c.Planned == 0:
		w.strong("The study has no trial yet. ")
	case c.Finished() == 0 && c.Running > 0:
		w.strong("No trial has finished yet: ")
		w.say("%s, %d waiting. ", running(c.Running), c.Waiting)
	case c.Missing == c.Planned:
		w.strong("No trial has started yet. ")
		w.say("%s %s planned. ", Count(c.Missing, "trial"), plural(c.Missing, "is", "are"))
	case c.Finished() == 0:
		w.strong("No trial has started yet. ")
		w.say("%d %s waiting. ", c.Waiting, plural(c.Waiting, "is", "are"))
	case c.Failed+c.Infeasible == c.Finished() && c.Done():
		w.strong("All %d trials failed. ", c.Finished())
	case !c.Done():
		w.strong("So far, with %d of %d trials finished: ", c.Finished(), c.Planned)
	}
}

func running(n int) string {
	return fmt.Sprintf("%d %s", n, plural(n, "trial is running", "trials are running"))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func (s *Snapshot) answerEffects(w *writer, b *Block) {
	ref, ok := b.Reference()
	if !ok {
		w.say("the reference variant has no trial%s, so there is nothing to compare with. ", s.yet())
		return
	}
	if len(b.Effects) == 0 {
		w.say("only the %s ran%s: %s %s over %s. There is no other variant to compare it with. ", ref.Label, s.far(),
			s.Metric.Key, s.Metric.WithUnit(s.Metric.MeanSpread(ref.Mean, ref.SD)), Count(len(ref.Scores), "seed"))
		return
	}
	by := map[inference.Verdict][]Effect{}
	for _, e := range s.Sorted(b) {
		by[e.Verdict] = append(by[e.Verdict], e)
	}
	slices.SortStableFunc(by[inference.Worse], func(x, y Effect) int { return -compareAbs(x.Mean, y.Mean) })
	s.clear(w, by[inference.Better])
	s.clear(w, by[inference.Worse])
	if es := by[inference.Equivalent]; len(es) > 0 {
		w.say("%s %s no relevant difference (within ±%s). ", names(es), plural(len(es), "makes", "make"),
			s.Metric.WithUnit(Number(s.Metric.Scale(b.Margin), 1)))
	}
	if es := by[inference.Inert]; len(es) > 0 {
		w.say("%s %s nothing in this trainer: %s chance. ", names(es), plural(len(es), "changes", "change"), plural(len(es), "its row shows", "their rows show"))
	}
	s.notShown(w, by[inference.NotShown])
	s.notSettled(w, "not settled for ", by[NotSettled])
	s.notSettled(w, "not settled yet for ", by[inference.Unsettled])
	if es := by[inference.NotTested]; len(es) > 0 {
		s.untested(w, es, len(b.Effects))
	}
}

// spelled is how many arms of one verdict a sentence names; more are counted.
const spelled = 4

// notShown writes the arms whose intervals leave room for an effect and for none, the largest first.
func (s *Snapshot) notShown(w *writer, es []Effect) {
	if len(es) == 0 {
		return
	}
	slices.SortStableFunc(es, func(x, y Effect) int { return -compareAbs(x.Mean, y.Mean) })
	w.say("not shown for ")
	for i, e := range es[:min(len(es), spelled)] {
		w.say("%s", listSep(i, es))
		w.strong("%s", e.Label)
		w.say(" (%s, interval %s)", s.Metric.Effect(e), ends(s.Metric, e))
	}
	others(w, len(es)-spelled)
	w.say(": after correction the data allow for a difference and for none. ")
}

// notSettled writes the variants that replicates did not settle, the largest effect first, and what they would need.
func (s *Snapshot) notSettled(w *writer, begin string, es []Effect) {
	if len(es) == 0 {
		return
	}
	slices.SortStableFunc(es, func(x, y Effect) int { return -compareAbs(x.Mean, y.Mean) })
	w.say("%s", begin)
	for i, e := range es[:min(len(es), spelled)] {
		w.say("%s", listSep(i, es))
		w.strong("%s", e.Label)
		var parts []string
		if finite(e.Mean) {
			parts = append(parts, s.Metric.Effect(e))
		}
		if bound(e) {
			parts = append(parts, "interval "+ends(s.Metric, e))
		}
		parts = append(parts, e.Seeds())
		if n := e.Needs(); n != "" {
			parts = append(parts, n)
		}
		w.say(" (%s)", strings.Join(parts, ", "))
	}
	others(w, len(es)-spelled)
	w.say(". ")
}

func others(w *writer, n int) {
	if n > 0 {
		w.say(" and %d %s", n, plural(n, "other", "others"))
	}
}

// clear writes the arms whose effect is shown, in one direction.
func (s *Snapshot) clear(w *writer, es []Effect) {
	for i, e := range es[:min(len(es), spelled)] {
		verb := "raises"
		if e.Mean < 0 {
			verb = "lowers"
		}
		size := strings.TrimLeft(s.Metric.Effect(e), "+−")
		if i == 0 {
			w.strong("%s", e.Label)
			w.say(" %s %s by ", verb, s.Metric.Key)
			w.strong("%s", s.Metric.WithUnit(size))
			if bound(e) {
				w.say(" (%g %% interval %s, %s)", roundSignificant(100*(1-s.Spec.Rules.Level()), 4), ends(s.Metric, e), e.Seeds())
			} else {
				w.say(" (%s)", e.Seeds())
			}
		} else {
			w.say("%s", listSep(i, es))
			w.strong("%s", e.Label)
			w.say(" by %s", size)
			if bound(e) {
				w.say(" (%s)", ends(s.Metric, e))
			}
		}
	}
	others(w, len(es)-spelled)
	if len(es) > 0 {
		w.say(". ")
	}
}

// untested writes the arms that have no interval: without a pair, with one seed, or without any spread.
func (s *Snapshot) untested(w *writer, es []Effect, all int) {
	var none, one []Effect
	for _, e := range es {
		switch {
		case e.N == 0 && e.Reason == notPlanned:
			w.say("%s cannot be tested: %s. ", e.Label, e.Reason)
		case e.N == 0:
			none = append(none, e)
		case e.N == 1:
			one = append(one, e)
		default:
			w.say("%s cannot be tested: %s. ", e.Label, e.Reason)
		}
	}
	if len(one) > 0 {
		if len(one) == all {
			w.say("with one seed per variant nothing can be said about chance: ")
		} else {
			w.say("with one seed so far nothing can be said about chance for ")
		}
		for i, e := range one[:min(len(one), spelled)] {
			w.say("%s%s (%s)", listSep(i, one), e.Label, s.Metric.WithUnit(s.Metric.Effect(e)))
		}
		others(w, len(one)-spelled)
		w.say(". ")
		if s.Count.Done() {
			w.say("repeat with more replicates to get intervals. ")
		}
	}
	if len(none) > 0 {
		who := names(none)
		if len(none) > spelled {
			who = Count(len(none), "variant")
		}
		w.say("%s cannot be compared%s: no seed is complete in both arms. ", who, s.yet())
	}
}

func (s *Snapshot) answerSearch(w *writer) {
	se := s.Search
	if len(se.Candidates) == 0 {
		if se.Infeasible > 0 {
			w.say("%s, and so there is no best configuration. ", plural(se.Infeasible, "the one complete trial breaks a constraint", fmt.Sprintf("all %d complete trials break a constraint", se.Infeasible)))
			return
		}
		w.say("no trial is complete, so there is no best configuration. ")
		return
	}
	best := se.Candidates[0]
	done := s.Count.Complete
	if s.Confirmed.Shown() {
		w.say("in the search ")
	}
	w.say("the best of %s has ", Count(done, "complete trial"))
	w.strong("%s %s", s.Metric.Key, s.Metric.MeanSpread(best.Mean, best.SD))
	if best.N > 1 {
		w.say(" over %d seeds", best.N)
	} else if s.Foreign() {
		w.say(" (trial %d)", best.Trials[0])
	} else {
		w.say(" (trial %d, one seed)", best.Trials[0])
	}
	if why := s.Optimistic(); why != "" {
		w.say(", which is optimistic (%s),", why)
	}
	w.say(" with ")
	i := 0
	for _, p := range se.Space {
		if v, ok := best.Params[p.Name]; ok {
			if i > 0 {
				w.say(", ")
			}
			w.say("%s %s", p.Name, ShortValue(v))
			i++
		}
	}
	w.say(". ")
	if s.Count.Pruned > 0 {
		w.say("%s stopped early. ", Count(s.Count.Pruned, "trial"))
	}
	if n := se.Infeasible; n > 0 {
		w.say("%s a constraint and cannot be the best. ", plural(n, "1 complete trial breaks", fmt.Sprintf("%d complete trials break", n)))
	}
}

// warnings are the things that must stand beside the answer.
func warnings(s *Snapshot) []string {
	var ws []string
	o := s.Spec.Objective
	split := o.Split
	if split == "" {
		split = "val"
	}
	if w := s.OtherObjectives(); w != "" {
		ws = append(ws, w)
	}
	if s.Search != nil {
		ws = append(ws, s.confirmWarnings()...)
	}
	if o.Epoch == "best" {
		ws = append(ws, fmt.Sprintf("Each trial is scored at its best epoch on the %s split: scores are higher than those of the last epoch, "+
			"and more so where curves are noisy.", split))
	}
	if !s.Count.Holds() {
		ws = append(ws, fmt.Sprintf("The accounting does not hold: %d planned, but %d found.", s.Count.Planned,
			s.Count.Finished()+s.Count.Running+s.Count.Waiting+s.Count.Missing))
	}
	if n := s.Count.Missing; n > 0 && n < s.Count.Planned {
		ws = append(ws, fmt.Sprintf("%s of the design %s never enqueued. Run the study again to have %s.", Count(n, "trial"), plural(n, "was", "were"), plural(n, "it", "them")))
	}
	ws = append(ws, s.auditWarnings()...)
	for i := range s.Blocks {
		b := s.Blocks[i]
		if w := s.floor(&b); w != "" {
			ws = append(ws, w)
		}
		if lost := unequal(b); lost != "" {
			ws = append(ws, lost)
		}
	}
	return ws
}

// OtherObjectives says that a study of another program has objectives beside the one that is reported; else it is "".
func (s *Snapshot) OtherObjectives() string {
	n := len(s.Study.Directions)
	if n < 2 || s.Front != nil {
		return ""
	}
	return fmt.Sprintf("This study has %d objectives. Everything here is by the first of them alone (%s, %sd); the others are ignored.",
		n, s.Metric.Key, strings.ToLower(string(s.Metric.Direction)))
}

// floorPoints is a score under which a detector has hardly learned anything: one point.
const floorPoints = 0.01

// floor warns of effects between detectors that have not learned: equal scores near zero show nothing.
func (s *Snapshot) floor(b *Block) string {
	ref, ok := b.Reference()
	if !ok || !s.Metric.Points || len(ref.Scores) == 0 || ref.Mean >= floorPoints || len(b.Effects) == 0 {
		return ""
	}
	return fmt.Sprintf("The %s reaches only %s: it has hardly learned anything, and scores that are alike near zero do not show that "+
		"a change makes no difference. Train longer.", ref.Label, s.Metric.WithUnit(s.Metric.Rough(ref.Mean)))
}

// unequal tells of arms that lost seeds to failures: what survives may be the easy part.
func unequal(b Block) string {
	var names []string
	for _, a := range b.Arms {
		failed := 0
		for _, t := range a.Trials {
			if t.State == trials.Fail && t.Text(trials.AttrClass) != trials.ClassSkipped {
				failed++
			}
		}
		if failed > 0 && failed < len(a.Trials) {
			names = append(names, fmt.Sprintf("%s (%d of %d)", a.Label, failed, len(a.Trials)))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "Some seeds failed, so that these rest on the ones that survived: " + strings.Join(names, ", ") + "."
}

func compareAbs(a, b float64) int {
	switch a, b = math.Abs(a), math.Abs(b); {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func ends(m Metric, e Effect) string {
	low, high := m.ends(e)
	return low + " to " + high
}

// bound says that an effect has an interval with two ends.
func bound(e Effect) bool { return finite(e.Low) && finite(e.High) }

// far is " so far" while the study goes on.
func (s *Snapshot) far() string {
	if s.Count.Done() {
		return ""
	}
	return " so far"
}

// yet is " yet" while the study goes on.
func (s *Snapshot) yet() string {
	if s.Count.Done() {
		return ""
	}
	return " yet"
}

// names lists labels, and counts those beyond the first few.
func names(es []Effect) string {
	var b strings.Builder
	for i, e := range es {
		if i == spelled {
			fmt.Fprintf(&b, " and %d %s", len(es)-spelled, plural(len(es)-spelled, "other", "others"))
			break
		}
		b.WriteString(listSep(i, es))
		b.WriteString(e.Label)
	}
	return b.String()
}

// listSep goes before the name of es[i], of which at most spelled are named; a semicolon keeps names apart that have
// commas themselves.
func listSep(i int, es []Effect) string {
	named := es[:min(len(es), spelled)]
	switch {
	case i == 0:
		return ""
	case slices.ContainsFunc(named, func(e Effect) bool { return strings.Contains(e.Label, ", ") }):
		return "; "
	case i == len(es)-1 && len(es) <= spelled:
		return " and "
	}
	return ", "
}

// Count writes a number with its noun: "1 seed", "5 seeds".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Span writes a duration as people say it: "2 h 14 min", "48 s".
func Span(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 90*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 10*time.Minute:
		m := int(d.Minutes())
		return fmt.Sprintf("%d min %d s", m, int(d.Seconds())-60*m)
	case d < time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	h := int(d.Hours())
	return fmt.Sprintf("%d h %02d min", h, int(d.Minutes())-60*h)
}

// ShortValue writes a parameter's value with at most three significant digits.
func ShortValue(v any) string {
	if x, ok := v.(float64); ok {
		return trials.FormatValue(roundSignificant(x, 3))
	}
	return trials.FormatValue(v)
}

func roundSignificant(x float64, n int) float64 {
	if x == 0 || !finite(x) {
		return x
	}
	p := math.Pow(10, float64(n)-math.Ceil(math.Log10(math.Abs(x))))
	if !finite(p) || p == 0 {
		return x
	}
	return math.Round(x*p) / p
}
