package charts_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports/charts"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/trials"
)

// drawn is a chart of a study as SVG.
func drawn(t *testing.T, name string, mk maker) string {
	t.Helper()
	for _, c := range charts.All {
		if c.Name != name {
			continue
		}
		var b bytes.Buffer
		if err := charts.Write(&b, c, snapshot(t, mk), "svg"); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	t.Fatalf("no chart %s", name)
	return ""
}

// TestBestOfSeveral: with several objectives no trial is the best; the charts mark those on the front.
func TestBestOfSeveral(t *testing.T) {
	several := func() (trials.Study, []trials.Trial) { return fixture.Several(40) }
	on := len(snapshot(t, several).Front.On)
	if on < 2 {
		t.Fatalf("%d trials on the front say nothing", on)
	}
	curves := drawn(t, "search-curves", several)
	if strings.Contains(curves, "best") || !strings.Contains(curves, "Pareto") {
		t.Error("the curves do not name the front, or name a best trial")
	}
	blue := func(svg string) int { return strings.Count(strings.ToLower(svg), "#0072b2") }
	if one := drawn(t, "search-curves", search); blue(curves) < blue(one)+on-1 {
		t.Errorf("%d blue marks where %d trials are on the front, %d where one is the best", blue(curves), on, blue(one))
	}
	one, many := drawn(t, "slices", search), drawn(t, "slices", several)
	if blue(many) != blue(one)*on {
		t.Errorf("slices: %d blue marks for one best trial, %d for %d on the front", blue(one), blue(many), on)
	}
}

// TestAllZero: where every score is 0 no axis goes below.
func TestAllZero(t *testing.T) {
	nothing := func() (trials.Study, []trials.Trial) {
		st, ts := fixture.Quickstart().Build()
		for i := range ts {
			ts[i].Values = []float64{0}
			for _, m := range ts[i].Measurements {
				for k := range m.Metrics {
					m.Metrics[k] = 0
				}
			}
		}
		return st, ts
	}
	for _, name := range []string{"comparison", "curves", "slopes", "losses"} {
		ls, _, _ := labels(t, drawn(t, name, nothing))
		for _, l := range ls {
			if strings.HasPrefix(l.text, "−") || strings.HasPrefix(l.text, "-") {
				t.Errorf("%s has the label %s", name, l.text)
			}
		}
	}
}
