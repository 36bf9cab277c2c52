package design_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/trials"
)

func TestVariants(t *testing.T) {
	src := head + "baseline: {z: 9, lr0: 0.02, warmup: 3}\ndesign: variants\nvariants:\n  gentle: {lr0: 0.01, warmup: 1}\n  late: {warmup: 5}\n"
	p := points(t, src)
	want := []string{"baseline: lr0=0.02 warmup=3 z=9 | ", "gentle: lr0=0.01 warmup=1 z=9 | lr0 0.02>0.01, warmup 3>1", "late: lr0=0.02 warmup=5 z=9 | warmup 3>5"}
	if diff := cmp.Diff(want, arms(p)); diff != "" {
		t.Error(diff)
	}
	if p.Reference != design.Baseline || len(p.Points) != 3 || p.Points[1].Key != "gentle r0" {
		t.Errorf("%+v", p)
	}
	spec, err := studies.Parse([]byte(src), studies.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for want, params := range map[string]trials.Params{"gentle": {"z": int64(9), "lr0": 0.01, "warmup": 1.0}, "baseline": {"z": int64(9), "lr0": 0.02, "warmup": 3.0},
		"warmup=4": {"z": int64(9), "lr0": 0.02, "warmup": 4.0}} {
		if got := design.NameOf(spec, params); got != want {
			t.Errorf("%v is %q, want %q", params, got, want)
		}
	}
	// What has no effect is not trained twice.
	spec.Factors[1].Requires = trials.Params{"z": int64(0)}
	if p, err = design.Points(spec); err != nil || len(p.Arms) != 2 || len(p.Notes) != 2 || p.Notes[0] != "late is not run: it trains the same as baseline (warmup requires z=0)" {
		t.Errorf("%v, %q, %v", arms(p), p.Notes, err)
	}
}
