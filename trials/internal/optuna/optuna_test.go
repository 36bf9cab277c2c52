package optuna_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/internal/optuna"
)

// The texts are what optuna.distributions.distribution_to_json of Optuna 5.0.0 prints
// (key order of attributes aside); testdata of trials/sqlite lets Optuna read them.
func TestDistributions(t *testing.T) {
	tests := []struct {
		param trials.Param
		text  string
	}{
		{trials.Param{Kind: trials.Float, Low: 1e-5, High: 0.1, Log: true}, `{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.00001, "high": 0.1, "log": true}}`},
		{trials.Param{Kind: trials.Float, Low: 0, High: 1}, `{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}`},
		{trials.Param{Kind: trials.Float, Low: 0, High: 0.5, Step: 0.05}, `{"name": "FloatDistribution", "attributes": {"step": 0.05, "low": 0.0, "high": 0.5, "log": false}}`},
		{trials.Param{Kind: trials.Int, Low: 1, High: 64, Log: true}, `{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 64}}`},
		{trials.Param{Kind: trials.Int, Low: -8, High: 32, Step: 8}, `{"name": "IntDistribution", "attributes": {"log": false, "step": 8, "low": -8, "high": 32}}`},
		{trials.Param{Kind: trials.Categorical, Choices: []any{"sgd", nil, true, int64(3), 2.5, 1.0, `"ü`}}, `{"name": "CategoricalDistribution", "attributes": {"choices": ["sgd", null, true, 3, 2.5, 1.0, "\"ü"]}}`},
	}
	for _, tt := range tests {
		tt.param.Name = "x"
		got, err := optuna.EncodeDistribution(tt.param)
		if err != nil || got != tt.text {
			t.Errorf("encode %+v\n got %s, %v\nwant %s", tt.param, got, err, tt.text)
		}
		back, err := optuna.DecodeDistribution("x", tt.text)
		if err != nil || !reflect.DeepEqual(back, tt.param) {
			t.Errorf("decode %s\n got %+v, %v\nwant %+v", tt.text, back, err, tt.param)
		}
	}
}

func TestDistributionsOnGrid(t *testing.T) {
	got, err := optuna.EncodeDistribution(trials.Param{Name: "x", Kind: trials.Int, Low: 1, High: 10, Step: 4})
	if want := `{"name": "IntDistribution", "attributes": {"log": false, "step": 4, "low": 1, "high": 9}}`; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	for _, p := range []trials.Param{{Name: "x", Kind: "bool"}, {Name: "x", Kind: trials.Float, Low: 0, High: 1, Log: true}, {Name: "x", Kind: trials.Categorical}} {
		if got, err := optuna.EncodeDistribution(p); err == nil {
			t.Errorf("%+v became %s", p, got)
		}
	}
}

func TestOldDistributions(t *testing.T) {
	tests := []struct {
		text string
		want trials.Param
	}{
		{`{"name": "UniformDistribution", "attributes": {"low": 0.0, "high": 1.0}}`, trials.Param{Kind: trials.Float, High: 1}},
		{`{"name": "LogUniformDistribution", "attributes": {"low": 0.001, "high": 1}}`, trials.Param{Kind: trials.Float, Low: 0.001, High: 1, Log: true}},
		{`{"name": "DiscreteUniformDistribution", "attributes": {"low": 0, "high": 1, "q": 0.25}}`, trials.Param{Kind: trials.Float, High: 1, Step: 0.25}},
		{`{"name": "IntUniformDistribution", "attributes": {"low": 1, "high": 9, "step": 2}}`, trials.Param{Kind: trials.Int, Low: 1, High: 9, Step: 2}},
		{`{"name": "IntLogUniformDistribution", "attributes": {"low": 1, "high": 9, "step": 1}}`, trials.Param{Kind: trials.Int, Low: 1, High: 9, Log: true}},
		{`{"type": "float", "low": 0.1, "high": 2, "log": true}`, trials.Param{Kind: trials.Float, Low: 0.1, High: 2, Log: true}},
		{`{"type": "int", "low": 0, "high": 4, "step": 2}`, trials.Param{Kind: trials.Int, High: 4, Step: 2}},
		{`{"type": "categorical", "choices": ["a", NaN]}`, trials.Param{Kind: trials.Categorical, Choices: []any{"a", "NaN"}}},
	}
	for _, tt := range tests {
		tt.want.Name = "x"
		if got, err := optuna.DecodeDistribution("x", tt.text); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("decode %s\n got %+v, %v\nwant %+v", tt.text, got, err, tt.want)
		}
	}
	for _, text := range []string{"", "{", "[]", `{"name": "NormalDistribution"}`, `{"name": "FloatDistribution", "attributes": {"low": 0}}`, `{"type": "int"}`} {
		if got, err := optuna.DecodeDistribution("x", text); err == nil {
			t.Errorf("%q became %+v", text, got)
		}
	}
}

func TestValues(t *testing.T) {
	for _, v := range []float64{0, -1.5, 5e-324, math.MaxFloat64, math.Inf(1), math.Inf(-1), math.NaN()} {
		column, kind := optuna.EncodeValue(v)
		var p *float64
		if f, ok := column.(float64); ok {
			p = &f
		}
		if got, err := optuna.DecodeValue(p, kind); err != nil || got != v && !(math.IsNaN(got) && math.IsNaN(v)) || (kind == "FINITE") != (p != nil) {
			t.Errorf("%v became %v %s and %v, %v", v, column, kind, got, err)
		}
	}
	if _, err := optuna.DecodeValue(nil, "HUGE"); err == nil {
		t.Error("an unknown value type is accepted")
	}
}

func TestTimes(t *testing.T) {
	zone := time.FixedZone("JST", 9*3600)
	if got := optuna.FormatTime(time.Date(2026, 11, 23, 17, 54, 0, 1999, zone)); got != "2026-11-23 08:54:00.000001" {
		t.Errorf("got %s", got)
	}
	for text, want := range map[string]time.Time{
		"":                           {},
		"2026-11-23 08:54:00.000001": time.Date(2026, 11, 23, 8, 54, 0, 1000, time.UTC),
		"2026-11-23 08:54:00":        time.Date(2026, 11, 23, 8, 54, 0, 0, time.UTC),
		"2026-11-23T08:54:00.5":      time.Date(2026, 11, 23, 8, 54, 0, 5e8, time.UTC),
	} {
		if got, err := optuna.ParseTime(text); err != nil || !got.Equal(want) {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	if _, err := optuna.ParseTime("yesterday"); err == nil {
		t.Error("yesterday is accepted")
	}
}

func TestDecodeParams(t *testing.T) {
	got, err := optuna.DecodeParams(`{"a": 1, "b": 1.0, "c": null, "x": [1, NaN], "y": NaN}`)
	if want := (trials.Params{"a": int64(1), "b": 1.0, "c": nil, "x": `[1, "NaN"]`, "y": "NaN"}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, %v, want %#v", got, err, want)
	}
}
