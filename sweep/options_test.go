package sweep_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		given trials.Params
		want  []string // words of the error; none: no error
	}{
		{nil, nil},
		{trials.Params{"share": 0.5, "count": int64(3), "on": true, "mode": "b"}, nil},
		{trials.Params{"share": int64(1), "count": 3.0, "mode": nil}, nil},
		{trials.Params{"share": math.NaN()}, []string{"share", "from 0 to 1"}},
		{trials.Params{"count": 2.5}, []string{"count", "2.5", "from 1 up"}},
		{trials.Params{"on": "yes", "mode": "c"}, []string{"on: yes", "mode: c", "a, b, none"}},
		{trials.Params{"shares": 0.5}, []string{"shares", "did you mean share?", "share, count, on, mode"}},
	} {
		o := sweep.ReadOptions(c.given)
		o.Float("share", 0.25, 0, 1)
		o.Int("count", 7, 1, math.MaxInt)
		o.Bool("on", false)
		o.Choice("mode", "a", "a", "b", "none")
		err := o.Err()
		if (err != nil) != (len(c.want) > 0) || err != nil && !errors.Is(err, sweep.ErrInvalid) {
			t.Errorf("%v: %v, want %v", c.given, err, c.want)
		}
		for _, word := range c.want {
			if err != nil && !strings.Contains(err.Error(), word) {
				t.Errorf("%v: %q does not say %q", c.given, err, word)
			}
		}
	}
	o := sweep.ReadOptions(trials.Params{"share": 0.5, "count": int64(3), "on": true, "mode": nil})
	if x, n, b, m := o.Float("share", 0, 0, 1), o.Int("count", 7, 1, 9), o.Bool("on", false), o.Choice("mode", "a", "a", "none"); x != 0.5 || n != 3 || !b || m != "none" {
		t.Errorf("read %v %v %v %v", x, n, b, m)
	}
	if err := sweep.ReadOptions(trials.Params{"x": 1.0}).Err(); err == nil || !strings.Contains(err.Error(), "no options") {
		t.Errorf("an option where there are none: %v", err)
	}
}

// TestForbids: a combination is forbidden if all its values hold, those of the baseline among them.
func TestForbids(t *testing.T) {
	h := sweep.History{Space: trials.Space{{Name: "a", Kind: trials.Int, High: 3}, {Name: "b", Kind: trials.Float, High: 1}},
		Fixed:     trials.Params{"a": int64(1), "c": true},
		Forbidden: []trials.Params{{"a": int64(2), "b": 0.5}, {"a": int64(3), "c": true}}}
	for _, c := range []struct {
		at   trials.Params
		want bool
	}{
		{trials.Params{"a": int64(2), "b": 0.5}, true},
		{trials.Params{"a": int64(2), "b": 0.25}, false},
		{trials.Params{"a": int64(3), "b": 0.25}, true},
		{trials.Params{"b": 0.5}, false},
		{trials.Params{"a": int64(2)}, false},
	} {
		if got := h.Forbids(c.at); got != c.want {
			t.Errorf("%s: forbidden %v, want %v", c.at.Key(), got, c.want)
		}
	}
}
