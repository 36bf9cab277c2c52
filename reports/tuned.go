package reports

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Tuned are the variants of a block as their tunings chose them, reference first.
type Tuned struct {
	Arms    []TunedArm    `json:"arms"`
	Effects []TunedEffect `json:"effects"` // in the order of the block's effects
}

// TunedArm is one variant with what each of its tunings chose.
type TunedArm struct {
	Name      string          `json:"arm"`
	Label     string          `json:"label"`
	Reference bool            `json:"reference"`
	Scores    map[int][]Score `json:"scores"` // of the complete trials, by tuning from 0, each by replicate
	Mean      float64         `json:"-"`      // of the tunings' means; NaN without any
	SD        float64         `json:"-"`      // over the tunings' means; NaN with fewer than two
}

// TunedEffect is what a variant does to the metric as the study file has it, and what once both arms are tuned.
type TunedEffect struct {
	Arm     string          `json:"arm"`
	Label   string          `json:"label"`
	Untuned Effect          `json:"-"` // the block has it
	Tuned   inference.Tuned `json:"effect"`
	Turn    Turn            `json:"turn"`
}

// Turn is what tuning did to the sign of an effect.
type Turn string

// The turns.
const (
	Stays   Turn = "stays"     // the signs agree, and so does what is shown
	Turns   Turn = "turns"     // both effects are shown, and they have opposite signs
	Changes Turn = "changes"   // the estimates have opposite signs, neither is equivalent to none, and not both are shown
	Fades   Turn = "fades"     // shown untuned, and not with tuning
	Appears Turn = "appears"   // shown with tuning alone
	Unknown Turn = "not known" // nothing to compare yet
)

// tuned fills the blocks of a study that tunes its variants.
func (s *Snapshot) tuned() {
	if s.Spec.Tune == nil {
		return
	}
	for i := range s.Blocks {
		b := &s.Blocks[i]
		b.Tuned = &Tuned{Arms: s.tunedArms(b)}
		ref := slices.IndexFunc(b.Tuned.Arms, func(a TunedArm) bool { return a.Reference })
		if ref < 0 {
			continue
		}
		o := inference.Options{Alpha: s.Spec.Rules.Level(), Margin: b.Margin, Minimize: s.Metric.Gain(1) < 0}
		var all []inference.Tuned
		for _, e := range b.Effects {
			k := slices.IndexFunc(b.Tuned.Arms, func(a TunedArm) bool { return a.Name == e.Arm })
			all = append(all, inference.CompareTuned(b.Tuned.Arms[ref].byTuning(), b.Tuned.Arms[k].byTuning(), o))
			b.Tuned.Effects = append(b.Tuned.Effects, TunedEffect{Arm: e.Arm, Label: e.Label, Untuned: e})
		}
		for k, t := range inference.FamilyTuned(all) {
			e := &b.Tuned.Effects[k]
			e.Tuned, e.Turn = t, turn(e.Untuned.Effect, t.Effect)
		}
	}
}

// tunedArms collects the scores of what tunings chose, arm by arm as in the block.
func (s *Snapshot) tunedArms(b *Block) []TunedArm {
	var arms []TunedArm
	for _, a := range b.Arms {
		t := TunedArm{Name: a.Name, Label: a.Label, Reference: a.Reference, Scores: map[int][]Score{}}
		for _, tr := range s.Trials {
			r, tuned := tr.Tuning()
			_, chosen := tr.Choice()
			x, ok := objective(tr)
			if !tuned || !chosen || !ok || tr.State != trials.Complete || tr.Arm() != a.Name || len(s.Blocks) > 1 && tr.Text(trials.AttrData) != b.Data {
				continue
			}
			t.Scores[r] = append(t.Scores[r], Score{Trial: tr.Number, Replicate: tr.Replicate(), Seed: tr.Seed(), Value: x})
		}
		t.Mean, t.SD = MeanSD(t.means())
		arms = append(arms, t)
	}
	return arms
}

// means are the mean scores of the tunings, by their number.
func (a TunedArm) means() []float64 {
	var v []float64
	for _, r := range slices.Sorted(maps.Keys(a.Scores)) {
		sum := 0.0
		for _, x := range a.Scores[r] {
			sum += x.Value
		}
		v = append(v, sum/float64(len(a.Scores[r])))
	}
	return v
}

// Trials is how many scores the arm has.
func (a TunedArm) Trials() int {
	n := 0
	for _, x := range a.Scores {
		n += len(x)
	}
	return n
}

func (a TunedArm) byTuning() map[int]map[int]float64 {
	m := map[int]map[int]float64{}
	for r, list := range a.Scores {
		m[r] = map[int]float64{}
		for _, x := range list {
			m[r][x.Replicate] = x.Value
		}
	}
	return m
}

// turn compares an effect with the same one after tuning.
func turn(untuned, tuned inference.Effect) Turn {
	switch a, b := shown(untuned), shown(tuned); {
	case math.IsNaN(untuned.Mean) || math.IsNaN(tuned.Mean):
		return Unknown
	case untuned.Mean*tuned.Mean < 0 && a && b:
		return Turns
	case untuned.Mean*tuned.Mean < 0 && untuned.Verdict != inference.Equivalent && tuned.Verdict != inference.Equivalent:
		return Changes
	case a && !b:
		return Fades
	case b && !a:
		return Appears
	}
	return Stays
}

func shown(e inference.Effect) bool {
	return e.Verdict == inference.Better || e.Verdict == inference.Worse
}

// answerTuned says what becomes of the effects when every variant is tuned; a sign that turns comes first.
func (s *Snapshot) answerTuned(w *writer, b *Block) {
	if b.Tuned == nil || len(b.Tuned.Effects) == 0 {
		return
	}
	t := s.Spec.Tune
	if !slices.ContainsFunc(b.Tuned.Effects, func(e TunedEffect) bool { return e.Turn != Unknown }) {
		w.say("no variant has been tuned and compared%s. ", s.yet())
		return
	}
	w.say("with every variant tuned, %s each on the same device time: ", Count(t.Repeats, "time"))
	es := slices.Clone(b.Tuned.Effects)
	order := []Turn{Turns, Changes, Fades, Appears, Stays, Unknown}
	slices.SortStableFunc(es, func(x, y TunedEffect) int {
		return cmp.Or(cmp.Compare(slices.Index(order, x.Turn), slices.Index(order, y.Turn)), -compareAbs(x.Tuned.Mean, y.Tuned.Mean))
	})
	for i, e := range es[:min(len(es), spelled)] {
		if i > 0 {
			w.say("; ")
		}
		s.tunedWords(w, e)
	}
	others(w, len(es)-spelled)
	w.say(". ")
}

func (s *Snapshot) tunedWords(w *writer, e TunedEffect) {
	own := Effect{Effect: e.Tuned.Effect}
	numbers := func() {
		w.say(" (%s", s.Metric.Effect(e.Untuned))
		w.say(" untuned, %s tuned", s.Metric.Effect(own))
		if in := s.Metric.Interval(own); in != "" {
			w.say(", interval %s", in)
		}
		w.say(")")
	}
	switch e.Turn {
	case Turns:
		w.strong("%s turns from %s to %s", e.Label, e.Untuned.Verdict, e.Tuned.Verdict)
		numbers()
	case Changes:
		w.strong("%s changes its sign", e.Label)
		numbers()
		w.say(", %s", e.Tuned.Verdict)
	case Unknown:
		w.say("%s is not known%s", e.Label, s.yet())
	default:
		w.strong("%s", e.Label)
		w.say(" is %s", e.Tuned.Verdict)
		numbers()
	}
	if e.Tuned.Tunings == 1 {
		w.say(", HPO variance not estimated")
	}
}
