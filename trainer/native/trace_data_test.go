package native_test

import (
	"context"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trials"
)

// Every augmentation knob changes the first pictures or their boxes, where what it requires is on; without that it changes nothing.
func TestTraceAugmentations(t *testing.T) {
	outlined := func(ctx context.Context, ref string, opts dataset.Options) (*dataset.Dataset, error) {
		d, err := scenes(ctx, ref, opts)
		for i := range d.Train {
			for _, b := range d.Train[i].Boxes {
				d.Train[i].Outlines = append(d.Train[i].Outlines, dataset.Outline{{b.X0, b.Y0, b.X1, b.Y0, b.X1, b.Y1, b.X0, b.Y1}})
			}
		}
		return d, err
	}
	rand, auto := trials.Params{"autoaugment": "randaugment"}, trials.Params{"autoaugment": "autoaugment"}
	plain := trials.Params{"mosaic": 0.0, "hsv": 0.0}
	cases := []struct {
		base, change, off trials.Params // off: what must be added for the change to change nothing
	}{
		{change: trials.Params{"mosaic9": .5}, off: plain},
		{change: trials.Params{"mosaic_layout": "whole"}, off: plain},
		{change: trials.Params{"copy_paste_polygons": .5}, off: plain},
		{change: trials.Params{"keep_area": .8}},
		{change: trials.Params{"degrees": 10.0}},
		{change: trials.Params{"shear": 5.0}},
		{change: trials.Params{"perspective": .001}},
		{change: trials.Params{"hsv_h": .1}, off: plain},
		{change: trials.Params{"hsv_s": .1}, off: plain},
		{change: trials.Params{"hsv_v": .1}, off: plain},
		{change: auto},
		{base: rand, change: trials.Params{"randaugment_geometry": true}, off: auto},
		{base: auto, change: trials.Params{"autoaugment_geometry": true}, off: rand},
	}
	var jobs []trainer.Job
	for _, c := range cases {
		for _, p := range []trials.Params{c.base, c.base.With(c.change), c.base.With(c.off), c.base.With(c.off).With(c.change)} {
			jobs = append(jobs, trainer.Job{Params: p, Seed: 1, Epochs: 3})
		}
	}
	all, err := backend(t, func(c *native.Config) { c.Load = outlined }).Trace(t.Context(), jobs, trainer.TraceOptions{Steps: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		got := all[4*i : 4*i+4]
		if at := first(got[0], got[1]); !strings.HasPrefix(at, "input") || got[1].Failed != "" {
			t.Errorf("%v: differs first at %q (failed %q)", c.change, at, got[1].Failed)
		}
		if at := first(got[2], got[3]); c.off != nil && at != "" {
			t.Errorf("%v with %v: differs at %q", c.change, c.off, at)
		}
	}
	if all[0].Unjudged["copy_paste_polygons"] != "" {
		t.Error("copy_paste_polygons counts as unjudged, though there are outlines")
	}
	boxed, err := backend(t, nil).Trace(t.Context(), jobs[:1], trainer.TraceOptions{Steps: 1})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(boxed[0].Unjudged["copy_paste_polygons"], "polygons") {
		t.Errorf("without outlines: %v", boxed[0].Unjudged)
	}
}
