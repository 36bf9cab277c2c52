package reports_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
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

// saturated is a Plackett-Burman design of 12 runs for 11 factors, of which only x1 and x2 together do anything.
func saturated(replicates int, size float64) func() (trials.Study, []trials.Trial) {
	return func() (trials.Study, []trials.Trial) {
		a := fixture.Quickstart()
		a.Name, a.Design, a.Seeds, a.Variants, a.Factors = "saturated", studies.DesignPlackettBurman, replicates, nil, nil
		for j := range 11 {
			a.Factors = append(a.Factors, studies.Factor{Name: fmt.Sprintf("x%d", j+1), Levels: []any{0.0, 1.0}})
		}
		for i := range 12 {
			p, on, name := trials.Params{}, [11]float64{}, ""
			for j := range on {
				if i < 11 && "++-+++---+-"[(j+i)%11] == '+' {
					on[j] = 1
				}
				p[fmt.Sprintf("x%d", j+1)] = on[j]
				name += fmt.Sprint(on[j])
			}
			a.Variants = append(a.Variants, fixture.Variant{Arm: name, Params: p, Effect: size * (2*on[0] - 1) * (2*on[1] - 1), Noise: 0.004})
		}
		st, all := a.Build()
		return st, slices.DeleteFunc(all, func(t trials.Trial) bool { return t.Text(trials.AttrArm) == "baseline" })
	}
}

// What nothing can check is told as what it would mean, never as what the study shows.
func TestAnswerUnchecked(t *testing.T) {
	for size, want := range map[float64]string{0.1: "Only if no two factors act together, x", 0: "No main effect stands out even if no two factors act together."} {
		s := snapshot(t, saturated(3, size))
		got := reports.Text(s.Answer(&s.Blocks[0]))
		if !strings.HasPrefix(got, "Main effects are not settled: each contains parts of interactions, and this design cannot check that there are none. Folding it over would tell. "+want) ||
			strings.Contains(got, "veraged over") || strings.Contains(got, "listed as aliased") {
			t.Errorf("size %v: %s", size, got)
		}
	}
}

// Without an error there is a reason in the place of verdicts.
func TestAnswerNotTested(t *testing.T) {
	few := specOf(fixture.Screening, func(s *studies.Spec) { s.Factors = s.Factors[:2] })
	s := snapshot(t, func() (trials.Study, []trials.Trial) {
		st, ts := few()
		seen := map[string]bool{}
		return st, slices.DeleteFunc(ts, func(t trials.Trial) bool { // one trial at each of two points
			key := fmt.Sprint(t.Params["mosaic"], t.Params["mixup"])
			again := seen[key] || len(seen) == 2
			seen[key] = true
			return again
		})
	})
	if got := reports.Text(s.Answer(&s.Blocks[0])); !strings.HasPrefix(got, "So far, with 3 of 8 trials finished: effects are not tested: one trial at each point and too few points: nothing says how much seeds differ. The best of 3") {
		t.Error(got)
	}
}
