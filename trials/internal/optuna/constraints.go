package optuna

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// EncodeConstraints writes violations as the JSON list that Optuna keeps under Constraints; infinities as Python does.
func EncodeConstraints(violations []float64) (string, error) {
	texts := make([]string, len(violations))
	for i, v := range violations {
		switch {
		case math.IsNaN(v):
			return "", fmt.Errorf("constraint %d is not a number: %w", i, trials.ErrInvalid)
		case math.IsInf(v, 1):
			texts[i] = "Infinity"
		case math.IsInf(v, -1):
			texts[i] = "-Infinity"
		default:
			text, err := trials.EncodeValue(v)
			if err != nil {
				return "", fmt.Errorf("encode constraint %d: %w", i, err)
			}
			texts[i] = text
		}
	}
	return "[" + strings.Join(texts, ", ") + "]", nil
}

// DecodeConstraints reads the list; null, which Optuna writes if the user's function failed, is none. NaN is not known
// to be met, which +Inf says, too.
func DecodeConstraints(text string) ([]float64, error) {
	clean, err := trials.CleanJSON(text)
	if err != nil {
		return nil, err
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(clean, &raw); err != nil || len(raw) == 0 {
		return nil, err
	}
	violations := make([]float64, len(raw))
	for i, r := range raw {
		switch string(r) {
		case `"NaN"`, `"Infinity"`:
			violations[i] = math.Inf(1)
		case `"-Infinity"`:
			violations[i] = math.Inf(-1)
		default:
			if err := json.Unmarshal(r, &violations[i]); err != nil {
				return nil, fmt.Errorf("decode constraints: %w", err)
			}
		}
	}
	return violations, nil
}
