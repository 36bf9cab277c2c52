package audit_test

import (
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep/audit"
	"github.com/mapsweep/mapsweep/trials"
)

// TestTunedKnobs: what is tuned is audited as factors are; a knob that no variant reads is refused, one that some
// variant reads is not.
func TestTunedKnobs(t *testing.T) {
	tuning := func(mosaic []any, knobs ...studies.Factor) studies.Spec {
		s := study(levels("mosaic", mosaic...))
		s.Baseline = trials.Params{"mosaic": mosaic[0]}
		s.Tune = &studies.Tune{Knobs: knobs, Repeats: 3}
		return studies.WithKnobs(s, fake().Knobs())
	}
	off, on := []any{0.0, 1.0}, []any{1.0, 0.0}
	for _, c := range []struct {
		name string
		spec studies.Spec
		want string
	}{
		{"read", tuning(on, between("lr0", 0.001, 0.1)), ""},
		{"not read", tuning(on, between("lr0", 0.001, 0.1), between("obj", 0.1, 1)), "obj"},
		{"read in the baseline alone", tuning(on, between("mixup", 0, 1)), ""},
		{"read in a variant alone", tuning(off, between("mixup", 0, 1)), ""},
		{"levels that train alike", tuning(on, levels("warmup", 3.0, 5.0)), "warmup"},
		{"a range of which a part trains alike", tuning(on, between("warmup", 1, 60)), ""},
		{"leave-one-out", designed(tuning(off, between("mixup", 0, 1)), studies.DesignLeaveOneOut), ""},
		{"levels beside a range", tuning(on, studies.Factor{Name: "obj", Levels: []any{0.7}, Low: between("", 0, 1).Low, High: between("", 0, 1).High}), "obj"},
	} {
		got := run(t, c.spec, fake(), audit.Options{})
		refused := &audit.RefusedError{Refusals: audit.Refusals(c.spec, got)}
		if names := strings.Join(refused.Names(), " "); names != c.want {
			t.Errorf("%s: refused %q, want %q", c.name, names, c.want)
		}
		if again, stale := audit.Current(c.spec, fake(), got); len(stale) > 0 || len(again.Rows) != len(got.Rows) {
			t.Errorf("%s: what was just audited is stale: %v", c.name, stale)
		}
	}
}
