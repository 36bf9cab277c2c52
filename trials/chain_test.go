package trials_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
)

// epochs are measurements of those epochs, with a value that tells who trained them.
func epochs(by float64, list ...int) []trials.Measurement {
	var ms []trials.Measurement
	for _, e := range list {
		ms = append(ms, trials.Measurement{Epoch: e, Metrics: map[string]float64{"v": by}})
	}
	return ms
}

func printed(ms []trials.Measurement) string {
	text := ""
	for _, m := range ms {
		text += fmt.Sprintf("%d:%g ", m.Epoch, m.Metrics["v"])
	}
	return text
}

func TestJoin(t *testing.T) {
	for _, c := range []struct {
		earlier, own []trials.Measurement
		want         string
	}{
		{nil, nil, ""},
		{epochs(1, 1, 2), nil, "1:1 2:1 "},
		{nil, epochs(2, 1, 2), "1:2 2:2 "},
		{epochs(1, 1, 2), epochs(2, 3, 4), "1:1 2:1 3:2 4:2 "},
		{epochs(1, 1, 2, 3), epochs(2, 2), "1:1 2:2 "}, // epoch 2 was trained anew
		{epochs(1, 1, 2), epochs(2, 1), "1:2 "},        // from the start
	} {
		if got := printed(trials.Join(c.earlier, c.own)); got != c.want {
			t.Errorf("join %s and %s: %s, want %s", printed(c.earlier), printed(c.own), got, c.want)
		}
	}
}

func TestJoined(t *testing.T) {
	link := func(n, of int, ms []trials.Measurement) trials.Trial {
		tr := trials.Trial{Number: n, Measurements: ms, Attrs: map[string]json.RawMessage{}}
		if of >= 0 {
			tr.Attrs[trials.AttrContinues] = trials.Attr(of)
		}
		return tr
	}
	ts := []trials.Trial{link(0, -1, epochs(0, 1)), link(1, -1, epochs(1, 1, 2)), link(2, 0, epochs(2, 2, 3)), link(3, 2, epochs(3, 4)),
		link(4, 4, epochs(4, 1)), link(5, 99, epochs(5, 1))} // the last two name no earlier trial
	got := trials.Joined(ts)
	for i, want := range []string{"1:0 ", "1:1 2:1 ", "1:0 2:2 3:2 ", "1:0 2:2 3:2 4:3 ", "1:4 ", "1:5 "} {
		if printed(got[i].Measurements) != want {
			t.Errorf("trial %d: %s, want %s", i, printed(got[i].Measurements), want)
		}
	}
	if printed(ts[3].Measurements) != "4:3 " {
		t.Error("Joined changed its argument")
	}
}
