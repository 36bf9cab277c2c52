package html_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/compare"
	"github.com/mapsweep/mapsweep/reports/html"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
)

// A comparison is a page with charts and tables beside it, and needs nothing from elsewhere.
func TestComparison(t *testing.T) {
	outside := regexp.MustCompile(`(?i)<script|<link|<iframe|src=|url\(|@import|https?://|\son[a-z]+=`)
	a := snapshot(t, fixture.Quickstart().Build)
	for name, b := range map[string]*reports.Snapshot{"names": snapshot(t, fixture.Names().Build), "itself": a, "all failed": snapshot(t, fixture.Degenerate()["all-failed"]),
		"settled": snapshot(t, fixture.Settled)} {
		c, err := compare.New(a, b, compare.Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var page bytes.Buffer
		if err := html.Comparison(&page, c); err != nil {
			t.Fatal(err)
		}
		p := page.String()
		if m := outside.FindString(p); m != "" {
			t.Errorf("%s: the page holds %q", name, m)
		}
		if err := wellFormed(p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(p, "NaN") {
			t.Errorf("%s: the page says NaN", name)
		}
	}
	c, err := compare.New(a, a, compare.Options{Paired: true})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	if err := html.WriteComparison(dir, c); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"index.html", "table.md", "table.csv", "table.tex", "charts/effects.svg", "charts/effects.png", "charts/effects.pdf"} {
		if st, err := os.Stat(filepath.Join(dir, f)); err != nil || st.Size() == 0 {
			t.Errorf("%s: %v", f, err)
		}
	}
}
