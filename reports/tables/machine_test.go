package tables_test

import (
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/reports/tables"
)

// How the machine was used is no score of the detector.
func TestMachineIsNoMetric(t *testing.T) {
	s, err := reports.New(fixture.Sick())
	if err != nil {
		t.Fatal(err)
	}
	ms := tables.Metrics(s, 0)
	if len(ms) == 0 {
		t.Fatal("no table of metrics")
	}
	for _, tab := range ms {
		for _, c := range tab.Columns {
			if strings.HasPrefix(c.Title, "gpu/") || strings.HasPrefix(c.Title, "time/") {
				t.Errorf("%s is listed among scores", c.Title)
			}
		}
	}
}
