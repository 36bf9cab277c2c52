package charts_test

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"image/png"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/charts"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/reports/internal/golden"
	"github.com/mapsweep/mapsweep/trials"
)

type maker = func() (trials.Study, []trials.Trial)

func snapshot(t *testing.T, mk maker) *reports.Snapshot {
	t.Helper()
	s, err := reports.New(mk())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func search() (trials.Study, []trials.Trial) { return fixture.Search(40) }

func constrained() (trials.Study, []trials.Trial) { return fixture.Constrained(40) }

func several() (trials.Study, []trials.Trial) { return fixture.Several(40) }

// stress are studies that try the layout: few, many, long, strange, missing.
func stress() map[string]maker {
	all := fixture.Degenerate()
	all["quickstart"] = fixture.Quickstart().Build
	all["many"] = fixture.Many(20, 3).Build
	all["forty"] = fixture.Many(40, 1).Build
	all["names"] = fixture.Names().Build
	all["search"] = search
	all["several"] = several
	all["constrained"] = constrained
	grid := fixture.Quickstart()
	grid.Design = "grid"
	all["grid"] = grid.Build
	all["settled"] = fixture.Settled
	all["screening"] = fixture.Screening
	loo := fixture.Quickstart()
	loo.Design = "leave-one-out"
	all["leave-one-out"] = loo.Build
	two := fixture.Quickstart()
	two.Seeds = 2
	all["two-seeds"] = two.Build
	return all
}

func TestGolden(t *testing.T) {
	for name, mk := range map[string]maker{"quickstart": fixture.Quickstart().Build, "search": search, "several": several, "constrained": constrained} {
		s := snapshot(t, mk)
		for _, c := range charts.All {
			var b bytes.Buffer
			err := charts.Write(&b, c, s, "svg")
			if errors.Is(err, charts.ErrNothing) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			golden.Check(t, name+"-"+c.Name+".svg", b.Bytes())
		}
	}
}

// Which charts a study has.
func TestShown(t *testing.T) {
	for name, want := range map[string]string{
		"quickstart":    "effects comparison curves slopes losses",
		"search":        "history slices importance pairs marginals search-curves search-losses",
		"grid":          "comparison curves half-normal losses history slices",
		"none":          "",
		"waiting":       "",
		"all-failed":    "curves losses",
		"one-seed":      "effects comparison curves slopes losses",
		"baseline-only": "comparison curves losses",
		"search-none":   "",
	} {
		s := snapshot(t, stress()[name])
		var got []string
		for _, c := range charts.All {
			p, err := c.Draw(s)
			switch {
			case errors.Is(err, charts.ErrNothing):
			case err != nil || p == nil:
				t.Errorf("%s %s: %v", name, c.Name, err)
			default:
				got = append(got, c.Name)
			}
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%s shows %q, want %q", name, g, want)
		}
	}
}

type label struct {
	text           string
	x0, x1, y0, y1 float64
}

var (
	svgText = regexp.MustCompile(`<text x="([^"]*)" y="([^"]*)"[^>]*font-weight:(\w+);[^>]*font-size:([0-9.]+)px[^>]*>([^<]*)</text>`)
	svgBox  = regexp.MustCompile(`viewBox="0 0 ([0-9.]+) ([0-9.]+)"`)
)

// labels reads the horizontal texts of an SVG file that gonum/plot wrote; the canvas has its origin at the lower left.
func labels(t *testing.T, svg string) (ls []label, w, h float64) {
	t.Helper()
	box := svgBox.FindStringSubmatch(svg)
	if box == nil {
		t.Fatal("no viewBox")
	}
	w, h = number(t, box[1]), number(t, box[2])
	depth := 0
	for line := range strings.SplitSeq(strings.ReplaceAll(svg, "\n\t", " "), "\n") {
		depth += strings.Count(line, "<g") - strings.Count(line, "</g>")
		m := svgText.FindStringSubmatch(line)
		if m == nil || depth > 1 { // inside a translation: an upright axis title
			continue
		}
		size := number(t, m[4])
		text := html.UnescapeString(m[5])
		x, y := number(t, m[1]), -number(t, m[2])
		width := float64(charts.Width(text, vg.Length(size), m[3] == "bold"))
		ls = append(ls, label{text, x, x + width, y - 0.05*size, y + 0.72*size})
	}
	return ls, w, h
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// No text leaves the picture or lies on another one, whatever the study.
func TestLabelsFit(t *testing.T) {
	for name, mk := range stress() {
		s := snapshot(t, mk)
		for _, c := range charts.All {
			var b bytes.Buffer
			err := charts.Write(&b, c, s, "svg")
			if errors.Is(err, charts.ErrNothing) {
				continue
			}
			if err != nil {
				t.Fatalf("%s %s: %v", name, c.Name, err)
			}
			checkLabels(t, name+" "+c.Name, b.String())
		}
	}
}

// checkLabels wants every text of an SVG file inside the picture and apart from the others.
func checkLabels(t *testing.T, name, svg string) {
	t.Helper()
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Errorf("%s draws at NaN or Inf", name)
	}
	ls, w, h := labels(t, svg)
	if len(ls) == 0 {
		t.Errorf("%s has no label", name)
	}
	for i, l := range ls {
		if l.x0 < 0 || l.x1 > w+0.01 || l.y0 < 0 || l.y1 > h {
			t.Errorf("%s: %q leaves the picture: x %.1f to %.1f of %.0f, y %.1f to %.1f of %.0f", name, l.text, l.x0, l.x1, w, l.y0, l.y1, h)
		}
		for _, m := range ls[:i] {
			if l.x0 < m.x1-0.2 && m.x0 < l.x1-0.2 && l.y0 < m.y1-0.2 && m.y0 < l.y1-0.2 {
				t.Errorf("%s: %q lies on %q", name, l.text, m.text)
			}
		}
	}
}

func TestFormats(t *testing.T) {
	s := snapshot(t, fixture.Names().Build)
	c, _ := charts.Find("effects")
	w, h := c.Size(s)
	var b bytes.Buffer
	if err := charts.Write(&b, c, s, "png"); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		got    int
		points vg.Length
	}{{img.Bounds().Dx(), w}, {img.Bounds().Dy(), h}} {
		if want := float64(x.points) / 72 * 300; math.Abs(float64(x.got)-want) > 1 {
			t.Errorf("PNG has %d pixels where %g at 300 dpi are %.0f", x.got, float64(x.points), want)
		}
	}
	if r, g, bl, _ := img.At(1, 1).RGBA(); r>>8 != 255 || g>>8 != 255 || bl>>8 != 255 {
		t.Error("PNG has no white background")
	}
	b.Reset()
	t.Setenv("TMPDIR", "/nonexistent") // PDF needs no temporary directory
	if err := charts.Write(&b, c, s, "pdf"); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b.Bytes(), []byte("%PDF-")) || bytes.Contains(b.Bytes(), []byte("/FontFile")) {
		t.Error("PDF holds a font, or is none")
	}
	if err := charts.Write(io.Discard, c, s, "gif"); err == nil || !strings.Contains(err.Error(), "svg, png, pdf") {
		t.Errorf("gif: %v", err)
	}
}

// On a page, colours are the page's and text stays text.
func TestInline(t *testing.T) {
	c, _ := charts.Find("effects")
	svg, err := charts.Inline(c, snapshot(t, fixture.Names().Build), `a "label" <x>`)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`role="img"`, `aria-label="a &#34;label&#34; &lt;x&gt;"`, "var(--blue)", "学习率", "&lt;script&gt;"} {
		if !strings.Contains(svg, want) {
			t.Errorf("inlined SVG lacks %s", want)
		}
	}
	for _, not := range []string{"<?xml", "Liberation", "<script>", "#FFFFFF"} {
		if strings.Contains(svg, not) {
			t.Errorf("inlined SVG has %s", not)
		}
	}
	if left := regexp.MustCompile(`#[0-9A-F]{6}`).FindString(svg); left != "" {
		t.Errorf("colour %s is not the page's", left)
	}
	if strings.Count(svg, "<g") != strings.Count(svg, "</g>") {
		t.Error("groups do not close")
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text  string
		width vg.Length
		limit int
		want  string
	}{
		{"mosaic 1 → 0", 100, 4, "mosaic 1 → 0"},
		{"autoaugment none → randaugment", 70, 4, "autoaugment none|→ randaugment"},
		{"warmup_epochs=0.15", 40, 4, "warmup_|epochs=|0.15"},
		{"abcdefghijklmnop", 20, 9, "abcd|efghij|klmn|op"},
		{"abcdefghijklmnop", 20, 2, "abcd|efg…"},
		{"", 20, 2, ""},
	} {
		if got := strings.Join(charts.Wrap(c.text, c.width, c.limit), "|"); got != c.want {
			t.Errorf("wrap %q at %v: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func TestSpread(t *testing.T) {
	ten := func(n int) []vg.Length { return slices.Repeat([]vg.Length{10}, n) }
	for _, c := range []struct {
		ys     []vg.Length
		hs     []vg.Length
		lo, hi vg.Length
		want   []vg.Length
	}{
		{[]vg.Length{50}, ten(1), 0, 100, []vg.Length{50}},
		{[]vg.Length{20, 80}, ten(2), 0, 100, []vg.Length{20, 80}},              // room enough
		{[]vg.Length{50, 50}, ten(2), 0, 100, []vg.Length{45, 55}},              // apart, around their mean
		{[]vg.Length{55, 50, 90}, ten(3), 0, 100, []vg.Length{57.5, 47.5, 90}},  // order is kept
		{[]vg.Length{1, 2, 3}, ten(3), 0, 100, []vg.Length{5, 15, 25}},          // not below
		{[]vg.Length{99, 98}, ten(2), 0, 100, []vg.Length{95, 85}},              // not above
		{[]vg.Length{50, 50}, []vg.Length{10, 30}, 0, 100, []vg.Length{40, 60}}, // heights count
	} {
		got := charts.Spread(c.ys, c.hs, c.lo, c.hi)
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("spread %v: %v, want %v", c.ys, got, c.want)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		got  []string
		want string
	}{
		{charts.Ticks(0, 1, 5), "0.0 0.2 0.4 0.6 0.8 1.0"},
		{charts.Ticks(-6.2, 0.8, 7), "−6 −5 −4 −3 −2 −1 0"},
		{charts.Ticks(57.9, 64.3, 4), "58 60 62 64"},
		{charts.Ticks(0.0001, 0.0009, 4), "0.0002 0.0004 0.0006 0.0008"},
		{charts.WholeTicks(1, 20, 8), "2 4 6 8 10 12 14 16 18 20"},
		{charts.WholeTicks(1, 2, 8), "1 2"},
		{charts.LogTicks(0.001, 0.05), "0.001 0.002 0.005 0.01 0.02 0.05"},
		{charts.LogTicks(1e-5, 1), "0.00001 0.0001 0.001 0.01 0.1 1"},
	} {
		if g := strings.Join(c.got, " "); g != c.want {
			t.Errorf("ticks %s, want %s", g, c.want)
		}
	}
}

// The boxed letters of PNG and PDF are as wide as the room that was kept for them, more or less.
func TestWidthOfMissingLetters(t *testing.T) {
	if w := charts.Width("学习率", 10, false); w != 30 {
		t.Errorf("three letters that the font lacks take %v at 10 points", w)
	}
	if a, b := charts.Width("a", 10, false), charts.Width("a\u0301\ufe0f", 10, false); a <= 0 || b < a || b > a+6 {
		t.Errorf("combining marks widen a letter from %v to %v", a, b)
	}
}
