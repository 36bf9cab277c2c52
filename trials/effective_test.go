package trials_test

import (
	"encoding/json"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
)

func TestMismatches(t *testing.T) {
	for _, c := range []struct {
		name                 string
		requested, effective trials.Params
		want                 string
	}{
		{"nothing is said", trials.Params{"a": 1.0}, nil, ""},
		{"equal", trials.Params{"a": 1.0, "b": "x", "c": true, "d": nil}, trials.Params{"a": int64(1), "b": "x", "c": true, "d": nil, "more": 3.0}, ""},
		{"single precision", trials.Params{"a": 0.1}, trials.Params{"a": float64(float32(0.1))}, ""},
		{"another number", trials.Params{"a": 0.1}, trials.Params{"a": 0.1001}, "asked for a=0.1, but the trainer took 0.1001"},
		{"zero is no small number", trials.Params{"a": 0.0}, trials.Params{"a": 1e-9}, "asked for a=0, but the trainer took 1e-09"},
		{"text is no number", trials.Params{"a": 1.0}, trials.Params{"a": "1"}, "asked for a=1, but the trainer took 1"},
		{"a switch", trials.Params{"ema": false}, trials.Params{"ema": true}, "asked for ema=false, but the trainer took true"},
		{"ignored", trials.Params{"x": 2.0, "y": 1.0}, trials.Params{"y": 3.0},
			"asked for x=2, but the trainer names no x; asked for y=1, but the trainer took 3"},
	} {
		list := trials.Mismatches(c.requested, c.effective)
		if got := trials.MismatchText(list); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if len(list) == 0 {
			continue
		}
		back := trials.Trial{Attrs: map[string]json.RawMessage{trials.AttrMismatch: trials.Attr(list)}}
		if got := trials.MismatchText(back.Mismatches()); got != c.want {
			t.Errorf("%s: stored and read %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAuditIsStored(t *testing.T) {
	a := trials.Audit{Context: "c", Steps: 3, Rows: []trials.Audited{
		{Knob: "box", Data: "d", Levels: []any{7.5, int64(10)}, Run: &trials.Liveness{Verdict: "INERT", Dead: true}},
		{Knob: "warmup", Levels: []any{1.0, 2.0, 30.0, "x"}, Run: &trials.Liveness{Verdict: "SATURATED", Groups: [][]any{{1.0, 2.0}, {30.0}, {"x"}}}}}}
	s := trials.Study{Attrs: map[string]json.RawMessage{trials.AttrAudit: trials.Attr(a), trials.AttrAllowInert: trials.Attr([]string{"box"})}}
	got, ok := s.Audit()
	if !ok || got.Context != "c" || len(s.AllowedInert()) != 1 {
		t.Fatalf("read %+v, %v, %v", got, ok, s.AllowedInert())
	}
	if _, ok := got.Row("box", ""); ok {
		t.Error("a row of another data set was found")
	}
	box, _ := got.Row("box", "d")
	warm, _ := got.Row("warmup", "")
	for _, c := range []struct {
		name       string
		have, want bool
	}{
		{"numbers by value", box.Covers([]any{int64(10), 7.5}), true},
		{"an unknown level", box.Covers([]any{7.5, 8.0}), false},
		{"dead", box.Run.Alike(7.5, 10.0), true},
		{"one group", warm.Run.Alike(int64(2), int64(1)), true},
		{"two groups", warm.Run.Alike(2.0, 30.0), false},
	} {
		if c.have != c.want {
			t.Errorf("%s: %v", c.name, c.have)
		}
	}
	if _, ok := (trials.Study{}).Audit(); ok {
		t.Error("an audit where there is none")
	}
}
