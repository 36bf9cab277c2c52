package reports_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/memory"
)

// tunedStudy is a study of a baseline and two variants with some replicates, untuned and as each of two or more tunings
// chose it; score(arm, tuning, replicate) is NaN for a failed trial, tuning -1 the untuned variant.
func tunedStudy(repeats, replicates int, score func(arm string, tuning, replicate int) float64) (trials.Study, []trials.Trial) {
	spec := studies.Spec{Name: "t", Design: studies.DesignOneFactor, Replicates: replicates,
		Objective: studies.Objective{Metric: "mAP50-95", Direction: trials.Maximize, Epoch: "last", Split: "test"},
		Baseline:  trials.Params{"mosaic": 1.0, "ema": true},
		Factors:   []studies.Factor{{Name: "mosaic", Levels: []any{1.0, 0.0}}, {Name: "ema", Levels: []any{true, false}}},
		Tune:      &studies.Tune{Repeats: repeats, Sampler: "random", Pruner: "none", Trials: 4, DeviceHours: 1, Split: "val", Knobs: []studies.Factor{{Name: "lr0"}}}}
	resolved, err := json.Marshal(spec)
	if err != nil {
		panic(err)
	}
	st := trials.Study{ID: 1, Name: "t", Directions: []trials.Direction{trials.Maximize}, Objective: "mAP50-95", Resolved: resolved}
	var ts []trials.Trial
	for r := -1; r < repeats; r++ {
		for s := range replicates {
			for _, arm := range []string{"baseline", "mosaic=0", "ema=false"} {
				x := score(arm, r, s)
				t := trials.Trial{ID: int64(len(ts)), Number: len(ts), Key: fmt.Sprint(arm, r, s), State: trials.Complete, Values: []float64{x}, Params: trials.Params{"mosaic": 1.0, "ema": true},
					Attrs: map[string]json.RawMessage{trials.AttrArm: trials.Attr(arm), trials.AttrReplicate: trials.Attr(s), trials.AttrSeed: trials.Attr(100*r + s)}}
				switch arm {
				case "mosaic=0":
					t.Params["mosaic"] = 0.0
				case "ema=false":
					t.Params["ema"] = false
				}
				if r >= 0 {
					t.Attrs[trials.AttrTuning] = trials.Attr(r)
					t.Attrs[trials.AttrTunedFrom] = trials.Attr(trials.Choice{Study: "t.tune", Trial: 2, Value: 0.9})
					t.Params["lr0"] = 0.01
				}
				if math.IsNaN(x) {
					t.State, t.Values = trials.Fail, nil
					t.Attrs[trials.AttrClass] = trials.Attr(trials.ClassDiverged)
				}
				ts = append(ts, t)
			}
		}
	}
	return st, ts
}

// scores plants effects: untuned and tuned, of the two variants.
func scores(mosaicUntuned, mosaicTuned, emaUntuned, emaTuned float64) func(string, int, int) float64 {
	return func(arm string, tuning, replicate int) float64 {
		x := 0.5 + 0.001*math.Sin(float64(replicate+10*tuning+int(arm[0])))
		switch {
		case arm == "mosaic=0" && tuning < 0:
			return x + mosaicUntuned
		case arm == "mosaic=0":
			return x + mosaicTuned
		case arm == "ema=false" && tuning < 0:
			return x + emaUntuned
		case arm == "ema=false":
			return x + emaTuned
		}
		return x
	}
}

func TestTunedStudy(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name    string
		repeats int
		score   func(string, int, int) float64
		turns   [2]reports.Turn
		verdict inference.Verdict // of mosaic, tuned
		answer  []string
	}{
		{"a sign turns", 3, scores(-0.1, 0.1, 0.05, 0.06), [2]reports.Turn{reports.Turns, reports.Stays}, inference.Better,
			[]string{"With every variant tuned, 3 times each on the same device time: mosaic 1 → 0 turns from worse to better (−10.0", "ema true → false is better"}},
		{"an effect fades", 3, scores(-0.1, -0.0001, 0.05, 0.06), [2]reports.Turn{reports.Fades, reports.Stays}, inference.Equivalent,
			[]string{"mosaic 1 → 0 is equivalent (−10.0"}},
		{"a sign changes, not shown", 3, func(arm string, r, s int) float64 {
			return scores(-0.1, 0.003*float64(r), 0.05, 0.06)(arm, r, s)
		}, [2]reports.Turn{reports.Changes, reports.Stays}, inference.NotShown,
			[]string{"mosaic 1 → 0 changes its sign", "not shown"}},
		{"one tuning", 1, scores(-0.1, 0.1, 0.05, 0.06), [2]reports.Turn{reports.Changes, reports.Fades}, inference.NotTested,
			[]string{"HPO variance not estimated"}},
		{"a tuned arm that failed", 3, func(arm string, r, s int) float64 {
			if arm == "mosaic=0" && r >= 0 {
				return nan
			}
			return scores(-0.1, 0.1, 0.05, 0.06)(arm, r, s)
		}, [2]reports.Turn{reports.Unknown, reports.Stays}, inference.NotTested, []string{"mosaic 1 → 0 is not known"}},
		{"nothing tuned yet", 3, func(arm string, r, s int) float64 {
			if r >= 0 {
				return nan
			}
			return scores(-0.1, 0.1, 0.05, 0.06)(arm, r, s)
		}, [2]reports.Turn{reports.Unknown, reports.Unknown}, inference.NotTested, []string{"No variant has been tuned and compared"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := snapshot(t, func() (trials.Study, []trials.Trial) { return tunedStudy(c.repeats, 4, c.score) })
			b := &s.Blocks[0]
			if len(b.Arms) != 3 || len(b.Arms[0].Scores) != 4 {
				t.Fatalf("%d arms, %d scores of the first: tuned trials are no replicates of untuned ones", len(b.Arms), len(b.Arms[0].Scores))
			}
			for i, e := range b.Tuned.Effects {
				if e.Turn != c.turns[i] {
					t.Errorf("%s: %s, want %s (untuned %v, tuned %v)", e.Label, e.Turn, c.turns[i], e.Untuned.Effect, e.Tuned.Effect)
				}
			}
			if v := b.Tuned.Effects[0].Tuned.Verdict; v != c.verdict {
				t.Errorf("mosaic is %s, want %s", v, c.verdict)
			}
			answer := reports.Text(s.Answer(b))
			for _, want := range c.answer {
				if !strings.Contains(answer, want) {
					t.Errorf("no %q in\n%s", want, answer)
				}
			}
			if _, err := json.Marshal(b.Tuned); err != nil {
				t.Error(err)
			}
			if want := 12 * (1 + c.repeats); s.Count.Planned != want || !s.Count.Holds() || !s.Count.Done() {
				t.Errorf("%+v, want %d planned", s.Count, want)
			}
		})
	}
}

// What is not chosen yet waits; a trial whose tuning chose nothing is no score of a tuned variant, even if it ran.
func TestTunedStudyUnfinished(t *testing.T) {
	st, ts := tunedStudy(3, 2, scores(-0.1, 0.1, 0.05, 0.06))
	s, err := reports.New(st, ts[:6])
	if err != nil {
		t.Fatal(err)
	}
	if s.Count.Planned != 24 || s.Count.Waiting != 18 || s.Count.Missing != 0 || !s.Count.Holds() || s.Count.Done() {
		t.Errorf("%+v, want 18 of 24 waiting", s.Count)
	}
	for i := range ts {
		if ts[i].Arm() == "mosaic=0" {
			delete(ts[i].Attrs, trials.AttrTunedFrom)
		}
	}
	if s, err = reports.New(st, ts); err != nil {
		t.Fatal(err)
	}
	if e := s.Blocks[0].Tuned.Effects[0]; e.Turn != reports.Unknown || e.Tuned.Pairs != 0 {
		t.Errorf("%d pairs of trials that nothing chose", e.Tuned.Pairs)
	}
}

func TestBudgetCurves(t *testing.T) {
	ctx := context.Background()
	m := memory.New()
	st, _ := tunedStudy(1, 1, scores(0, 0, 0, 0))
	if _, err := m.CreateStudy(ctx, st); err != nil {
		t.Fatal(err)
	}
	search := func(arm string, values ...float64) {
		spec := studies.Spec{Name: "t.tune-" + arm, Design: studies.DesignSearch, Search: &studies.Search{Sampler: "random", Trials: 4}}
		resolved, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		c, err := m.CreateStudy(ctx, trials.Study{Name: spec.Name, Directions: st.Directions, Objective: st.Objective, Resolved: resolved,
			Attrs: map[string]json.RawMessage{trials.AttrTuningOf: trials.Attr(trials.TuningOf{Study: "t", Arm: arm})}})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			tr, err := m.Enqueue(ctx, c.ID, trials.Suggestion{Key: fmt.Sprintf("suggestion-%04d", i)})
			if err == nil {
				tr, err = m.Claim(ctx, c.ID, "w")
			}
			if err != nil {
				t.Fatal(err)
			}
			o := trials.Outcome{State: trials.Complete, Values: []float64{v}}
			if math.IsNaN(v) {
				o = trials.Outcome{State: trials.Fail}
			}
			if err := m.Finish(ctx, tr.ID, o); err != nil {
				t.Fatal(err)
			}
		}
	}
	load := func() *reports.Snapshot {
		s, err := reports.Load(ctx, m, "t")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if _, err := load().BudgetCurves(); !errors.Is(err, reports.ErrNotIndependent) {
		t.Errorf("without a tuning: %v", err)
	}
	search("baseline", 0.1, 0.3, 0.2)
	search("mosaic=0", 0.5, 0.7)
	s := load()
	got, err := s.BudgetCurves()
	if err != nil {
		t.Fatal(err)
	}
	// By hand: the baseline's best of two is (0.3 + 0.2 + 0.3)/3.
	if len(got) != 2 || len(got[0].Best) != 2 || math.Abs(got[0].Best[0]-0.2) > 1e-12 || math.Abs(got[0].Best[1]-0.8/3) > 1e-12 || got[1].Best[1] != 0.7 {
		t.Errorf("%+v", got)
	}
	s.Spec.Tune.Sampler = "tpe"
	if _, err := s.BudgetCurves(); !errors.Is(err, reports.ErrNotIndependent) || !strings.Contains(err.Error(), "i.i.d.") {
		t.Errorf("tpe: %v", err)
	}
	search("ema=false", 0.5, math.NaN())
	if _, err := load().BudgetCurves(); !errors.Is(err, reports.ErrNotIndependent) || !strings.Contains(err.Error(), "without a score") {
		t.Errorf("with a failure: %v", err)
	}
}
