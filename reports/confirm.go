package reports

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Confirmation is what became of a search's best points when they were trained again from fresh seeds.
type Confirmation struct {
	trials.Confirms
	Name   string     // of the study that did it
	Count  Accounting // of its trials
	Blocks []ConfirmedBlock
	study  *Snapshot
}

// ConfirmedBlock are the points on one data set.
type ConfirmedBlock struct {
	Data     string
	Baseline inference.Summary // its fresh trainings
	Points   []ConfirmedPoint  // in the order in which the search ranked them
	block    *Block
}

// ConfirmedPoint is one configuration before and after.
type ConfirmedPoint struct {
	Arm       string
	Label     string
	Trials    []int             // of the search
	Search    float64           // mean score in the search: optimistic, since it was chosen for it; NaN if it had none on these data
	Confirmed inference.Summary // of its fresh trainings
	Shrinkage float64           // how much of the search's score was not there again, positive for the worse; NaN while unknown
	Broken    int               // fresh trainings that broke a constraint
	Effect    Effect            // against the baseline with the same fresh seeds
}

// confirmation reads the study that confirms a search, nil if there is none.
func confirmation(ctx context.Context, r trials.Reader, s *Snapshot) (*Confirmation, error) {
	st, err := r.Study(ctx, studies.ConfirmName(s.Study.Name))
	if errors.Is(err, trials.ErrNoStudy) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read confirmation of study %q: %w", s.Study.Name, err)
	}
	c, ok := st.Confirms()
	if !ok || c.Study != s.Study.Name {
		return nil, nil
	}
	ts, err := r.Trials(ctx, st.ID)
	if err != nil {
		return nil, fmt.Errorf("read trials of study %q: %w", st.Name, err)
	}
	own, err := New(st, ts)
	if err != nil {
		return nil, err
	}
	return newConfirmation(s, own, c), nil
}

// newConfirmation holds the search's scores against those of the study that trained its points again.
func newConfirmation(s, own *Snapshot, c trials.Confirms) *Confirmation {
	out := &Confirmation{Confirms: c, Name: own.Study.Name, Count: own.Count, study: own}
	for i := range own.Blocks {
		b := &own.Blocks[i]
		cb := ConfirmedBlock{Data: b.Data, block: b}
		if ref, ok := b.Reference(); ok {
			cb.Baseline = inference.Summary{N: len(ref.Scores), Mean: ref.Mean, SD: ref.SD}
		}
		for _, p := range c.Picks {
			k := slices.IndexFunc(b.Arms, func(a Arm) bool { return a.Name == p.Arm })
			if k < 0 {
				continue
			}
			a := b.Arms[k]
			x := ConfirmedPoint{Arm: p.Arm, Label: pickLabel(p, a), Trials: p.Trials, Search: s.searched(p, b.Data, len(own.Blocks) > 1),
				Confirmed: inference.Summary{N: len(a.Scores), Mean: a.Mean, SD: a.SD}}
			x.Shrinkage = s.Metric.Gain(x.Search) - s.Metric.Gain(x.Confirmed.Mean)
			x.Effect, _ = b.Effect(p.Arm)
			for _, t := range a.Trials {
				if t.State == trials.Complete && !t.Feasible() {
					x.Broken++
				}
			}
			cb.Points = append(cb.Points, x)
		}
		out.Blocks = append(out.Blocks, cb)
	}
	return out
}

// pickLabel names a point by the trial that found it, and by what it changes against the baseline, in short.
func pickLabel(p trials.Pick, a Arm) string {
	var parts []string
	for _, c := range a.Changes {
		parts = append(parts, c.Name+" "+ShortValue(c.To))
	}
	return fmt.Sprintf("trial %d (%s)", slices.Min(p.Trials), strings.Join(parts, ", "))
}

// searched is the score that a point had in the search: what it was picked for, or with several data sets its mean there.
func (s *Snapshot) searched(p trials.Pick, data string, several bool) float64 {
	if !several {
		return p.Value
	}
	var v []float64
	for _, n := range p.Trials {
		if x, ok := objective(s.Trial(n)); ok && s.Trial(n).Text(trials.AttrData) == data {
			v = append(v, x)
		}
	}
	return inference.Summarize(v).Mean
}

// Fresh says that the confirmation was scored on pictures that the search never saw.
func (c *Confirmation) Fresh() bool { return c.Report != c.Tune }

// Shown says that there is something to read: a fresh score of a point.
func (c *Confirmation) Shown() bool {
	return c != nil && slices.ContainsFunc(c.Blocks, func(b ConfirmedBlock) bool {
		return slices.ContainsFunc(b.Points, func(p ConfirmedPoint) bool { return p.Confirmed.N > 0 })
	})
}

// answerConfirmed says first what was found again, and how much of the search's score was not.
func (s *Snapshot) answerConfirmed(w *writer) {
	c := s.Confirmed
	if !c.Shown() {
		return
	}
	for i := range c.Blocks {
		b := &c.Blocks[i]
		on := ""
		if len(c.Blocks) > 1 {
			on = " on " + b.Data
		}
		far := ""
		if !c.Count.Done() {
			far = fmt.Sprintf(", with %d of %d trials so far", c.Count.Finished(), c.Count.Planned)
		}
		w.say("confirmed%s from fresh seeds on split %s%s: ", on, c.Report, far)
		for k, p := range b.Points[:min(len(b.Points), spelled)] {
			if k > 0 {
				w.say("; ")
			}
			s.confirmedWords(w, p)
		}
		others(w, len(b.Points)-spelled)
		w.say(". ")
	}
}

func (s *Snapshot) confirmedWords(w *writer, p ConfirmedPoint) {
	m := s.Metric
	w.strong("%s", p.Label)
	if p.Confirmed.N == 0 {
		w.say(" has no score")
		return
	}
	w.say(" has ")
	w.strong("%s %s", m.Key, m.WithUnit(m.MeanSpread(p.Confirmed.Mean, p.Confirmed.SD)))
	w.say(" over %s", Count(p.Confirmed.N, "seed"))
	if e := p.Effect; finite(e.Mean) {
		w.say(", %s against the baseline", m.Effect(e))
		if bound(e) {
			w.say(" (%g %% interval %s)", roundSignificant(100*(1-s.Spec.Rules.Level()), 4), ends(m, e))
		}
		w.say(": ")
		w.strong("%s", e.Verdict)
	}
	if finite(p.Shrinkage) {
		w.say("; the search had said %s", m.WithUnit(m.MeanSpread(p.Search, math.NaN())))
	}
	if p.Broken > 0 {
		w.say("; %s broke a constraint", Count(p.Broken, "training"))
	}
}

// Optimistic says why the best score of the search is too good; "" where nothing was chosen.
func (s *Snapshot) Optimistic() string {
	if s.Search == nil || len(s.Search.Candidates) < 2 || s.Spec.Screens() {
		return ""
	}
	n := len(s.Search.Candidates)
	word := "largest"
	if s.Metric.Gain(1) < 0 {
		word = "smallest"
	}
	return fmt.Sprintf("it was chosen as the %s of %d noisy values", word, n)
}

// confirmWarnings say what a reader must know of how far the search's result can be trusted.
func (s *Snapshot) confirmWarnings() []string {
	c := s.Confirmed
	split := s.Spec.Objective.Split
	if split == "" {
		split = "val"
	}
	if !c.Shown() {
		if len(s.Search.Candidates) < 2 {
			return nil
		}
		if s.Foreign() {
			return []string{"The best trial was chosen by the score that is shown: its value is optimistic if the same pictures gave both."}
		}
		again := "scored on another split (data_split), before quoting it"
		if s.Spec.DataSplit != nil {
			again = fmt.Sprintf("scored on split %s, which the search never saw, before quoting it", s.Spec.DataSplit.Report)
		}
		if s.Front != nil {
			return []string{fmt.Sprintf("The points of the front were chosen on the same %s split that scores them: their values are optimistic. Train the best again with fresh seeds before quoting them: mapsweep confirm %s.", split, s.Study.Name)}
		}
		w := fmt.Sprintf("The best trial was chosen on the same %s split that scores it: its value is optimistic. ", split)
		if !s.IsSearch() {
			return []string{w + "Train the chosen configuration again with fresh seeds, scored on another split, before quoting it."}
		}
		return []string{w + fmt.Sprintf("Train the best again with fresh seeds, %s: mapsweep confirm %s.", again, s.Study.Name)}
	}
	var ws []string
	if !c.Fresh() {
		ws = append(ws, fmt.Sprintf("The confirmation is scored on split %s, as the search was: fresh seeds take away the luck of training, not that of having been chosen on these pictures. "+
			"A search with data_split keeps pictures for its report.", c.Report))
	}
	if len(s.Search.Candidates) > 0 && s.Front == nil {
		best := s.Search.Candidates[0]
		if !slices.ContainsFunc(c.Picks, func(p trials.Pick) bool { return slices.Contains(p.Trials, best.Trials[0]) }) {
			ws = append(ws, fmt.Sprintf("The search's best configuration (trial %d) is none of those that were confirmed: mapsweep confirm %s --top %d adds it, unless it is the baseline.",
				best.Trials[0], s.Study.Name, len(c.Picks)+1))
		}
	}
	return ws
}
