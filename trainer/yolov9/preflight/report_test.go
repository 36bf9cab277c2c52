package preflight_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/yolov9/preflight"
)

func TestFaults(t *testing.T) {
	faults := preflight.Faults{
		{Level: preflight.Error, Area: preflight.AreaData, Kind: "class-range", What: "numbers too high", Do: "mend them", Where: "a.txt:1", Count: 5000, Places: []string{"a.txt:1: class 7", "a.txt:2: class 8"}},
		{Level: preflight.Note, Area: preflight.AreaDisk, Kind: "x", What: "room", Where: "/runs", Count: 1},
	}
	want := `error: data: numbers too high (5000 times)
  at a.txt:1: class 7
  at a.txt:2: class 8
  and 4998 more
  do: mend them
note: disk: room
  at /runs
1 error, 0 warnings, 1 note
`
	var b strings.Builder
	if err := faults.Write(&b); err != nil || b.String() != want {
		t.Errorf("got\n%s\n%v, want\n%s", b.String(), err, want)
	}
	if err := faults.Err(); err == nil || err.Error() != "preflight found an error: a.txt:1: numbers too high: mend them" {
		t.Error(err)
	}
	if err := append(faults, faults[0]).Err(); err == nil || !strings.Contains(err.Error(), "found 2 errors") {
		t.Error(err)
	}
	if err := faults[1:].Err(); err != nil {
		t.Error(err)
	}
	text, err := json.Marshal(faults[1])
	if want := `{"level":"note","area":"disk","kind":"x","what":"room","where":"/runs","count":1}`; err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
}
