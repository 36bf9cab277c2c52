package reports_test

import (
	"math"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/inference"
)

func TestSizes(t *testing.T) {
	s := snapshot(t, fixture.Quickstart().Build)
	x, ok := s.Sizes(&s.Blocks[0], "mosaic=0")
	if !ok || x.Above != 0 || !(x.D < -2) || !(x.DLow < x.D && x.D < x.DHigh && x.DHigh < 0) {
		t.Errorf("mosaic: %+v, %v", x, ok)
	}
	if x, ok := s.Sizes(&s.Blocks[0], "mixup=0"); !ok || !(x.AboveLow <= 0.5 && x.AboveHigh >= 0.5) {
		t.Errorf("mixup: %+v, %v", x, ok)
	}
	for name, mk := range map[string]maker{"settled": fixture.Settled, "one seed": fixture.Degenerate()["one-seed"]} {
		s := snapshot(t, mk)
		if x, ok := s.Sizes(&s.Blocks[0], "mosaic=0"); ok {
			t.Errorf("%s has sizes: %+v", name, x)
		}
	}
}

// What holds on all data sets is said of all; with one data set nothing is.
func TestHoldsOn(t *testing.T) {
	three := fixture.Quickstart()
	three.Data = []string{"a", "b", "c"}
	s := snapshot(t, three.Build)
	hs := s.HoldsOn()
	if len(hs) != 4 {
		t.Fatalf("%d arms", len(hs))
	}
	for _, h := range hs {
		switch h.Arm {
		case "mosaic=0":
			if h.Verdict != inference.Worse || h.Holds != 3 || h.Sets != 3 {
				t.Errorf("%+v", h)
			}
		case "mixup=0":
			if h.Holds != 0 {
				t.Errorf("%+v", h)
			}
		}
	}
	// The level is shared out among four arms and two directions: what would do for one comparison does not for eight.
	worst := hs[slices.IndexFunc(hs, func(h reports.Holding) bool { return h.Arm == "mosaic=0" })].P[2]
	for alpha, want := range map[float64]int{2 * worst: 0, 8.1 * worst: 3} {
		shared := snapshot(t, specOf(three.Build, func(s *studies.Spec) { s.Rules.Alpha = alpha }))
		hs := shared.HoldsOn()
		h := hs[slices.IndexFunc(hs, func(h reports.Holding) bool { return h.Arm == "mosaic=0" })]
		if all := h.Holds == 3; all != (want == 3) {
			t.Errorf("alpha %g: %+v", alpha, h)
		}
	}
	arms, r, ok := s.Ranked()
	if !ok || len(arms) != 5 || r.Sets != 3 || !(r.Mean[0] < 3) || !(r.PF < 0.05) {
		t.Errorf("%v %+v %v", arms, r, ok)
	}
	one := snapshot(t, fixture.Quickstart().Build)
	if one.HoldsOn() != nil {
		t.Error("one data set holds on several")
	}
	if _, _, ok := one.Ranked(); ok {
		t.Error("one data set ranks")
	}
}

// The smallest effect is that of the study's own level.
func TestSmallestAtLevel(t *testing.T) {
	usual := snapshot(t, fixture.Quickstart().Build).Blocks[0].Smallest
	strict := snapshot(t, specOf(fixture.Quickstart().Build, func(s *studies.Spec) { s.Rules.Alpha = 0.01 })).Blocks[0].Smallest
	if !(strict > 1.2*usual) || math.IsNaN(strict) {
		t.Errorf("%g at 0.01, %g at 0.05", strict, usual)
	}
}
