package design_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/shipped"
)

func TestQuickstart(t *testing.T) {
	s, err := shipped.Open("quickstart")
	if err != nil {
		t.Fatal(err)
	}
	spec, err := studies.Parse(s.File, studies.Options{File: "quickstart (shipped)"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := design.Points(spec)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Points) != 25 || len(p.Arms) != 5 {
		t.Errorf("%d points in %d arms, want 25 in 5", len(p.Points), len(p.Arms))
	}
}
