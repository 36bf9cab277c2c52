package claims_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies/claims"
	"github.com/mapsweep/mapsweep/trials"
)

// The table "Levers and figures" of the article, row by row, with the judgement on the official code. The hashes are over
// what decides a check: one that changes here is another claim, and checks of the old one do not hold for it.
var table = []struct {
	id, figure, scores string
	judgement          claims.Judgement
	hash               string
}{
	{"lr-small-data", "+1.3 points of mAP50", "", claims.Partly, "f81dcc90"},
	{"sync-bn", "+1.5 to +2.0 points of mAP50", "", claims.Partly, "d8830861"},
	{"mosaic", "+0.4 to +0.7 points", "", claims.True, "122f8825"},
	{"mixup-off", "+0.9 to +1.4 points", "", claims.True, "17298163"},
	{"copy-paste-off", "+0.6 to +1.1 points", "", claims.Partly, "c8bc99da"},
	{"autoaugment-on", "+1.2 to +2.0 points", "", claims.False, "6c7bee45"},
	{"shelf-case", "mAP50 68.2 -> 69.5 -> 70.9", "mAP50 68.2 -> 69.5 -> 70.9", claims.Partly, "db3e2a61"},
	{"mixup-off-autoaug-on", "+0.8 to +1.5 points", "", claims.Partly, "ecba9f81"},
	{"ema", "+0.8 to +1.5 points of mAP50", "mAP50 71.1 ± 0.9 -> 72.4 ± 0.3", claims.False, "cf0d36f0"},
	{"box-weight", "no figure", "", claims.False, "e7f05779"},
	{"cache", "8 h 12 min -> 5 h 46 min", "8 h 12 min -> 5 h 46 min", claims.Partly, "d0452892"},
}

func TestArticle(t *testing.T) {
	all := claims.All()
	if len(all) != len(table) {
		t.Fatalf("%d claims, the article has %d", len(all), len(table))
	}
	for i, row := range table {
		c := all[i]
		if c.ID != row.id || c.Figure() != row.figure || c.Scores() != row.scores || c.Official.Judgement != row.judgement {
			t.Errorf("claim %d: %s, %q, %q, %s, want %+v", i, c.ID, c.Figure(), c.Scores(), c.Official.Judgement, row)
		}
		if !strings.HasPrefix(c.Hash(), row.hash) || len(c.Hash()) != 64 {
			t.Errorf("%s: hash %s, want %s...", c.ID, c.Hash(), row.hash)
		}
		if margin := map[claims.Unit]float64{claims.Points: 0.2, claims.Ratio: 0.05}[c.Unit]; c.Margin != margin || c.Alpha != 0.05 {
			t.Errorf("%s: margin %g, alpha %g", c.ID, c.Margin, c.Alpha)
		}
		if c.Source.Published != "February 2026" || c.Direction == trials.Minimize != (c.ID == "cache") {
			t.Errorf("%s: source %+v, direction %s", c.ID, c.Source, c.Direction)
		}
		if got, err := claims.Find(c.ID); err != nil || got.ID != c.ID {
			t.Errorf("find %s: %v, %v", c.ID, got.ID, err)
		}
	}
	if _, err := claims.Find("mixup-of"); !errors.Is(err, claims.ErrUnknown) || !strings.Contains(err.Error(), "mixup-off") {
		t.Errorf("error %v", err)
	}
	if _, ok := claims.OfStudy("quickstart"); ok {
		t.Error("quickstart tests no published claim")
	}
}

func find(t *testing.T, id string) claims.Claim {
	t.Helper()
	c, err := claims.Find(id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPairs(t *testing.T) {
	for _, c := range []struct {
		id, backend string
		want        []claims.Pair
	}{
		{"mixup-off", "yolov9", []claims.Pair{{trials.Params{"mixup": 0.15}, trials.Params{"mixup": 0.0}, &claims.Interval{Low: 0.9, High: 1.4}}}},
		{"lr-small-data", "native", []claims.Pair{{trials.Params{"lr0": 0.02, "warmup_epochs": 3.0}, trials.Params{"lr0": 0.01, "warmup_epochs": 1.0}, &claims.Interval{Low: 1.3, High: 1.3}}}},
		{"lr-small-data", "yolov9", []claims.Pair{{trials.Params{"lr0": 0.01, "warmup_epochs": 3.0}, trials.Params{"lr0": 0.005, "warmup_epochs": 1.0}, &claims.Interval{Low: 1.3, High: 1.3}}}},
		{"shelf-case", "yolov9", []claims.Pair{
			{trials.Params{"mixup": 0.15, "autoaugment": "none"}, trials.Params{"mixup": 0.0, "autoaugment": "none"}, &claims.Interval{Low: 1.3, High: 1.3}},
			{trials.Params{"mixup": 0.0, "autoaugment": "none"}, trials.Params{"mixup": 0.0, "autoaugment": "randaugment"}, &claims.Interval{Low: 1.4, High: 1.4}},
		}},
		{"box-weight", "yolov9", []claims.Pair{{trials.Params{"box": 7.5}, trials.Params{"box": 10.5}, nil}}},
		// 5 h 46 min by 8 h 12 min.
		{"cache", "yolov9", []claims.Pair{{trials.Params{"cache": "none"}, trials.Params{"cache": "ram"}, &claims.Interval{Low: 0.703, High: 0.703}}}},
	} {
		if diff := cmp.Diff(c.want, find(t, c.id).Pairs(c.backend)); diff != "" {
			t.Errorf("%s on %s: %s", c.id, c.backend, diff)
		}
	}
}

// A claim is the same whatever its words are, and another one when anything that decides a check is.
func TestHash(t *testing.T) {
	c := find(t, "ema")
	words := c
	words.Advice, words.Official.Fact, words.Official.Lever, words.Scene.Words, words.Study = "a", "b", "c", "d", "e"
	if words.Hash() != c.Hash() {
		t.Error("words change the hash")
	}
	for what, change := range map[string]func(*claims.Claim){
		"to":        func(c *claims.Claim) { c.Contrast.To = c.Contrast.To.With(trials.Params{"val_interval": 3.0}) },
		"native":    func(c *claims.Claim) { c.Native = nil },
		"requires":  func(c *claims.Claim) { c.Requires = trials.Params{"mosaic": 1.0} },
		"metric":    func(c *claims.Claim) { c.Metric = "mAP50-95" },
		"direction": func(c *claims.Claim) { c.Direction = trials.Minimize },
		"unit":      func(c *claims.Claim) { c.Unit = claims.Ratio },
		"expected":  func(c *claims.Claim) { c.Expected = &claims.Interval{Low: 0.7, High: 1.5} },
		"reported":  func(c *claims.Claim) { c.Reported = c.Reported[:1] },
		"condition": func(c *claims.Claim) { c.Scene.Conditions = nil },
		"subset":    func(c *claims.Claim) { c.Scene.Subset = []claims.Subset{claims.Small} },
		"needs":     func(c *claims.Claim) { c.Official.Needs = trials.Params{"warmup_floor": 0.0} },
		"margin":    func(c *claims.Claim) { c.Margin = 0.3 },
		"alpha":     func(c *claims.Claim) { c.Alpha = 0.1 },
	} {
		d := c
		change(&d)
		if d.Hash() == c.Hash() {
			t.Errorf("a change of %s leaves the hash", what)
		}
	}
}

func TestConditions(t *testing.T) {
	x := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		cond    claims.Condition
		words   string
		yes, no []float64
	}{
		{claims.Condition{Measure: claims.TrainImages, AtLeast: x(1000), AtMost: x(5000)}, "at least 1000 and at most 5000 training pictures",
			[]float64{1000, 2500, 5000}, []float64{999, 5001, math.NaN()}},
		{claims.Condition{Measure: claims.ValImages, Below: x(200)}, "below 200 validation pictures", []float64{0, 199}, []float64{200}},
		{claims.Condition{Measure: claims.Gap, Above: x(22)}, "above 22 points between mAP50 and mAP50-95 of the baseline", []float64{22.1}, []float64{22, math.NaN()}},
	} {
		if c.cond.String() != c.words {
			t.Errorf("%q, want %q", c.cond, c.words)
		}
		for _, v := range c.yes {
			if !c.cond.Holds(v) {
				t.Errorf("%s: %g does not hold", c.cond, v)
			}
		}
		for _, v := range c.no {
			if c.cond.Holds(v) {
				t.Errorf("%s: %g holds", c.cond, v)
			}
		}
	}
}
