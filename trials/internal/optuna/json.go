package optuna

import (
	"encoding/json"
	"fmt"

	"github.com/mapsweep/mapsweep/trials"
)

// DecodeParams reads an object of scalars. A value that is no scalar (a Python
// list, say) is kept as its JSON text, and NaN and infinities as text.
func DecodeParams(text string) (trials.Params, error) {
	clean, err := trials.CleanJSON(text)
	if err != nil {
		return nil, err
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(clean, &raw); err != nil {
		return nil, fmt.Errorf("decode parameters: %w", err)
	}
	p := make(trials.Params, len(raw))
	for name, r := range raw {
		p[name] = decodeScalar(r)
	}
	return p, nil
}

func decodeScalar(raw json.RawMessage) any {
	if v, err := trials.DecodeValue(raw); err == nil {
		return v
	}
	return string(raw)
}
