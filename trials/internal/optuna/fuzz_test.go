package optuna_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/internal/optuna"
)

// FuzzDecodeDistribution: what is read and holds by the rules of spaces is written so that it reads the same, and its values
// go there and back.
func FuzzDecodeDistribution(f *testing.F) {
	for _, s := range []string{
		`{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}`,
		`{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}`,
		`{"name": "FloatDistribution", "attributes": {"step": 0.05, "low": -0.5, "high": 0.5, "log": false}}`,
		`{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 1024}}`,
		`{"name": "IntDistribution", "attributes": {"log": false, "step": 7, "low": -3, "high": 100}}`,
		`{"name": "IntDistribution", "attributes": {"low": 1e400}}`,
		`{"name": "IntDistribution", "attributes": {"low": 9007199254740993, "high": 9007199254740995}}`,
		`{"name": "IntLogUniformDistribution", "attributes": {"low": 1, "high": 9, "step": 1}}`,
		`{"name": "DiscreteUniformDistribution", "attributes": {"low": 0, "high": 1, "q": 0.25}}`,
		`{"name": "CategoricalDistribution", "attributes": {"choices": ["sgd", null, true, 3, 2.5, [1, 2], {"a": NaN}, NaN, -Infinity]}}`,
		`{"name": "CategoricalDistribution", "attributes": {"choices": [1, 1.0, true, "1"]}}`,
		`{"type": "categorical", "choices": ["a", NaN]}`,
		`{"type": "float", "low": -Infinity, "high": Infinity}`,
		`{"name": "FloatDistribution", "attributes": {"step": 5e-324, "low": -1.7976931348623157e+308, "high": 1.7976931348623157e+308}}`,
	} {
		f.Add(s, 0.0)
	}
	f.Fuzz(func(t *testing.T, text string, x float64) {
		p, err := optuna.DecodeDistribution("x", text)
		if err != nil || p.Check() != nil {
			return
		}
		again, err := optuna.EncodeDistribution(p)
		if err != nil {
			t.Fatalf("%s decodes and does not encode: %v", text, err)
		}
		q, err := optuna.DecodeDistribution("x", again)
		if err != nil || q.Kind != p.Kind || q.Low != p.Low || q.Log != p.Log || q.Step != p.Step && p.Step != 1 || !reflect.DeepEqual(q.Choices, p.Choices) || q.Check() != nil {
			t.Fatalf("%s became %s: %+v, was %+v, %v", text, again, q, p, err)
		}
		if q.High > p.High || q.High < p.Low {
			t.Errorf("%s: its high became %v", text, q.High)
		}
		v, err := p.External(x)
		if err != nil {
			return
		}
		if back, err := p.Internal(v); err != nil || p.Kind == trials.Categorical && back != x {
			t.Errorf("%s: %v became %v and %v, %v", text, x, v, back, err)
		}
	})
}

// FuzzDecodeParams: parameters as Python wrote them become scalars that are written so that they read the same.
func FuzzDecodeParams(f *testing.F) {
	for _, s := range []string{
		`{"lr": 0.002, "opt": "lion", "n": 3, "flag": true, "none": null}`,
		`{"a": NaN, "b": Infinity, "c": -Infinity, "d": "NaN", "NaN": "Infinity"}`,
		`{"a": [1, 2.5, NaN], "b": {"c": [Infinity]}, "d": "\ud83d\ude00 \u00fc", "e": -0.0, "f": 1e+300, "g": 12345678901234567890}`,
		`{"a": 1e999, "a": 2, "": ""}`, `{}`, `null`, `[NaN]`, `NaN`, `{"a": "\ud800"}`, `{"a": -0, "b": 0.1e1, "c": 1E5}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := optuna.DecodeParams(text)
		if err != nil {
			return
		}
		again, err := trials.EncodeParams(p)
		if err != nil {
			t.Fatalf("%s decodes and does not encode: %v", text, err)
		}
		if !json.Valid([]byte(again)) {
			t.Fatalf("%s became %s", text, again)
		}
		if q, err := optuna.DecodeParams(again); err != nil || !reflect.DeepEqual(q, p) {
			t.Errorf("%s became %s: %#v, was %#v, %v", text, again, q, p, err)
		}
	})
}

// FuzzParseTime: a date that is read is written so that it reads the same, to the microsecond.
func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"", "2026-11-23 08:54:00.000001", "2026-11-23T08:54:00.5", "0000-01-01 00:00:00", "9999-12-31 23:59:59.999999999", "2026-02-30 00:00:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := optuna.ParseTime(text)
		if err != nil || at.IsZero() {
			return
		}
		if again, err := optuna.ParseTime(optuna.FormatTime(at)); err != nil || again.Unix() != at.Unix() || again.Nanosecond()/1000 != at.Nanosecond()/1000 {
			t.Errorf("%q became %q, %v", text, optuna.FormatTime(at), err)
		}
	})
}
