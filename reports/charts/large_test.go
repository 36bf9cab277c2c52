package charts_test

import (
	"bytes"
	"errors"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports/charts"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/trials"
)

// A picture of a large study shows a part, says which, and stays of a size that can be opened.
func TestLarge(t *testing.T) {
	grid := fixture.Factorial(6, 1)
	grid.Design = "grid"
	for _, c := range []struct {
		chart, note string
		make        maker
	}{
		{"effects", "40 of 728 variants shown: those with the largest effects", fixture.Factorial(6, 1).Build},
		{"comparison", "40 of 242 variants shown: those with the clearest effects", fixture.Factorial(5, 3).Build},
		{"comparison", "40 of 729 variants shown: those with the best scores", grid.Build},
		{"slopes", "40 of 242 variants shown: those with the clearest effects", fixture.Factorial(5, 3).Build},
		{"losses", "40 of 728 variants shown: those with the largest effects", fixture.Factorial(6, 1).Build},
		{"search-curves", " of 600 trials shown: an even sample, and the best", func() (trials.Study, []trials.Trial) { return fixture.Search(600) }},
	} {
		s := snapshot(t, c.make)
		ch, _ := charts.Find(c.chart)
		var b bytes.Buffer
		if err := charts.Write(&b, ch, s, "svg"); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), c.note) || b.Len() > 1<<20 {
			t.Errorf("%s: %d bytes, want the note %q", c.chart, b.Len(), c.note)
		}
		if ls, _, _ := labels(t, b.String()); len(ls) < 3 {
			t.Errorf("%s: %d labels", c.chart, len(ls))
		}
		if c.chart != "effects" {
			continue
		}
		b.Reset()
		if err := charts.Write(&b, ch, s, "png"); err != nil {
			t.Fatal(err)
		}
		cfg, err := png.DecodeConfig(&b)
		if err != nil {
			t.Fatal(err)
		}
		if cfg.Width*cfg.Height > 16e6 {
			t.Errorf("%s: %d x %d pixels", c.chart, cfg.Width, cfg.Height)
		}
	}
}

// The arms that are shown are those that matter: none of those left out has a smaller p value.
func TestLargeShowsTheClearest(t *testing.T) {
	s := snapshot(t, fixture.Factorial(4, 5).Build)
	ch, _ := charts.Find("effects")
	var b bytes.Buffer
	if err := charts.Write(&b, ch, s, "svg"); err != nil {
		t.Fatal(err)
	}
	ls, _, _ := labels(t, b.String())
	verdicts := 0
	for _, l := range ls {
		if l.text == "better" || l.text == "worse" {
			verdicts++
		}
	}
	clear := 0
	for _, e := range s.Blocks[0].Effects {
		if e.Verdict == "better" || e.Verdict == "worse" {
			clear++
		}
	}
	if clear < 10 || verdicts != min(clear, 40) {
		t.Errorf("%d clear effects shown, the study has %d", verdicts, clear)
	}
}

// Huge, tiny and constant values are drawn, with labels of a readable length.
func TestExtremeValues(t *testing.T) {
	for name, value := range map[string]func(i int) float64{
		"huge":           func(i int) float64 { return 1.5e301 * float64(i+1) },
		"huge and close": func(i int) float64 { return math.Nextafter(1e20, float64(i%2)*2e20) },
		"tiny":           func(i int) float64 { return 1e-9 * float64(i) },
		"constant":       func(int) float64 { return 0.5 },
	} {
		st, ts := fixture.Quickstart().Build()
		for i := range ts {
			ts[i].Values = []float64{value(i)}
			for _, m := range ts[i].Measurements {
				m.Metrics["mAP50-95"] = value(i) * float64(m.Epoch)
			}
		}
		s := snapshot(t, func() (trials.Study, []trials.Trial) { return st, ts })
		for _, c := range charts.All {
			var b bytes.Buffer
			err := charts.Write(&b, c, s, "svg")
			if errors.Is(err, charts.ErrNothing) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			ls, _, _ := labels(t, b.String())
			for _, l := range ls {
				if len(l.text) > 120 {
					t.Errorf("%s %s: label %q", name, c.Name, l.text)
				}
			}
		}
	}
}

// A level that reads like a colour stays what it is on a page.
func TestInlineKeepsTexts(t *testing.T) {
	a := fixture.Quickstart()
	a.Variants[0] = fixture.Variant{Arm: "background", Params: trials.Params{"autoaugment": "fill:#0072B2"}, Effect: -0.1, Noise: 0.01}
	ch, _ := charts.Find("effects")
	svg, err := charts.Inline(ch, snapshot(t, a.Build), "effects")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(svg, "fill:#0072B2") || !strings.Contains(svg, "var(--vermilion)") || strings.Contains(svg, "#D55E00") || strings.Contains(svg, "font-family") {
		t.Error(svg)
	}
}

// One trial far better than all others is what a search is for: its fraction is never cut off.
func TestLuckyTrialStaysInThePicture(t *testing.T) {
	st, ts := fixture.Search(40)
	lucky := -1
	for i := range ts {
		if ts[i].State != trials.Complete {
			continue
		}
		score := 0.001 * float64(1+i%7)
		if lucky < 0 {
			lucky, score = i, 0.9
		}
		ts[i].Values = []float64{score}
		for _, m := range ts[i].Measurements {
			m.Metrics["mAP50-95"] = score
		}
	}
	s := snapshot(t, func() (trials.Study, []trials.Trial) { return st, ts })
	for _, name := range []string{"history", "slices", "search-curves"} {
		ch, _ := charts.Find(name)
		var b bytes.Buffer
		if err := charts.Write(&b, ch, s, "svg"); err != nil {
			t.Fatal(err)
		}
		ls, _, _ := labels(t, b.String())
		if !slices.ContainsFunc(ls, func(l label) bool { return l.text == "80" || l.text == "75" || l.text == "90" }) {
			t.Errorf("%s: no tick near 90 points", name)
		}
	}
}
