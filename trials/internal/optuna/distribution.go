package optuna

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// EncodeDistribution writes p as Optuna's distribution_to_json does. The upper end of
// a stepped range is brought down to the grid, as Optuna does with a warning.
func EncodeDistribution(p trials.Param) (string, error) {
	if err := p.Check(); err != nil {
		return "", fmt.Errorf("encode distribution: %w", err)
	}
	switch p.Kind {
	case trials.Categorical:
		return encodeChoices(p)
	case trials.Int:
		step := max(1, p.Step)
		return fmt.Sprintf(`{"name": "IntDistribution", "attributes": {"log": %t, "step": %.0f, "low": %.0f, "high": %.0f}}`,
			p.Log, step, p.Low, gridEnd(p.Low, p.High, step)), nil
	}
	step, high := "null", p.High
	var err error
	if p.Step > 0 {
		if step, err = trials.EncodeValue(p.Step); err != nil {
			return "", err
		}
		high = gridEnd(p.Low, p.High, p.Step)
	}
	low, err := trials.EncodeValue(p.Low)
	if err != nil {
		return "", err
	}
	top, err := trials.EncodeValue(high)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`{"name": "FloatDistribution", "attributes": {"step": %s, "low": %s, "high": %s, "log": %t}}`,
		step, low, top, p.Log), nil
}

func encodeChoices(p trials.Param) (string, error) {
	choices := make([]string, len(p.Choices))
	for i, c := range p.Choices {
		text, err := trials.EncodeValue(c)
		if err != nil {
			return "", fmt.Errorf("encode choice %d of %s: %w", i, p.Name, err)
		}
		choices[i] = text
	}
	return `{"name": "CategoricalDistribution", "attributes": {"choices": [` + strings.Join(choices, ", ") + `]}}`, nil
}

// gridEnd is the highest grid point low + k*step that is not above high.
func gridEnd(low, high, step float64) float64 {
	k := (high - low) / step
	if k > 1<<53 || math.Abs(k-math.Round(k)) < 1e-8 { // a grid finer than floats can count is none
		return high
	}
	return min(high, low+math.Floor(k)*step)
}

// distribution holds the forms that json_to_distribution reads: by class name with
// attributes, or abbreviated with a type.
type distribution struct {
	Name       string     `json:"name"`
	Attributes attributes `json:"attributes"`
	Type       string     `json:"type"`
	attributes
}

type attributes struct {
	Low     *float64          `json:"low"`
	High    *float64          `json:"high"`
	Step    *float64          `json:"step"`
	Q       *float64          `json:"q"`
	Log     bool              `json:"log"`
	Choices []json.RawMessage `json:"choices"`
}

// DecodeDistribution reads a distribution: the three of today, the five that older
// versions wrote (UniformDistribution, LogUniformDistribution,
// DiscreteUniformDistribution, IntUniformDistribution, IntLogUniformDistribution)
// and the abbreviated form.
func DecodeDistribution(name, text string) (trials.Param, error) {
	p := trials.Param{Name: name}
	clean, err := trials.CleanJSON(text)
	if err != nil {
		return p, fmt.Errorf("decode distribution of %s: %w", name, err)
	}
	var d distribution
	if err := json.Unmarshal(clean, &d); err != nil {
		return p, fmt.Errorf("decode distribution of %s: %w", name, err)
	}
	a := d.Attributes
	if d.Name == "" {
		a = d.attributes
	}
	p.Log = a.Log
	switch d.Name + d.Type {
	case "FloatDistribution", "UniformDistribution", "float":
		p.Kind = trials.Float
	case "LogUniformDistribution":
		p.Kind, p.Log = trials.Float, true
	case "DiscreteUniformDistribution":
		p.Kind, a.Step = trials.Float, a.Q
	case "IntDistribution", "IntUniformDistribution", "int":
		p.Kind = trials.Int
	case "IntLogUniformDistribution":
		p.Kind, p.Log = trials.Int, true
	case "CategoricalDistribution", "categorical":
		p.Kind = trials.Categorical
		for _, c := range a.Choices {
			p.Choices = append(p.Choices, decodeScalar(c))
		}
		return p, nil
	default:
		return p, fmt.Errorf("decode distribution of %s: unknown kind %q", name, d.Name+d.Type)
	}
	return p, a.fill(&p)
}

// fill sets the range of p. A step of 1 says nothing for an int and is left out.
func (a attributes) fill(p *trials.Param) error {
	if a.Low == nil || a.High == nil {
		return fmt.Errorf("decode distribution of %s: low or high is missing", p.Name)
	}
	p.Low, p.High = *a.Low, *a.High
	if a.Step != nil && (p.Kind == trials.Float || *a.Step != 1) {
		p.Step = *a.Step
	}
	return nil
}
