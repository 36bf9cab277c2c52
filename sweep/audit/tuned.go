package audit

import (
	"slices"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// withTuned is a study whose tuned knobs stand among its factors, by their range where they have one. What factors are
// put into stays the same: in leave-one-out the full configuration, which is no longer a matter of the design then.
func withTuned(spec studies.Spec) studies.Spec {
	if spec.Tune == nil {
		return spec
	}
	if spec.Design == studies.DesignLeaveOneOut {
		spec.Baseline, spec.Design = reference(spec), studies.DesignOneFactor
	}
	spec.Factors = slices.Clone(spec.Factors)
	for _, f := range spec.Tune.Knobs {
		if f.Low != nil && f.High != nil {
			f.Levels = nil
		}
		spec.Factors = append(spec.Factors, f)
	}
	return spec
}

// tunedSomewhere says that a tuned knob which changes nothing in the study's reference does in one of its variants: it
// is tuned there, and left out of the tunings of the others.
func tunedSomewhere(spec studies.Spec, r trials.Audited) bool {
	if spec.Tune == nil || r.Run.Verdict != string(trainer.Conditional) || len(r.Run.Needs) == 0 {
		return false
	}
	if !slices.ContainsFunc(spec.Tune.Knobs, func(f studies.Factor) bool { return f.Name == r.Knob }) {
		return false
	}
	plan, err := design.Points(spec)
	return err == nil && slices.ContainsFunc(plan.Arms, func(a design.Arm) bool {
		return slices.ContainsFunc(spec.Tune.Active(a.Params), func(f studies.Factor) bool { return f.Name == r.Knob }) && a.Params.Meets(r.Run.Needs)
	})
}
