package main

import (
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

func TestSizeOfMatches(t *testing.T) {
	prov := trials.Provenance{Data: []trials.DataSource{{Val: 192, Test: 5000}, {Val: 64, Test: 5000}}}
	native := studies.Spec{Trainer: studies.Trainer{Backend: studies.BackendNative}}
	m := sizeOfMatches(native, prov, 50)
	if want := "matches: about 19 kB a trial, 960 kB in all; store_matches: false leaves them out"; m == nil || m.String() != want {
		t.Errorf("%v, want %s", m, want)
	}
	native.Objective.Split = "test"
	if m := sizeOfMatches(native, prov, 50); m.Trial != 750_000 || m.Study != 37_500_000 {
		t.Errorf("test split: %+v", m)
	}
	for b, want := range map[float64]string{0: "0 kB", 1540: "1.5 kB", 999_999: "1 MB", 1.03e6: "1 MB", 48e7: "480 MB"} {
		if got := byteSize(rough(b)); got != want {
			t.Errorf("%v bytes are %s, want %s", b, got, want)
		}
	}
	off := native
	off.NoMatches = true
	official := studies.Spec{Trainer: studies.Trainer{Backend: studies.BackendYOLOv9}}
	for name, spec := range map[string]studies.Spec{"not wanted": off, "without coco": official, "command": {Trainer: studies.Trainer{Backend: studies.BackendCommand}}} {
		if m := sizeOfMatches(spec, prov, 50); m != nil {
			t.Errorf("%s: %v", name, m)
		}
	}
	official.Trainer.COCO = true
	if m := sizeOfMatches(official, prov, 50); m == nil {
		t.Error("the official trainer with coco: no size")
	}
}
