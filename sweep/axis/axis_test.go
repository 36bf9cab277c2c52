package axis_test

import (
	"math"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/sweep/axis"
	"github.com/mapsweep/mapsweep/trials"
)

// TestRoundTrip: the place of every value leads back to it, and the ends of the interval to the ends of the range.
func TestRoundTrip(t *testing.T) {
	for _, c := range []struct {
		p      trials.Param
		levels float64
		values []any
	}{
		{trials.Param{Kind: trials.Float, Low: -1, High: 2}, 0, []any{-1.0, 0.3, 2.0}},
		{trials.Param{Kind: trials.Float, Low: 1e-5, High: 1e-1, Log: true}, 0, []any{1e-5, 1e-3, 1e-1}},
		{trials.Param{Kind: trials.Float, Low: 0, High: 0.3, Step: 0.1}, 4, []any{0.0, 0.1, 0.2, 0.3}},
		{trials.Param{Kind: trials.Float, Low: 0.5, High: 0.5}, 1, []any{0.5}},
		{trials.Param{Kind: trials.Int, Low: 0, High: 3}, 4, []any{int64(0), int64(1), int64(2), int64(3)}},
		{trials.Param{Kind: trials.Int, Low: -2, High: 5, Step: 3}, 3, []any{int64(-2), int64(1), int64(4)}},
		{trials.Param{Kind: trials.Int, Low: 1, High: 4, Log: true}, 4, []any{int64(1), int64(2), int64(3), int64(4)}},
		{trials.Param{Kind: trials.Categorical, Choices: []any{"sgd", nil, int64(3), 2.5}}, 4, []any{"sgd", nil, int64(3), 2.5}},
	} {
		c.p.Name = "p"
		x, err := axis.New(c.p)
		if err != nil {
			t.Fatal(err)
		}
		if x.Levels() != c.levels || x.Single() != (c.levels == 1) {
			t.Errorf("%+v: %v levels, single %v; want %v", c.p, x.Levels(), x.Single(), c.levels)
		}
		for i, v := range c.values {
			u, ok := x.Unit(v)
			if w := x.Value(u); !ok || u < 0 || u > 1 || !near(v, w) {
				t.Errorf("%+v: %v is at %v (%v) and comes back as %v", c.p, v, u, ok, w)
			}
			if c.levels > 0 && !near(v, x.Level(float64(i))) {
				t.Errorf("%+v: level %d is %v, want %v", c.p, i, x.Level(float64(i)), v)
			}
		}
		if lo, hi := x.Value(-1), x.Value(2); !near(lo, c.values[0]) || !near(hi, c.values[len(c.values)-1]) {
			t.Errorf("%+v: ends are %v and %v", c.p, lo, hi)
		}
		if _, ok := x.Unit(math.NaN()); ok {
			t.Errorf("%+v takes NaN", c.p)
		}
	}
}

func near(a, b any) bool {
	x, ok := trials.Number(a)
	y, ok2 := trials.Number(b)
	return a == b || ok && ok2 && math.Abs(x-y) < 1e-9*(1+math.Abs(x))
}

// TestRefused: no axes for what is no space.
func TestRefused(t *testing.T) {
	for want, space := range map[string]trials.Space{
		"empty":    nil,
		"too wide": {{Name: "x", Kind: trials.Float, Low: -math.MaxFloat64, High: math.MaxFloat64}},
		"above":    {{Name: "x", Kind: trials.Float, Low: 2, High: 1}},
	} {
		if _, err := axis.All(space); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", space, err, want)
		}
	}
}

// TestRequiredFirst: what is required comes first, the rest as declared; circles keep their order.
func TestRequiredFirst(t *testing.T) {
	b := []any{true, false}
	xs, err := axis.All(trials.Space{
		{Name: "c", Kind: trials.Float, High: 1, Requires: trials.Params{"b": true}},
		{Name: "b", Kind: trials.Categorical, Choices: b, Requires: trials.Params{"a": true}},
		{Name: "p", Kind: trials.Categorical, Choices: b, Requires: trials.Params{"q": true}},
		{Name: "q", Kind: trials.Categorical, Choices: b, Requires: trials.Params{"p": true}},
		{Name: "a", Kind: trials.Categorical, Choices: b},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, x := range axis.RequiredFirst(xs) {
		got += x.Param.Name
	}
	if got != "abcpq" {
		t.Errorf("order %s, want abcpq", got)
	}
}
