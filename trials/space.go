package trials

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
)

// Kind says how a parameter's values are drawn and stored.
type Kind string

// The three kinds, as in Optuna: a boolean is a categorical with the choices false and true.
const (
	Float       Kind = "float"
	Int         Kind = "int"
	Categorical Kind = "categorical"
)

// ErrOutOfRange is returned for a value that its parameter cannot take.
var ErrOutOfRange = errors.New("value out of range")

// Param is one dimension of a search space. Low and High are both included.
// Step is the grid distance from Low (0: continuous float, or 1 for ints).
// Log asks for sampling on a logarithmic scale (Low > 0, no Step for floats).
// Choices holds scalars (string, bool, int64, float64 or nil) for Categorical.
type Param struct {
	Name    string  `json:"name"`
	Kind    Kind    `json:"kind"`
	Low     float64 `json:"low"` // written for numbers only, as High
	High    float64 `json:"high"`
	Step    float64 `json:"step,omitempty"`
	Log     bool    `json:"log,omitempty"`
	Choices []any   `json:"choices,omitempty"`
	// Requires lists values that other parameters must have for this one to matter.
	Requires Params `json:"requires,omitempty"`
}

// Space is an ordered list of parameters: sampling order is declared order.
type Space []Param

// Lookup finds a parameter by name.
func (s Space) Lookup(name string) (Param, bool) {
	for _, p := range s {
		if p.Name == name {
			return p, true
		}
	}
	return Param{}, false
}

// Params maps parameter names to scalars: string, bool, int64, float64 or nil.
type Params map[string]any

// Clone copies p.
func (p Params) Clone() Params {
	q := make(Params, len(p))
	for k, v := range p {
		q[k] = v
	}
	return q
}

// With returns a copy of p with the values of q over it.
func (p Params) With(q Params) Params {
	r := p.Clone()
	for k, v := range q {
		r[k] = v
	}
	return r
}

// Names returns the sorted parameter names.
func (p Params) Names() []string {
	n := make([]string, 0, len(p))
	for k := range p {
		n = append(n, k)
	}
	sort.Strings(n)
	return n
}

// Key is a canonical text of p: equal configurations have equal keys. Numbers are
// compared by value, so that the integer 1 and the float 1.0 are the same. A text that
// prints as another scalar does is in quotes: "1" is not 1, and "true" is not true.
// No value is null here, since none is a word that studies use.
func (p Params) Key() string {
	var b strings.Builder
	for i, k := range p.Names() {
		if i > 0 {
			b.WriteByte(' ')
		}
		text := FormatValue(p[k])
		if s, ok := p[k].(string); ok && ambiguous(s) {
			text = strconv.Quote(s)
		} else if p[k] == nil {
			text = "null"
		}
		fmt.Fprintf(&b, "%s=%s", k, text)
	}
	return b.String()
}

// ambiguous says that Key prints a scalar other than text as s, or that s looks like a quoted one.
func ambiguous(s string) bool {
	if s == "true" || s == "false" || s == "null" || strings.HasPrefix(s, `"`) {
		return true
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && FormatValue(n) == s {
		return true
	}
	x, err := strconv.ParseFloat(s, 64)
	return err == nil && FormatValue(x) == s
}

// UnmarshalJSON reads an object of scalars; whole numbers without point or exponent become int64.
func (p *Params) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	q := make(Params, len(raw))
	for k, r := range raw {
		v, err := DecodeValue(r)
		if err != nil {
			return fmt.Errorf("decode %q: %w", k, err)
		}
		q[k] = v
	}
	*p = q
	return nil
}

// MarshalJSON writes low and high for every number, also where they are 0, and floats among choices and
// requirements with their point, so that all values come back with their types.
func (p Param) MarshalJSON() ([]byte, error) {
	out := struct {
		Name     string            `json:"name"`
		Kind     Kind              `json:"kind"`
		Low      *float64          `json:"low,omitempty"`
		High     *float64          `json:"high,omitempty"`
		Step     float64           `json:"step,omitempty"`
		Log      bool              `json:"log,omitempty"`
		Choices  []json.RawMessage `json:"choices,omitempty"`
		Requires json.RawMessage   `json:"requires,omitempty"`
	}{Name: p.Name, Kind: p.Kind, Step: p.Step, Log: p.Log}
	if p.Kind != Categorical {
		out.Low, out.High = &p.Low, &p.High
	}
	for _, c := range p.Choices {
		text, err := EncodeValue(c)
		if err != nil {
			return nil, fmt.Errorf("encode choices of %s: %w", p.Name, err)
		}
		out.Choices = append(out.Choices, json.RawMessage(text))
	}
	if len(p.Requires) > 0 {
		text, err := EncodeParams(p.Requires)
		if err != nil {
			return nil, fmt.Errorf("encode requirements of %s: %w", p.Name, err)
		}
		out.Requires = json.RawMessage(text)
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads a parameter, keeping whole-number choices as int64.
func (p *Param) UnmarshalJSON(data []byte) error {
	type plain Param
	aux := struct {
		*plain
		Choices []json.RawMessage `json:"choices"`
	}{plain: (*plain)(p)}
	if err := json.Unmarshal(data, &aux); err != nil {
		return err
	}
	p.Choices = nil
	for _, r := range aux.Choices {
		v, err := DecodeValue(r)
		if err != nil {
			return err
		}
		p.Choices = append(p.Choices, v)
	}
	return nil
}

// DecodeValue reads one JSON scalar as string, bool, int64, float64 or nil.
func DecodeValue(raw json.RawMessage) (any, error) {
	t := strings.TrimSpace(string(raw))
	if n, err := strconv.ParseInt(t, 10, 64); err == nil {
		return n, nil
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	return Scalar(v)
}

// Scalar brings any Go scalar to the five types that Params holds.
func Scalar(v any) (any, error) {
	switch v := v.(type) {
	case nil, string, bool, int64, float64:
		return v, nil
	case int:
		return int64(v), nil
	case int32:
		return int64(v), nil
	case uint64:
		if v > math.MaxInt64 {
			return float64(v), nil
		}
		return int64(v), nil
	case float32:
		return float64(v), nil
	}
	return nil, fmt.Errorf("value of type %T is not a scalar", v)
}

// Number reads a numeric scalar.
func Number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	}
	return 0, false
}

// SameValue compares two scalars; numbers by value.
func SameValue(a, b any) bool {
	x, ok := Number(a)
	y, ok2 := Number(b)
	if ok && ok2 {
		return x == y
	}
	return a == b
}

// FormatValue prints a scalar as users write it: 0.01, 3, true, randaugment, none.
func FormatValue(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case string:
		return v
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return strconv.FormatInt(int64(v), 10)
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

// Contains says whether v is a value that p can take. Grid values are accepted within 1e-8 steps.
func (p Param) Contains(v any) bool {
	if p.Kind == Categorical {
		for _, c := range p.Choices {
			if SameValue(c, v) {
				return true
			}
		}
		return false
	}
	x, ok := Number(v)
	if !ok || math.IsNaN(x) || x < p.Low || x > p.High {
		return false
	}
	if p.Kind == Int && x != math.Trunc(x) {
		return false
	}
	if p.Step > 0 {
		k := (x - p.Low) / p.Step
		return math.Abs(k-math.Round(k)) < 1e-8
	}
	return true
}

// Internal is the number that Optuna's schema stores: the value itself, or a choice's index.
func (p Param) Internal(v any) (float64, error) {
	if p.Kind == Categorical {
		for i, c := range p.Choices {
			if SameValue(c, v) {
				return float64(i), nil
			}
		}
		return 0, fmt.Errorf("%s: %s is none of its choices: %w", p.Name, FormatValue(v), ErrOutOfRange)
	}
	x, ok := Number(v)
	if !ok {
		return 0, fmt.Errorf("%s: %s is not a number: %w", p.Name, FormatValue(v), ErrOutOfRange)
	}
	return x, nil
}

// External turns a stored number back into the parameter's value.
func (p Param) External(x float64) (any, error) {
	switch p.Kind {
	case Categorical:
		i := int(x)
		if float64(i) != x || i < 0 || i >= len(p.Choices) {
			return nil, fmt.Errorf("%s: choice %v of %d: %w", p.Name, x, len(p.Choices), ErrOutOfRange)
		}
		return p.Choices[i], nil
	case Int:
		return int64(math.Round(x)), nil
	}
	return x, nil
}
