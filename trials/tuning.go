package trials

import "encoding/json"

// Attributes of studies that tune their variants before they compare them.
const (
	// AttrTuning is a trial attribute: the number of the tuning, from 0, whose choice the trial trains. It is absent
	// from the trials of variants as the study file has them.
	AttrTuning = "mapsweep:tuning"
	// AttrTunedFrom is a trial attribute beside AttrTuning: a Choice. It is absent where the tuning found nothing.
	AttrTunedFrom = "mapsweep:tuned_from"
	// AttrTuningOf is a study attribute: a TuningOf. It marks a search that is part of another study.
	AttrTuningOf = "mapsweep:tuning_of"
)

// Choice is the trial of a tuning whose parameters were chosen.
type Choice struct {
	Study string  `json:"study"`
	Trial int     `json:"trial"`
	Value float64 `json:"value"` // its score on the split that tuning sees: chosen for being best, and so optimistic
}

// TuningOf says which tuning of which variant a search is.
type TuningOf struct {
	Study  string `json:"study"`
	Arm    string `json:"arm"`
	Tuning int    `json:"tuning"` // from 0; the same number has the same sampler seed in all arms
	Data   string `json:"data,omitempty"`
}

// Tuning is the number of the tuning whose choice the trial trains; not ok for a variant as it is.
func (t Trial) Tuning() (int, bool) {
	n, ok := t.Integer(AttrTuning)
	return int(n), ok
}

// Choice reads AttrTunedFrom.
func (t Trial) Choice() (c Choice, ok bool) {
	raw, ok := t.Attrs[AttrTunedFrom]
	return c, ok && json.Unmarshal(raw, &c) == nil
}

// TuningOf reads AttrTuningOf.
func (s Study) TuningOf() (of TuningOf, ok bool) {
	raw, ok := s.Attrs[AttrTuningOf]
	return of, ok && json.Unmarshal(raw, &of) == nil
}
