package preflight_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/yolov9/preflight"
)

func TestParseLabels(t *testing.T) {
	for _, c := range labelCases {
		t.Run(c.name, func(t *testing.T) {
			got := preflight.ParseLabels([]byte(c.text), 3)
			var rules []string
			for _, f := range got.Findings {
				rules = append(rules, f.Rule)
				if !preflight.HasRule(f.Rule) {
					t.Errorf("%s is not explained", f.Rule)
				}
			}
			if s := strings.Join(rules, " "); s != c.rules {
				t.Errorf("rules %q, want %q: %v", s, c.rules, got.Findings)
			}
			if got.Ignored != c.ignored || len(got.Rows) != c.rows {
				t.Errorf("left out %v with %d rows, want %v with %d", got.Ignored, len(got.Rows), c.ignored, c.rows)
			}
		})
	}
}

func TestParseLabelsLines(t *testing.T) {
	got := preflight.ParseLabels([]byte("\n0 .5 .5 .2 .2\r\n\r\n7 .5 .5 .2 .2\n0 .5 .5 .2 .2"), 3)
	want := []preflight.Finding{{Rule: "class-range", Line: 4, Detail: "class 7, but there are 3"}, {Rule: "label-twice", Line: 5, Detail: "as line 2"}}
	slices.SortFunc(got.Findings, func(a, b preflight.Finding) int { return a.Line - b.Line })
	if !slices.Equal(got.Findings, want) {
		t.Errorf("%v, want %v", got.Findings, want)
	}
	if any := preflight.ParseLabels([]byte("79 .5 .5 .2 .2\n"), 0); len(any.Findings) != 0 {
		t.Errorf("without a number of classes: %v", any.Findings)
	}
}

// TestParseLabelsPolygon: a polygon is its bounds, and a box among polygons is taken for two corners.
func TestParseLabelsPolygon(t *testing.T) {
	got := preflight.ParseLabels([]byte("1 .25 .5 .75 .5 .5 1\n0 .25 .5 .75 1\n"), 3)
	want := []preflight.Row{{Line: 1, Class: 1, CX: .5, CY: .75, W: .5, H: .5}, {Line: 2, Class: 0, CX: .5, CY: .75, W: .5, H: .5}}
	if !got.Polygons || !slices.Equal(got.Rows, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func FuzzParseLabels(f *testing.F) {
	for _, c := range labelCases {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got := preflight.ParseLabels(b, 3)
		if got.Ignored && (len(got.Rows) > 0 || len(got.Findings) == 0) {
			t.Fatalf("left out with %d rows for no reason", len(got.Rows))
		}
		lines := strings.Count(string(b), "\n") + strings.Count(string(b), "\r") + len(b)
		for _, x := range got.Findings {
			if !preflight.HasRule(x.Rule) || x.Line < 0 || x.Line > lines+1 {
				t.Fatalf("%+v", x)
			}
		}
		for _, r := range got.Rows {
			for _, v := range []float32{r.CX, r.CY, r.W, r.H} {
				if !(v >= 0 && v <= 1) {
					t.Fatalf("%+v", r)
				}
			}
			if !(r.Class >= 0) || r.Line < 1 {
				t.Fatalf("%+v", r)
			}
		}
		// Reading again with every line ended alike changes nothing.
		if !strings.Contains(string(b), "\r") {
			again := preflight.ParseLabels([]byte(strings.ReplaceAll(string(b), "\n", "\r\n")), 3)
			if !slices.Equal(again.Rows, got.Rows) || again.Ignored != got.Ignored {
				t.Fatalf("CRLF: %+v, want %+v", again, got)
			}
		}
	})
}
