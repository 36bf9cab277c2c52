package optuna_test

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/internal/optuna"
)

// The texts are as json.dumps of Python 3.11 writes the tuples that Optuna 5.0.0 stores, but for the exponent (1e-07 there).
func TestConstraints(t *testing.T) {
	for _, c := range []struct {
		text string
		want []float64
	}{
		{"[0.5, -1.0, 0.0]", []float64{0.5, -1, 0}},
		{"[Infinity, -Infinity]", []float64{math.Inf(1), math.Inf(-1)}},
		{"[1e-7]", []float64{1e-7}},
	} {
		got, err := optuna.DecodeConstraints(c.text)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, %v", c.text, got, err)
		}
		if text, err := optuna.EncodeConstraints(c.want); err != nil || text != c.text {
			t.Errorf("%v: %s, %v", c.want, text, err)
		}
	}
	for text, want := range map[string][]float64{"null": nil, "[]": nil, "[NaN]": {math.Inf(1)}, "[1, -2]": {1, -2}} {
		if got, err := optuna.DecodeConstraints(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "{}", `["x"]`, "1", "[1"} {
		if got, err := optuna.DecodeConstraints(text); err == nil {
			t.Errorf("%s: %v", text, got)
		}
	}
	if _, err := optuna.EncodeConstraints([]float64{math.NaN()}); !errors.Is(err, trials.ErrInvalid) {
		t.Errorf("NaN: %v", err)
	}
}
