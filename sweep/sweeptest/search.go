package sweeptest

import (
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// What searches at scale ask of a sampler: options, forbidden combinations, trials under way, several objectives, and that what it
// keeps between calls changes nothing.

// optionsRefused: a word that is no option is an error when the sampler is made, and named in it.
func (s samplers) optionsRefused(t *testing.T) {
	_, err := s.make(sweep.SamplerConfig{Seed: 1, Space: Everything(), Trials: 40, Options: trials.Params{"no_such_option": int64(1)}})
	if err == nil || !strings.Contains(err.Error(), "no_such_option") {
		t.Errorf("option no_such_option: %v", err)
	}
}

// forbidden: no point has all values of a forbidden combination, those of a parameter that is fixed among them; the parts of a
// combination are not forbidden by themselves.
func (s samplers) forbidden(t *testing.T) {
	h := Empty(Everything(), trials.Maximize)
	h.Forbidden = []trials.Params{{"switch": true, "int": int64(3)}, {"typed": nil, "backbone": "small"}, {"typed": int64(3), "backbone": "large"}}
	h = Play(t, s.new(t, h.Space), h, 3, 60, noise)
	seen := map[string]int{}
	for _, tr := range h.All() {
		checkPoint(t, h, tr)
		if h.Forbids(tr.Params) {
			t.Errorf("trial %d is forbidden: %s", tr.Number, tr.Params.Key())
		}
		for _, name := range []string{"switch", "int", "typed"} {
			seen[name+"="+trials.FormatValue(tr.Params[name])]++
		}
	}
	for _, part := range []string{"switch=true", "int=3", "typed=3"} {
		if seen[part] == 0 {
			t.Errorf("%s never came up in 60 trials, only combinations with it are forbidden", part)
		}
	}
}

// allForbidden: where nothing is left a sampler says so and comes to an end.
func (s samplers) allForbidden(t *testing.T) {
	h := Empty(Everything(), trials.Maximize)
	h.Forbidden = []trials.Params{{"backbone": "small"}}
	if sg, err := s.new(t, h.Space).Suggest(t.Context(), h, sweep.Rand(1, 0, 0)); err == nil {
		t.Errorf("everything is forbidden, and %s was proposed", sg.Params.Key())
	}
}

// play8 plays n trials eight at a time, those with odd numbers ending first; every seventh is pruned or fails. each sees the
// history before every suggestion.
func (s samplers) play8(t *testing.T, sm sweep.Sampler, h sweep.History, n int, each func(h sweep.History, i int, sg trials.Suggestion)) sweep.History {
	t.Helper()
	for i := range n {
		sg, err := sm.Suggest(t.Context(), h, sweep.Rand(5, i, 0))
		if err != nil {
			t.Fatalf("suggestion %d: %v", i, err)
		}
		each(h, i, sg)
		tr := Trial(i, sg)
		tr.State = trials.Running
		if h = Add(h, tr); len(h.Open) < 8 {
			continue
		}
		at := (i % 2) * 5
		done := Trial(h.Open[at].Number, sg, noise(i, nil), noise(i+3, nil))
		done.Space, done.Params, done.Attrs = h.Open[at].Space, h.Open[at].Params, h.Open[at].Attrs
		if i%7 == 3 {
			done.State, done.Values = []trials.State{trials.Pruned, trials.Fail}[i%2], nil
		}
		if len(h.Goals) == 2 && done.Values != nil {
			done.Values = append(done.Values, noise(i+5, nil))
			done.Constraints = []float64{noise(i+7, nil) - 0.8}
		}
		open := append([]*trials.Trial{}, h.Open[:at]...)
		h.Open = append(open, h.Open[at+1:]...)
		h = Add(h, done)
	}
	return h
}

// underWay: with eight trials running at a time points stay in range, and are not all the same.
func (s samplers) underWay(t *testing.T) {
	h := s.play8(t, s.new(t, Everything()), Empty(Everything(), trials.Maximize), 40, func(sweep.History, int, trials.Suggestion) {})
	keys := map[string]bool{}
	for _, tr := range h.All() {
		checkPoint(t, h, tr)
		keys[tr.Params.Key()] = true
	}
	if len(keys) < 36 {
		t.Errorf("%d of 40 points are different", len(keys))
	}
}

// grows: a sampler that has followed a study and one that is made anew propose the same, bit by bit, also after it was asked
// about an older state of the study and after a finished trial came again.
func (s samplers) grows(t *testing.T) {
	sm := s.new(t, Everything())
	compare := func(h sweep.History, i int, sg trials.Suggestion) {
		fresh, err := s.new(t, Everything()).Suggest(t.Context(), h, sweep.Rand(5, i, 0))
		if err != nil || exactly(fresh) != exactly(sg) {
			t.Errorf("suggestion %d after %d of the log: %s, made anew %s (%v)", i, len(h.Finished), exactly(sg), exactly(fresh), err)
		}
	}
	h := s.play8(t, sm, Empty(Everything(), trials.Maximize), 40, func(h sweep.History, i int, sg trials.Suggestion) {
		if i%9 == 8 {
			old := h
			old.Finished, old.Open = h.Finished[:len(h.Finished)/2], nil
			if _, err := sm.Suggest(t.Context(), old, sweep.Rand(5, i, 1)); err != nil {
				t.Fatal(err)
			}
		}
		if i%4 == 0 {
			compare(h, i, sg)
		}
	})
	again := *h.Finished[3]
	again.State, again.Values = trials.Complete, []float64{0.9}
	h = Add(h, again)
	sg, err := sm.Suggest(t.Context(), h, sweep.Rand(5, 40, 0))
	if err != nil {
		t.Fatal(err)
	}
	compare(h, 40, sg)
}

// exactly prints a suggestion with all digits and its attributes.
func exactly(sg trials.Suggestion) string {
	text, err := trials.EncodeParams(sg.Params)
	if err != nil {
		return err.Error()
	}
	return text + string(trials.Attr(sg.Attrs))
}

// objectives: a study of two objectives and a constraint is searched, or refused when the sampler is made.
func (s samplers) objectives(t *testing.T) {
	goals := []trials.Goal{{Metric: Metric, Direction: trials.Maximize}, {Metric: "seconds", Direction: trials.Minimize}}
	sm, err := s.make(sweep.SamplerConfig{Seed: 3, Space: Everything(), Trials: 40, Goals: goals})
	if err != nil {
		t.Logf("refused: %v", err)
		return
	}
	h := Empty(Everything(), trials.Maximize)
	h.Goals = goals
	h = s.play8(t, sm, h, 40, func(sweep.History, int, trials.Suggestion) {})
	for _, tr := range h.All() {
		checkPoint(t, h, tr)
	}
}
