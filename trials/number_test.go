package trials_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// A diverged trial can be shown: NaN and infinities are texts in JSON.
func TestMeasurementJSON(t *testing.T) {
	m := trials.Measurement{Epoch: 2, At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Metrics: map[string]float64{"a": math.NaN(), "b": math.Inf(1), "c": math.Inf(-1), "d": 0.25, "e": 0}}
	got, err := json.Marshal(m)
	want := `{"epoch":2,"metrics":{"a":"NaN","b":"Infinity","c":"-Infinity","d":0.25,"e":0},"at":"2026-01-02T03:04:05Z"}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	var back trials.Measurement
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(back.Metrics["a"]) {
		t.Errorf("a is %v", back.Metrics["a"])
	}
	delete(back.Metrics, "a")
	delete(m.Metrics, "a")
	if !reflect.DeepEqual(back, m) {
		t.Errorf("got %+v, want %+v", back, m)
	}
	for _, bad := range []string{`{"metrics":{"a":"nan"}}`, `{"metrics":{"a":null}}`, `{"metrics":{"a":true}}`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s became %+v", bad, back)
		}
	}
}

func TestTrialJSON(t *testing.T) {
	tr := trials.Trial{Number: 3, State: trials.Pruned, Key: "k", Values: []float64{math.Inf(-1), 0.5},
		Measurements: []trials.Measurement{{Epoch: 1, Metrics: map[string]float64{"loss": math.NaN()}}}}
	got, err := json.Marshal(tr)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"number":3`, `"state":"PRUNED"`, `"values":["-Infinity",0.5]`, `"loss":"NaN"`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
	if got, err := json.Marshal(trials.Trial{}); err != nil || strings.Contains(string(got), "values") {
		t.Errorf("a trial without values: %s, %v", got, err)
	}
}

// Bounds of 0 are bounds, and choices and requirements keep their types.
func TestParamJSON(t *testing.T) {
	for _, c := range []struct {
		p    trials.Param
		want string
	}{
		{trials.Param{Name: "x", Kind: trials.Float, High: 1}, `{"name":"x","kind":"float","low":0,"high":1}`},
		{trials.Param{Name: "n", Kind: trials.Int, Low: -3, Step: 3}, `{"name":"n","kind":"int","low":-3,"high":0,"step":3}`},
		{trials.Param{Name: "c", Kind: trials.Categorical, Choices: []any{1.0, int64(2), "1", nil, true}, Requires: trials.Params{"m": 1.0}},
			`{"name":"c","kind":"categorical","choices":[1.0,2,"1",null,true],"requires":{"m":1.0}}`},
	} {
		got, err := json.Marshal(c.p)
		if err != nil || string(got) != c.want {
			t.Errorf("got %s, %v, want %s", got, err, c.want)
		}
		var back trials.Param
		if err := json.Unmarshal(got, &back); err != nil || !reflect.DeepEqual(back, c.p) {
			t.Errorf("got %#v, %v, want %#v", back, err, c.p)
		}
	}
}
