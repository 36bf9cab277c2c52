package trials

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// ErrInvalid is returned by stores for a study, suggestion, measurement or outcome that no store may keep.
var ErrInvalid = errors.New("invalid")

// invalid builds an error that matches ErrInvalid.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// Check says why s cannot be stored, or nil: it needs a name of at most 512
// characters (Optuna's column) and one direction per objective.
func (s Study) Check() error {
	if strings.TrimSpace(s.Name) == "" {
		return invalid("a study needs a name")
	}
	if n := len([]rune(s.Name)); n > 512 {
		return invalid("the study's name has %d characters, at most 512 fit", n)
	}
	if len(s.Directions) == 0 {
		return invalid("study %q has no direction: say MAXIMIZE or MINIMIZE", s.Name)
	}
	for _, d := range s.Directions {
		if d != Maximize && d != Minimize {
			return invalid("study %q: direction %q is neither MAXIMIZE nor MINIMIZE", s.Name, d)
		}
	}
	if n := len(s.Metrics); n > 0 && n != len(s.Directions) {
		return invalid("study %q has names for %d objectives, and %d directions", s.Name, n, len(s.Directions))
	}
	if len(s.Resolved) > 0 && !json.Valid(s.Resolved) {
		return invalid("study %q: its resolved form is not JSON", s.Name)
	}
	return CheckAttrs(s.Attrs)
}

// Check says why p is no dimension of a search space, or nil. The rules are
// Optuna's: a logarithmic float has no step and starts above 0, a logarithmic
// int has step 1 and starts at 1 or above, a categorical has distinct choices.
func (p Param) Check() error {
	if p.Name == "" {
		return invalid("a parameter without name")
	}
	switch p.Kind {
	case Categorical:
		if len(p.Choices) == 0 {
			return invalid("%s: no choices", p.Name)
		}
		for i, c := range p.Choices {
			if slices.ContainsFunc(p.Choices[:i], func(d any) bool { return SameValue(c, d) }) {
				return invalid("%s: choice %s occurs twice", p.Name, FormatValue(c))
			}
		}
		return nil
	case Float, Int:
		return p.checkRange()
	}
	return invalid("%s: kind %q is none of float, int, categorical", p.Name, p.Kind)
}

// checkRange checks Low, High, Step and Log of a numeric parameter.
func (p Param) checkRange() error {
	for _, v := range []float64{p.Low, p.High, p.Step} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return invalid("%s: low, high and step must be finite", p.Name)
		}
		if p.Kind == Int && v != math.Trunc(v) {
			return invalid("%s: low, high and step of an int must be whole numbers, not %v", p.Name, v)
		}
	}
	switch {
	case p.Low > p.High:
		return invalid("%s: low %v is above high %v", p.Name, p.Low, p.High)
	case p.Step < 0:
		return invalid("%s: step %v is negative", p.Name, p.Step)
	case p.Log && p.Low <= 0:
		return invalid("%s: a logarithmic range must start above 0, not at %v", p.Name, p.Low)
	case p.Log && p.Step != 0 && (p.Kind == Float || p.Step != 1):
		return invalid("%s: a logarithmic range has no step", p.Name)
	}
	return nil
}

// Compatible says why p and q, two descriptions of one name, cannot live in one
// study, or nil. As in Optuna the range may change, the kind and the scale may not;
// choices may be added.
func (p Param) Compatible(q Param) error {
	if p.Kind != q.Kind || p.Log != q.Log {
		return fmt.Errorf("parameter %s is %s in this study and cannot become %s: %w",
			p.Name, p.describe(), q.describe(), ErrIncompatible)
	}
	return nil
}

func (p Param) describe() string {
	if p.Log {
		return "a logarithmic " + string(p.Kind)
	}
	return "a " + string(p.Kind)
}

// Clean checks s and returns a deep copy whose values are of the five scalar
// types. Values of numeric parameters may lie outside their range (Optuna allows
// that for enqueued points), choices may not.
func (s Suggestion) Clean() (Suggestion, error) {
	if s.Key == "" {
		return s, invalid("a suggestion needs a key")
	}
	c := Suggestion{Key: s.Key, Params: make(Params, len(s.Params)), Attrs: CloneAttrs(s.Attrs)}
	for name, v := range s.Params {
		w, err := cleanValue(name, v)
		if err != nil {
			return s, err
		}
		c.Params[name] = w
	}
	for _, p := range s.Space.Clone() {
		for i, v := range p.Choices {
			w, err := cleanValue(p.Name, v)
			if err != nil {
				return s, err
			}
			p.Choices[i] = w
		}
		if err := p.Check(); err != nil {
			return s, err
		}
		if _, twice := c.Space.Lookup(p.Name); twice {
			return s, invalid("parameter %s occurs twice in the space", p.Name)
		}
		if v, ok := c.Params[p.Name]; ok {
			if _, err := p.Internal(v); err != nil {
				return s, fmt.Errorf("%w: %w", ErrInvalid, err)
			}
		}
		c.Space = append(c.Space, p)
	}
	return c, CheckAttrs(s.Attrs)
}

func cleanValue(name string, v any) (any, error) {
	w, err := Scalar(v)
	if err != nil {
		return nil, invalid("%s: %v", name, err)
	}
	if f, ok := w.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return nil, invalid("%s: a parameter cannot be %v", name, f)
	}
	return w, nil
}

// Check says why m cannot be stored, or nil.
func (m Measurement) Check() error {
	if m.Epoch < 0 {
		return invalid("epoch %d", m.Epoch)
	}
	for name := range m.Metrics {
		if name == "" {
			return invalid("a metric without name at epoch %d", m.Epoch)
		}
	}
	return nil
}

// Check says why o cannot end a trial of a study with that many objectives, or nil.
func (o Outcome) Check(objectives int) error {
	n := len(o.Values)
	switch o.State {
	case Complete:
		if n != objectives {
			return invalid("a complete trial needs %d values, not %d", objectives, n)
		}
		for _, v := range o.Values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return invalid("%v is not a score: end the trial as failed", v)
			}
		}
	case Pruned:
		if n > objectives {
			return invalid("a pruned trial has at most %d values, not %d", objectives, n)
		}
	case Fail:
		if n != 0 {
			return invalid("a failed trial has no value")
		}
	default:
		return invalid("a trial cannot end as %s", o.State)
	}
	return CheckAttrs(o.Attrs)
}

// Scores are the values to store: those of a pruned trial are left out if one of them is NaN, which is never a score.
func (o Outcome) Scores() []float64 {
	if slices.ContainsFunc(o.Values, math.IsNaN) {
		return nil
	}
	return slices.Clone(o.Values)
}

// Violations are the constraints to store: what is not a number is not known to be met, and stored as +Inf.
func (o Outcome) Violations() []float64 {
	c := slices.Clone(o.Constraints)
	for i, v := range c {
		if math.IsNaN(v) {
			c[i] = math.Inf(1)
		}
	}
	return c
}

// Null says whether an attribute's value is null, which removes it where that is possible.
func Null(raw json.RawMessage) bool { return string(bytes.TrimSpace(raw)) == "null" }

// CheckAttrs says why attributes cannot be stored, or nil: names of 1 to 512 characters, values in JSON.
func CheckAttrs(attrs map[string]json.RawMessage) error {
	for name, raw := range attrs {
		if name == "" || len([]rune(name)) > 512 {
			return invalid("an attribute's name must have 1 to 512 characters: %q", name)
		}
		if !json.Valid(raw) {
			return invalid("attribute %s is not JSON", name)
		}
	}
	return nil
}
