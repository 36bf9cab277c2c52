package trials

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// number is a float that JSON can hold whatever its value: what is not finite is one of the texts
// "NaN", "Infinity" and "-Infinity".
type number float64

// MarshalJSON writes a number or one of the three texts.
func (n number) MarshalJSON() ([]byte, error) {
	switch x := float64(n); {
	case math.IsNaN(x):
		return []byte(`"NaN"`), nil
	case math.IsInf(x, 1):
		return []byte(`"Infinity"`), nil
	case math.IsInf(x, -1):
		return []byte(`"-Infinity"`), nil
	default:
		return json.Marshal(x)
	}
}

// UnmarshalJSON reads what MarshalJSON writes.
func (n *number) UnmarshalJSON(data []byte) error {
	switch text := string(data); text {
	case `"NaN"`:
		*n = number(math.NaN())
	case `"Infinity"`:
		*n = number(math.Inf(1))
	case `"-Infinity"`:
		*n = number(math.Inf(-1))
	default:
		var x *float64
		if err := json.Unmarshal(data, &x); err != nil || x == nil {
			return fmt.Errorf("%.40s is no number", text)
		}
		*n = number(*x)
	}
	return nil
}

// measurementJSON is a Measurement as JSON has it.
type measurementJSON struct {
	Epoch   int               `json:"epoch"`
	Metrics map[string]number `json:"metrics"`
	At      time.Time         `json:"at"`
}

// MarshalJSON writes metrics that are not finite as the texts "NaN", "Infinity" and "-Infinity".
func (m Measurement) MarshalJSON() ([]byte, error) {
	out := measurementJSON{Epoch: m.Epoch, At: m.At}
	if m.Metrics != nil {
		out.Metrics = make(map[string]number, len(m.Metrics))
	}
	for name, v := range m.Metrics {
		out.Metrics[name] = number(v)
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Measurement) UnmarshalJSON(data []byte) error {
	var in measurementJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("decode measurement: %w", err)
	}
	*m = Measurement{Epoch: in.Epoch, At: in.At}
	if in.Metrics != nil {
		m.Metrics = make(map[string]float64, len(in.Metrics))
	}
	for name, v := range in.Metrics {
		m.Metrics[name] = float64(v)
	}
	return nil
}

// MarshalJSON writes values and constraints that are not finite (Optuna allows infinite ones) as a Measurement does.
func (t Trial) MarshalJSON() ([]byte, error) {
	type plain Trial
	return json.Marshal(struct {
		plain
		Values      []number `json:"values,omitempty"`
		Constraints []number `json:"constraints,omitempty"`
	}{plain(t), numbers(t.Values), numbers(t.Constraints)})
}

func numbers(xs []float64) []number {
	ns := make([]number, len(xs))
	for i, x := range xs {
		ns[i] = number(x)
	}
	return ns
}
