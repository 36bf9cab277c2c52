package html_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	stdhtml "html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/html"
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

func studiesOfAllKinds() map[string]maker {
	all := fixture.Degenerate()
	all["quickstart"] = fixture.Quickstart().Build
	all["many"] = fixture.Many(20, 3).Build
	all["names"] = fixture.Names().Build
	all["search"] = func() (trials.Study, []trials.Trial) { return fixture.Search(40) }
	all["sick"] = fixture.Sick
	all["foreign"] = func() (trials.Study, []trials.Trial) { return fixture.Foreign(5) }
	two := fixture.Quickstart()
	two.Data = []string{"builtin:digits", "builtin:trees"}
	all["two-data-sets"] = two.Build
	all["settled"] = fixture.Settled
	all["screening"] = fixture.Screening
	return all
}

func page(t *testing.T, s *reports.Snapshot) string {
	t.Helper()
	var b bytes.Buffer
	if err := html.Page(&b, s, html.Files{Tables: true, Charts: true}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A page needs nothing from elsewhere, is well formed, and its parts come in order.
func TestPage(t *testing.T) {
	outside := regexp.MustCompile(`(?i)<script|<link|<iframe|src=|url\(|@import|https?://|\son[a-z]+=`)
	for name, mk := range studiesOfAllKinds() {
		p := page(t, snapshot(t, mk))
		if m := outside.FindString(p); m != "" {
			t.Errorf("%s: the page holds %q", name, m)
		}
		if err := wellFormed(p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(p, "NaN") && name != "all-failed" { // there it is part of a reason
			t.Errorf("%s: the page says NaN", name)
		}
		at := 0
		for _, part := range []string{"<h1>", `class="answer"`, `class="facts"`, "<h2>How this was done", "<h3>Provenance", "<h2>All trials"} {
			i := strings.Index(p[at:], part)
			if i < 0 {
				t.Errorf("%s: no %s after the parts before it", name, part)
				break
			}
			at += i
		}
		if n, m := strings.Count(p, "<svg"), strings.Count(p, `role="img" aria-label="`); n != m {
			t.Errorf("%s: %d pictures, %d of them named for screen readers", name, n, m)
		}
	}
}

// wellFormed checks that tags close in order; the void elements of HTML are closed first.
func wellFormed(p string) error {
	p = regexp.MustCompile(`<(meta|br|hr)([^>]*)>`).ReplaceAllString(p, "<$1$2/>")
	p = strings.Replace(p, "<!doctype html>", "", 1)
	d := xml.NewDecoder(strings.NewReader(p))
	d.Entity = xml.HTMLEntity
	for {
		if _, err := d.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func TestSections(t *testing.T) {
	headings := regexp.MustCompile(`<h2>([^<]*)</h2>`)
	for name, want := range map[string]string{
		"quickstart":    "What changed, and by how much|Every trial|Learning curves|Seed by seed|Signals|How this was done|All trials",
		"search":        "The search|Which parameters mattered|Learning curves|Signals|How this was done|All trials",
		"running":       "What changed, and by how much|Every trial|Learning curves|Seed by seed|Signals|Failures|How this was done|All trials",
		"settled":       "What changed, and by how much|How each variant was settled|Every trial|Learning curves|Seed by seed|Signals|How this was done|All trials",
		"screening":     "Main effects and interactions|The runs of the design, best first|Every trial|Learning curves|Signals|How this was done|All trials",
		"none":          "How this was done|All trials",
		"search-failed": "Failures|How this was done|All trials",
	} {
		var got []string
		for _, m := range headings.FindAllStringSubmatch(page(t, snapshot(t, studiesOfAllKinds()[name])), -1) {
			got = append(got, m[1])
		}
		if g := strings.Join(got, "|"); g != want {
			t.Errorf("%s has %s, want %s", name, g, want)
		}
	}
}

// A page of trials with matches has a section on pictures, after that on seeds.
func TestPictures(t *testing.T) {
	st, ts, kept := fixture.WithMatches(fixture.Quickstart().Build())
	s := snapshot(t, func() (trials.Study, []trials.Trial) { return st, ts })
	if err := reports.LoadMatches(t.Context(), kept, s); err != nil {
		t.Fatal(err)
	}
	p := page(t, s)
	from := strings.Index(p, "<h2>Seeds and pictures</h2>")
	if from < strings.Index(p, "<h2>Seed by seed</h2>") || from > strings.Index(p, "<h2>Signals</h2>") {
		t.Fatalf("the section is at %d", from)
	}
	for _, want := range []string{"seeds alone", "mosaic 1 → 0", "on these 80 pictures", "2000 draws", "help"} {
		if !strings.Contains(p[from:], want) {
			t.Errorf("it lacks %q", want)
		}
	}
}

// The words of whole pages, to be read by people when they change.
func TestGolden(t *testing.T) {
	drop := regexp.MustCompile(`(?s)<style>.*?</style>|<svg.*?</svg>|<[^>]*>`)
	blank := regexp.MustCompile(`\n\s*\n+`)
	for _, name := range []string{"quickstart", "search", "all-failed", "sick"} {
		p := strings.ReplaceAll(page(t, snapshot(t, studiesOfAllKinds()[name])), "</td><td", "</td> | <td")
		text := blank.ReplaceAllString(stdhtml.UnescapeString(drop.ReplaceAllString(p, "")), "\n")
		golden.Check(t, name+".txt", []byte(strings.TrimSpace(text)+"\n"))
	}
}

// What a degenerate study lacks is said in words.
func TestWords(t *testing.T) {
	for name, want := range map[string][]string{
		"none":          {"No trial has started yet", "There is none."},
		"all-failed":    {"All 25 trials failed", "loss/box became NaN at step 40", "last lines of the log"},
		"one-seed":      {"With one seed per variant nothing can be said about chance", "not tested", "needs two seeds or more"},
		"running":       {"So far, with 12 of 25 trials finished", "Some seeds failed", "out of memory at 23.7 GiB"},
		"no-difference": {"the change seems to do nothing"},
		"quickstart":    {"not shown", "it does not mean that there is none", "63.3 ± 0.5", "5 replicates were planned", "SHA-256 9f8e7d6c5b4a", "Holm&#39;s"},
		"search":        {"its value is optimistic", "proposed by the sampler tpe", "no rank is bold"},
		"two-data-sets": {"Answer for builtin:digits", "Answer for builtin:trees", "charts/effects-2-builtin-trees.svg"},
		"foreign":       {"recorded by another program", "2 objectives", "x = 0.73"},
		"sick":          {"Problem: GPU memory and utilisation", "In 6 of 10 trials (0, 2, 3, 5, 8, 9)", "live through mapsweep&#39;s launcher only", "train_dual.py computes no validation loss", "tuning article, signals"},
		"names":         {"数据增强 &lt;b&gt;study&lt;/b&gt;", "&lt;script&gt;alert(1)"},
	} {
		p := page(t, snapshot(t, studiesOfAllKinds()[name]))
		for _, w := range want {
			if !strings.Contains(p, w) {
				t.Errorf("%s does not say %q", name, w)
			}
		}
	}
}

// Every link leads to a file that WriteAll wrote, and nothing else is left behind.
func TestWriteAll(t *testing.T) {
	for _, name := range []string{"two-data-sets", "search", "none"} {
		dir := filepath.Join(t.TempDir(), "runs", name, "report")
		s := snapshot(t, studiesOfAllKinds()[name])
		if err := html.WriteAll(dir, s); err != nil {
			t.Fatal(err)
		}
		index, err := os.ReadFile(filepath.Join(dir, "index.html"))
		if err != nil {
			t.Fatal(err)
		}
		linked := []string{"index.html", "table.csv", "table.md", "table.tex"}
		for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(string(index), -1) {
			linked = append(linked, m[1])
		}
		slices.Sort(linked)
		linked = slices.Compact(linked)
		if got := files(t, dir); !slices.Equal(got, linked) {
			t.Errorf("%s: files\n%v\nlinked\n%v", name, got, linked)
		}
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, p)
			out = append(out, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// After each trial only the page and the tables are written, without links to charts that may be missing or old.
func TestWriteLight(t *testing.T) {
	dir := t.TempDir()
	s := snapshot(t, studiesOfAllKinds()["quickstart"])
	at := time.Now()
	if err := html.WriteLight(dir, s); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(at); d > 2*time.Second { // 20 ms on one idle core; the bound is for busy ones
		t.Errorf("took %v", d)
	}
	if got := files(t, dir); !slices.Equal(got, []string{"index.html", "table.csv", "table.md", "table.tex"}) {
		t.Errorf("files %v", got)
	}
	index, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil || bytes.Contains(index, []byte("charts/")) || !bytes.Contains(index, []byte("<svg")) {
		t.Errorf("the light page links to charts or draws none: %v", err)
	}
}

// A chart that has nothing to show any more does not stay.
func TestStaleCharts(t *testing.T) {
	dir := t.TempDir()
	if err := html.WriteAll(dir, snapshot(t, studiesOfAllKinds()["quickstart"])); err != nil {
		t.Fatal(err)
	}
	if err := html.WriteAll(dir, snapshot(t, studiesOfAllKinds()["none"])); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadDir(filepath.Join(dir, "charts")); err != nil || len(got) > 0 {
		t.Errorf("%d old charts stay, %v", len(got), err)
	}
}

func TestWriteErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a-file")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := html.WriteLight(filepath.Join(file, "report"), snapshot(t, studiesOfAllKinds()["none"]))
	if err == nil || !strings.Contains(err.Error(), "write report in "+file) {
		t.Errorf("a file in the way: %v", err)
	}
	for err, want := range map[error]string{
		&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}: "the disk is full",
		fmt.Errorf("open: %w", os.ErrPermission):                   "not allowed to write there",
		io.ErrUnexpectedEOF:                                        "write report in D: unexpected EOF",
	} {
		if got := html.DiskError("D", err); got == nil || !strings.Contains(got.Error(), want) {
			t.Errorf("%v becomes %v, want %q", err, got, want)
		}
	}
	if html.DiskError("D", nil) != nil {
		t.Error("no error becomes one")
	}
}

func BenchmarkWriteLight(b *testing.B) {
	s, err := reports.New(fixture.Quickstart().Build())
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	for b.Loop() {
		if err := html.WriteLight(dir, s); err != nil {
			b.Fatal(err)
		}
	}
}
