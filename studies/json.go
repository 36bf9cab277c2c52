package studies

import (
	"encoding/json"
	"fmt"

	"github.com/mapsweep/mapsweep/trials"
)

// JSON is the resolved form that is stored with a study: defaults filled in, overrides applied.
func (s Spec) JSON() (json.RawMessage, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode study %s: %w", s.Name, err)
	}
	return b, nil
}

// FromJSON reads the resolved form back. FromJSON(s.JSON()) equals s for every parsed s.
func FromJSON(data []byte) (Spec, error) {
	var s Spec
	if err := json.Unmarshal(data, &s); err != nil {
		return Spec{}, fmt.Errorf("decode resolved study: %w", err)
	}
	if s.Baseline == nil {
		s.Baseline = trials.Params{}
	}
	return s, nil
}

// UnmarshalJSON reads a factor, keeping whole-number levels as int64.
func (f *Factor) UnmarshalJSON(data []byte) error {
	type plain Factor
	aux := struct {
		*plain
		Levels []json.RawMessage `json:"levels"`
	}{plain: (*plain)(f)}
	if err := json.Unmarshal(data, &aux); err != nil {
		return err
	}
	f.Levels = nil
	for _, raw := range aux.Levels {
		v, err := trials.DecodeValue(raw)
		if err != nil {
			return fmt.Errorf("level of %s: %w", f.Name, err)
		}
		f.Levels = append(f.Levels, v)
	}
	return nil
}
