package tables_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/reports/internal/golden"
	"github.com/mapsweep/mapsweep/reports/tables"
)

func TestPictures(t *testing.T) {
	st, ts, kept := fixture.WithMatches(fixture.Quickstart().Build())
	for _, x := range ts { // an arm with one seed that has matches
		if x.Arm() == "mixup=0" && x.Replicate() > 0 {
			delete(kept.Data, x.ID)
		}
	}
	s := snapshot(t, st, ts)
	if x, err := tables.Pictures(t.Context(), s, 0); err != nil || len(x.Rows) != 0 {
		t.Errorf("without matches: %v, %v", x, err)
	}
	if err := reports.LoadMatches(t.Context(), kept, s); err != nil {
		t.Fatal(err)
	}
	x, err := tables.Pictures(t.Context(), s, 0)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := tables.Terminal(&b, []tables.Table{x}, tables.Options{Width: 120}); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "pictures.txt", b.Bytes())
}

func TestPicturesJSON(t *testing.T) {
	st, ts, kept := fixture.WithMatches(fixture.Quickstart().Build())
	s := snapshot(t, st, ts)
	read := func() *tables.DocumentPictures {
		var d tables.Document
		if err := json.Unmarshal(render(t, s, "json"), &d); err != nil {
			t.Fatal(err)
		}
		return d.Blocks[0].Pictures
	}
	if d := read(); d == nil || !strings.Contains(d.Reason, "no complete trial has kept") || len(d.Effects) != 0 {
		t.Errorf("without matches: %+v", d)
	}
	if err := reports.LoadMatches(t.Context(), kept, s); err != nil {
		t.Fatal(err)
	}
	d := read()
	if d.Reason != "" || len(d.Arms) != 5 || len(d.Effects) != 4 || d.Draws != 2000 || d.Pictures != fixture.Pictures {
		t.Fatalf("%+v", d)
	}
	if e := d.Effects[0]; e.Arm != "mosaic=0" || e.Low == nil || e.SeedLow == nil || *e.Low > *e.SeedLow || e.Advice == "" || *e.VarianceSeeds+*e.VarianceImages+*e.VarianceBoth <= 0 {
		t.Errorf("%+v", e)
	}
}
