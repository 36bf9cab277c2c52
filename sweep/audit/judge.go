package audit

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// Where a verdict comes from.
const (
	fromSteps = "steps"
	fromCode  = "code"
	fromBoth  = "steps and code"
)

// judge compares the traces of one batch.
type judge struct {
	catalogue
	*batch
	noise noise
	echo  bool // compare what the trainer says it used with what was asked for
}

// sameness says how close equal levels were.
func (j judge) sameness() string {
	steps := len(j.traces[0].Steps)
	word := fmt.Sprintf("%d steps", steps)
	if steps == 1 {
		word = "step"
	}
	if len(j.noise) > 0 {
		return "the same " + word + ", as far as two equal runs are"
	}
	return "the same " + word + ", bit by bit"
}

// outcome is what the values of a knob did in one scene.
type outcome struct {
	groups [][]any // of the values that ran, in their order
	first  place
	failed []string // values that did not run, with the reason
}

func (o outcome) differs() bool { return len(o.groups) > 1 }

// equal says that some values did the same.
func (o outcome) equal() bool {
	return slices.ContainsFunc(o.groups, func(g []any) bool { return len(g) > 1 })
}

// compare runs through the values in a scene. Every group is told by its first value, since to be alike within a
// tolerance is not transitive.
func (j judge) compare(s subject, sc scene, values []any) outcome {
	var o outcome
	var heads []trainer.Trace
	for _, v := range values {
		t := j.at(s.name, sc, v)
		if t.Failed != "" {
			o.failed = append(o.failed, fmt.Sprintf("%s=%s could not be run: %s", s.name, trials.FormatValue(v), t.Failed))
			continue
		}
		found := false
		for i, h := range heads {
			at, differ := j.noise.differ(h, t)
			if !differ {
				o.groups[i] = append(o.groups[i], v)
				found = true
				break
			}
			if o.first.channel == "" || before(at, o.first) {
				o.first = at
			}
		}
		if !found {
			heads = append(heads, t)
			o.groups = append(o.groups, []any{v})
		}
	}
	return o
}

// at is the trace of a knob's value in a scene.
func (j judge) at(name string, sc scene, v any) trainer.Trace {
	return j.traces[j.add(sc.base.With(trials.Params{name: v}), j.template.Seed)]
}

// before orders differences by step, the end last, then by channel.
func before(a, b place) bool {
	when := func(p place) int {
		if p.step == trials.AuditEnd {
			return math.MaxInt
		}
		return p.step
	}
	return cmp.Or(cmp.Compare(when(a), when(b)), cmp.Compare(slices.Index(trainer.Channels, a.channel), slices.Index(trainer.Channels, b.channel))) < 0
}

// verdict judges a knob from its traces. collapsed says that no level differs from another at the reference, for
// a reason that a value beyond the levels can tell.
func (j judge) verdict(s subject) (l trials.Liveness, collapsed bool) {
	l.Source = fromSteps
	if s.skip != "" {
		return trials.Liveness{Verdict: string(trainer.Unjudged), Reason: s.skip}, false
	}
	scenes := j.scenes(s)
	o := j.compare(s, scenes[0], s.tried)
	l.Fault = strings.Join(o.failed, "; ")
	if o.differs() {
		j.alive(&l, s, o)
		return l, false
	}
	if len(o.failed) > 0 { // levels that did not run may be the ones that differ
		l.Source = ""
		return l, false
	}
	for _, sc := range scenes[1:] {
		below := j.compare(s, sc, s.tried)
		if len(below.failed) > 0 {
			l.Fault = fmt.Sprintf("with %s: %s", sc.changed.Key(), strings.Join(below.failed, "; "))
		}
		if below.differs() {
			j.alive(&l, s, below)
			l.Verdict, l.Needs, l.Dead = string(trainer.Conditional), sc.changed, !sc.inStudy
			l.Reason = fmt.Sprintf("matters with %s only", sc.changed.Key())
			l.Remedy = "set " + sc.changed.Key()
			if sc.inStudy {
				l.Reason += ", which part of the study has"
				l.Remedy = ""
			}
			return l, false
		}
	}
	if where, ok := j.unjudged(s.name); ok {
		return trials.Liveness{Verdict: string(trainer.Unjudged), Reason: where, Fault: l.Fault}, false
	}
	if l.Fault != "" {
		l.Source = ""
		return l, false
	}
	l.Verdict, l.Dead = string(trainer.Inert), true
	l.Reason = fmt.Sprintf("%s gave %s", valuesText(s.tried), j.sameness())
	return l, !s.forced
}

// alive fills in a knob that some values of which differ.
func (j judge) alive(l *trials.Liveness, s subject, o outcome) {
	l.Verdict, l.Channel, l.Step = string(trainer.Live), o.first.channel, o.first.step
	if _, late := j.unjudged(s.name); late || !o.equal() {
		return
	}
	l.Verdict, l.Groups = string(trainer.Saturated), o.groups
	var parts []string
	for _, g := range o.groups {
		if len(g) > 1 {
			parts = append(parts, valuesText(g))
		}
	}
	l.Reason = fmt.Sprintf("%s gave %s", strings.Join(parts, ", and "), j.sameness())
}

// tell decides between a knob that nothing reads and levels that are too close, by values beyond them.
func (j judge) tell(l *trials.Liveness, s subject, far []any) {
	sc := j.scenes(s)[0]
	for _, v := range far {
		t := j.at(s.name, sc, v)
		if t.Failed != "" {
			continue // it shows nothing
		}
		if at, differ := j.noise.differ(j.at(s.name, sc, s.tried[0]), t); differ {
			l.Verdict, l.Groups, l.Channel, l.Step = string(trainer.Saturated), [][]any{s.levels}, at.channel, at.step
			l.Reason = joinWords(l.Reason, trials.FormatValue(v)+" does not")
			l.Remedy = "choose levels further apart"
			return
		}
	}
}

// unjudged says where a knob acts if not in the first steps, according to the trainer.
func (j judge) unjudged(name string) (string, bool) {
	for _, t := range j.traces {
		if where, ok := t.Unjudged[name]; ok {
			return where, true
		}
	}
	return "", false
}

// echoed says what the trainer took instead of the values that it was asked for, which may be why they do the same.
func (j judge) echoed(s subject) string {
	if !j.echo || s.skip != "" {
		return ""
	}
	var list []trials.Mismatch
	for _, v := range s.tried {
		asked := trials.Params{s.name: v}
		list = append(list, trials.Mismatches(asked, j.at(s.name, j.scenes(s)[0], v).Effective)...)
	}
	return trials.MismatchText(list)
}

// seed judges the seed: another one must change weights, and pictures where the trainer has that channel.
func (j judge) seed(other int) trials.Liveness {
	l := trials.Liveness{Source: fromSteps}
	t := j.traces[other]
	if t.Failed != "" {
		l.Source, l.Fault = "", "another seed could not be run: "+t.Failed
		return l
	}
	base := j.traces[0]
	at, differ := j.noise.differ(base, t)
	if !differ {
		l.Verdict, l.Dead = string(trainer.Inert), true
		l.Reason = "another seed gave " + j.sameness() + ": replicates are copies of each other"
		return l
	}
	l.Verdict, l.Channel, l.Step = string(trainer.Live), at.channel, at.step
	input, has := false, false
	for i := range min(len(base.Steps), len(t.Steps)) {
		has = has || base.Steps[i].Hashes[trainer.ChannelInput] != "" || len(base.Steps[i].Values[trainer.ChannelInput]) > 0
		input = input || j.noise.channel(trainer.ChannelInput, base.Steps[i], t.Steps[i])
	}
	if has && !input {
		l.Verdict = string(trainer.Conditional)
		l.Reason = "another seed changes the weights but not the pictures: replicates see the same stream, and their spread is too small"
	}
	return l
}

func valuesText(vs []any) string {
	words := make([]string, len(vs))
	for i, v := range vs {
		words[i] = trials.FormatValue(v)
	}
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// join adds what the trainer's reviewer says to what the steps showed. The steps win. inStudy says that trials of
// the study meet what the knob requires, though the reference does not.
func join(l trials.Liveness, f trainer.Finding, inStudy bool) trials.Liveness {
	says := string(f.Verdict)
	switch {
	case l.Verdict == "" || l.Verdict == string(trainer.Unjudged):
		dead := f.Verdict == trainer.Inert || f.Verdict == trainer.Conditional && !inStudy
		return trials.Liveness{Verdict: says, Dead: dead, Reason: f.Reason, Remedy: f.Remedy, Fault: l.Fault, Source: fromCode}
	case l.Verdict == says, l.Dead && f.Verdict == trainer.Inert && l.Verdict != string(trainer.Inert):
		l.Reason = joinWords(f.Reason, l.Reason) // of dead levels the steps may know more: that others are alive
	case l.Verdict == string(trainer.Inert): // the others mean the same as the study stands, and know why
		l.Verdict, l.Reason = says, f.Reason
	default:
		l.Reason = joinWords(l.Reason, fmt.Sprintf("the trainer's code suggests %s (%s), the steps show otherwise", says, f.Reason))
		return l
	}
	l.Remedy, l.Source = cmp.Or(f.Remedy, l.Remedy), fromBoth
	return l
}

func joinWords(parts ...string) string {
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	return strings.Join(parts, "; ")
}

// reviewed makes findings into a map by knob; the first of several on one knob leads, the others add their reasons.
func reviewed(fs []trainer.Finding) map[string]trainer.Finding {
	m := map[string]trainer.Finding{}
	for _, f := range fs {
		if old, ok := m[f.Knob]; ok {
			old.Reason = joinWords(old.Reason, f.Reason)
			old.Remedy = joinWords(old.Remedy, f.Remedy)
			f = old
		}
		m[f.Knob] = f
	}
	return m
}
