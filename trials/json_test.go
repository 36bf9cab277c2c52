package trials_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
)

func TestCleanJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"a": 1}`:                 `{"a": 1}`,
		`NaN`:                      `"NaN"`,
		`[Infinity, -Infinity]`:    `["Infinity", "-Infinity"]`,
		`{"NaN": NaN, "b": "NaN"}`: `{"NaN": "NaN", "b": "NaN"}`,
		`["\"NaN", NaN, "\\"]`:     `["\"NaN", "NaN", "\\"]`,
	} {
		if got, err := trials.CleanJSON(text); err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "nope", `{"a": `, `"open`, "NaNNaN"} {
		if got, err := trials.CleanJSON(text); err == nil {
			t.Errorf("%q became %s", text, got)
		}
	}
}

func FuzzCleanJSON(f *testing.F) {
	for _, s := range []string{`{"a": [NaN, "NaN\"", -Infinity]}`, `"\`, `[Inf`, "-", `{"NaN`,
		`{"loss": NaN, "best": -Infinity, "note": "NaN \u00fc \"Infinity\"", "list": [Infinity, 1e-05, null, {"x": NaN}]}`, "NaN", "-Infinity", " NaN "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := trials.CleanJSON(text)
		if err == nil && !json.Valid(got) {
			t.Errorf("%q became %q, which is not JSON", text, got)
		}
		if json.Valid([]byte(text)) && string(got) != text {
			t.Errorf("%q was JSON and became %q", text, got)
		}
		if again, err2 := trials.CleanJSON(string(got)); err == nil && (err2 != nil || string(again) != string(got)) {
			t.Errorf("%q became %q and then %q, %v", text, got, again, err2)
		}
	})
}

func TestEncodeParams(t *testing.T) {
	p := trials.Params{"b": 1.0, "a": int64(1), "c": nil, "d": "x", "e": true, "f": 1e300}
	text, err := trials.EncodeParams(p)
	if want := `{"a": 1, "b": 1.0, "c": null, "d": "x", "e": true, "f": 1e+300}`; err != nil || text != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
	var back trials.Params
	if err := json.Unmarshal([]byte(text), &back); err != nil || !reflect.DeepEqual(back, p) {
		t.Errorf("got %#v, %v", back, err)
	}
	for _, v := range []any{math.NaN(), math.Inf(1), []int{1}} {
		if text, err := trials.EncodeParams(trials.Params{"x": v}); err == nil {
			t.Errorf("%v became %s", v, text)
		}
	}
}
