package reports_test

import (
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/studies"
)

// A design that crosses factors is answered by its effects before its ranks.
func TestAnswerTerms(t *testing.T) {
	s := snapshot(t, fixture.Screening)
	got := reports.Text(s.Answer(&s.Blocks[0]))
	if !strings.HasPrefix(got, "Averaged over the levels of all other factors, autoaugment none → randaugment lowers mAP50-95 by 5.2 points (95 % interval −6.2 to −4.1), "+
		"mosaic 1 → 0 by 4.9") || !strings.Contains(got, "Not shown for mixup 0.15 → 0. The best of 16 complete trials") {
		t.Error(got)
	}
	crossed := specOf(fixture.Screening, func(s *studies.Spec) { s.Design, s.Factors = studies.DesignFractional, s.Factors[:3] })
	s = snapshot(t, crossed)
	if got = reports.Text(s.Answer(&s.Blocks[0])); !strings.Contains(got, "mosaic × mixup raises") || !strings.Contains(got, "copy_paste 0.3 → 0 lowers") {
		t.Error(got)
	}
	once := specOf(fixture.Screening, func(s *studies.Spec) { s.Factors = s.Factors[:1] })
	s = snapshot(t, once)
	if got = reports.Text(s.Answer(&s.Blocks[0])); !strings.Contains(got, "The best of 16 complete trials") {
		t.Error(got)
	}
}
