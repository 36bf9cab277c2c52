package tables_test

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/trials"
)

// A view that a study cannot have is refused with a sentence.
func TestResolve(t *testing.T) {
	all := kinds(t)
	for _, c := range []struct {
		study string
		view  tables.View
		want  string // of the error; "" for none
	}{
		{"one factor", tables.View{By: "colour"}, `"colour" is none of factor, level, data, class, config`},
		{"one factor", tables.View{By: tables.ByData}, "one data set only"},
		{"one factor", tables.View{By: tables.ByFactor, OnlyChanged: true}, "cannot be joined with --by factor"},
		{"one factor", tables.View{Metrics: []string{"mAP51"}}, `no trial of quickstart measured "mAP51"; did you mean "mAP50"?`},
		{"one factor", tables.View{Metrics: []string{"mAP50@small"}}, `measured "mAP50@small"`},
		{"search", tables.View{By: tables.ByFactor}, "has no variants to arrange"},
		{"screening", tables.View{By: tables.ByFactor}, "--by level"},
		{"one factor", tables.View{By: tables.ByConfig, OnlyChanged: true, Metrics: []string{"map50", "AP/*", "mAP50"}}, ""},
	} {
		v, err := c.view.Resolve(all[c.study], nil)
		switch {
		case c.want == "" && (err != nil || !slices.Equal(v.Metrics, []string{"mAP50", "AP/0", "AP/1"})):
			t.Errorf("%+v: %v, %v", c.view, v.Metrics, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%+v: %v, want %q", c.view, err, c.want)
		}
	}
}

// A metric that no trial measured can be made by the view, of the matches that are kept with trials say.
func TestDerivedMetric(t *testing.T) {
	s := kinds(t)["one factor"]
	v := tables.View{Metrics: []string{"mAP50@small"}, Measure: func(tr trials.Trial, metric string) (float64, bool) {
		return 0.5 + 0.01*float64(tr.Replicate()), metric == "mAP50@small"
	}}
	v, err := v.Resolve(s, func(m string) bool { return strings.Contains(m, "@") })
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Tables(s)[0].Rows[0][2].Text; got != "52.0 ± 1.6" {
		t.Errorf("the derived metric reads %q", got)
	}
}

// Switches have signs, other values are written, and what never changes can be left out.
func TestConfiguration(t *testing.T) {
	s := kinds(t)["one factor"]
	head := func(v tables.View) string {
		var names []string
		for _, c := range v.Tables(s)[0].Columns {
			names = append(names, c.Title)
		}
		return strings.Join(names[:slices.Index(names, "mAP50-95 (points)")], " ")
	}
	if got := head(tables.View{By: tables.ByConfig}); got != "mosaic mixup copy_paste autoaugment box lr0" {
		t.Errorf("all of the configuration is %s", got)
	}
	v := tables.View{OnlyChanged: true}
	if got := head(v); got != "mosaic mixup copy_paste autoaugment" {
		t.Errorf("what changes is %s", got)
	}
	rows := v.Tables(s)[0].Rows
	if rows[0][0].Text != "✓" || rows[3][0].Text != "–" || rows[1][1].Text != "0" || rows[4][3].Text != "randaugment" {
		t.Errorf("rows %v", rows)
	}
}

// The mean over data sets takes each of them with the same weight, seed by seed.
func TestByData(t *testing.T) {
	s := kinds(t)["two data sets"]
	var b bytes.Buffer
	if err := (tables.View{By: tables.ByData}).CSV(&b, s); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	effect := map[string]float64{}
	for _, r := range rows[1:] {
		if r[1] == "mosaic=0" {
			effect[r[0]] = parse(t, r[8])
		}
	}
	mean := (effect["builtin:digits"] + effect["builtin:trees"]) / 2
	if d := effect["mean of 2"] - mean; d > 1e-12 || d < -1e-12 || mean == 0 {
		t.Errorf("effects %v", effect)
	}
	if got := s.Blocks[0].Effects[0].N; got != 5 {
		t.Errorf("%d pairs", got)
	}
}

// Marks come with an interval only, and say what the verdict says.
func TestMarks(t *testing.T) {
	a := fixture.Quickstart()
	a.Variants[1] = fixture.Variant{Arm: "mixup=0", Params: trials.Params{"mixup": 0.0}, Effect: 0.0001, Noise: 0.0002}
	s := snapshot(t, first(a.Build()), second(a.Build()))
	for _, r := range tables.Ablation(s, 0).Rows[1:] {
		effect, interval, verdict := r[2], r[3], r[6].Text
		if effect.Mark != "" && interval.Text == "" {
			t.Errorf("%s has a mark and no interval", r[0].Text)
		}
		if stars := strings.Trim(effect.Mark, "*") == "" && effect.Mark != ""; stars != (verdict == "better" || verdict == "worse") || (effect.Mark == "≈") != (verdict == "equivalent") {
			t.Errorf("%s is %s and has the mark %q", r[0].Text, verdict, effect.Mark)
		}
	}
	notes := strings.Join(tables.Ablation(s, 0).Notes, "\n")
	if !strings.Contains(notes, "≈ equivalent: within ±0.2 points") || !strings.Contains(notes, "*** p < 0.001") {
		t.Errorf("notes:\n%s", notes)
	}
	for name, mk := range fixture.Degenerate() {
		s := snapshot(t, first(mk()), second(mk()))
		for _, tab := range tables.All(s) {
			for _, r := range tab.Rows {
				for _, c := range r {
					if c.Mark != "" && name != "running" && name != "nan-curves" {
						t.Errorf("%s: %q has the mark %s", name, c.Text, c.Mark)
					}
				}
			}
		}
	}
}
