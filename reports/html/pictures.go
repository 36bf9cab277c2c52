package html

import (
	"context"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/tables"
)

// pictures is the section on the uncertainty over seeds and pictures; it has no table where the trials keep no matches.
func pictures(s *reports.Snapshot, block int) (section, error) {
	x := section{Title: "Seeds and pictures"}
	t, err := tables.Pictures(context.Background(), s, block)
	if err == nil && len(t.Rows) > 0 {
		x.Tables = []tables.Table{t}
	}
	return x, err
}
