package trials_test

import (
	"math"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
)

// Keys tell types apart, and those of ordinary values never change: recorded studies rely on them.
func TestKey(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{int64(1), "1"}, {1.0, "1"}, {"1", `"1"`}, {0.5, "0.5"}, {"0.5", `"0.5"`}, {"1.0", "1.0"}, {true, "true"}, {"true", `"true"`},
		{"True", "True"}, {nil, "null"}, {"null", `"null"`}, {"none", "none"}, {"randaugment", "randaugment"}, {"a b", "a b"}, {"", ""}, {1e-5, "1e-05"},
		{"1e-05", `"1e-05"`}, {math.NaN(), "NaN"}, {"NaN", `"NaN"`}, {"inf", "inf"}, {`"1"`, `"\"1\""`}, {"yolov9-t.pt", "yolov9-t.pt"},
		{int64(1<<62 + 1), "4611686018427387905"}, {"4611686018427387905", `"4611686018427387905"`}, {"007", "007"},
	} {
		if got := (trials.Params{"x": c.v}).Key(); got != "x="+c.want {
			t.Errorf("%#v: %s, want x=%s", c.v, got, c.want)
		}
	}
}
