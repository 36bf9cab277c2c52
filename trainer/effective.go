package trainer

import "github.com/mapsweep/mapsweep/trials"

// CheckEffective is for backends that learn their configuration before the first step: it is a Failure of
// ClassMismatch if the trainer would do something else than it was asked for, else nil.
func CheckEffective(requested, effective trials.Params) error {
	list := trials.Mismatches(requested, effective)
	if len(list) == 0 {
		return nil
	}
	return &Failure{Class: trials.ClassMismatch, Reason: "not started: " + trials.MismatchText(list)}
}
