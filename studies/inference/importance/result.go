package importance

import (
	"encoding/json"
	"math"
)

// The methods.
const (
	FANOVA   = "fANOVA"
	PEDANOVA = "PED-ANOVA"
)

// Result is the importance of parameters, each number between 0 and 1. Of fANOVA it is a share of the variance of the
// predicted scores over the space, and shares of singles and pairs sum to 1 at most; of PED-ANOVA a share of the
// singles' sum: how much a parameter's values in the best trials differ from those in all trials.
type Result struct {
	Method    string     `json:"method"` // FANOVA or PEDANOVA
	N         int        `json:"n"`      // configurations that it rests on
	Fit       float64    `json:"fit"`    // share of the variance of scores that the forest predicts at points that it has not seen; NaN without a forest
	Single    []Share    `json:"single"` // by falling value
	Pairs     []Pair     `json:"pairs,omitempty"`
	Marginals []Marginal `json:"marginals,omitempty"` // in the order of the space
	// Bias says in a sentence why the points are no even sample of the space, "" if they are.
	Bias  string   `json:"bias,omitempty"`
	Notes []string `json:"notes,omitempty"` // whole sentences
}

// Share is one parameter's part, with its standard deviation over the trees of the forest (NaN where there are none).
type Share struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	SD    float64 `json:"sd"`
}

// Pair is what two parameters do together beyond what each does alone.
type Pair struct {
	A     string  `json:"a"`
	B     string  `json:"b"`
	Value float64 `json:"value"`
	SD    float64 `json:"sd"`
}

// Marginal is the mean score along one parameter, averaged over all others.
type Marginal struct {
	Name   string    `json:"name"`
	Labels []string  `json:"labels,omitempty"` // of choices; nil for numbers
	X      []float64 `json:"x"`                // values of a number, or indices of the choices
	Mean   []float64 `json:"mean"`
	SD     []float64 `json:"sd"` // over the trees
	Log    bool      `json:"log,omitempty"`
}

// number is a float64 that is null in JSON when it is NaN or infinite.
type number float64

// MarshalJSON writes null for what JSON cannot hold.
func (n number) MarshalJSON() ([]byte, error) {
	if x := float64(n); math.IsNaN(x) || math.IsInf(x, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// MarshalJSON writes null for a missing fit.
func (r Result) MarshalJSON() ([]byte, error) {
	type plain Result
	return json.Marshal(struct {
		plain
		Fit number `json:"fit"`
	}{plain(r), number(r.Fit)})
}

// MarshalJSON writes null for a missing spread.
func (s Share) MarshalJSON() ([]byte, error) {
	type plain Share
	return json.Marshal(struct {
		plain
		Value number `json:"value"`
		SD    number `json:"sd"`
	}{plain(s), number(s.Value), number(s.SD)})
}

// MarshalJSON writes null for a missing spread.
func (p Pair) MarshalJSON() ([]byte, error) {
	type plain Pair
	return json.Marshal(struct {
		plain
		Value number `json:"value"`
		SD    number `json:"sd"`
	}{plain(p), number(p.Value), number(p.SD)})
}
