package native_test

import (
	"context"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trials"
)

// What no trial could run is found before the first. Names and ranges are not this check's.
func TestCheckParams(t *testing.T) {
	for _, c := range []struct {
		model    string
		baseline trials.Params
		levels   map[string][]any
		want     []string
	}{
		{"gelan-n", trials.Params{"freeze": int64(9), "lr0": 0.01}, map[string][]any{"aux": {0.0, 0.25}}, nil},
		{"gelan-n", trials.Params{"freeze": int64(11)}, nil, []string{"freeze is 11: that leaves no layer"}},
		{"gelan-n", trials.Params{"freeze": int64(11), "aux": 0.25}, nil, nil}, // the auxiliary head's are left
		{"gelan-t", trials.Params{}, map[string][]any{"freeze": {int64(22), int64(23), int64(24)}}, []string{"freeze is 23", "freeze is 24"}},
		{"yolov9-t", trials.Params{"freeze": int64(29)}, map[string][]any{"aux": {0.0, 0.25}}, nil},
		{"yolov9-t", trials.Params{"freeze": int64(30)}, map[string][]any{"aux": {0.0, 0.25}}, []string{"freeze is 30"}},
		{"gelan-n", trials.Params{"freeze": "all", "nosuch": 1.0, "lr0": -1.0}, nil, nil},
	} {
		b := backend(t, func(cfg *native.Config) { cfg.Model = c.model })
		err := b.CheckParams(c.baseline, c.levels)
		if (err != nil) != (c.want != nil) {
			t.Errorf("%s, %v, %v: error %v", c.model, c.baseline, c.levels, err)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s, %v, %v: error %v without %q", c.model, c.baseline, c.levels, err, w)
			}
		}
	}
}

// One image with one pixel on the coarsest level leaves batch normalisation without a variance.
func TestPrepareFindsSingleValues(t *testing.T) {
	b := backend(t, func(cfg *native.Config) {
		cfg.Batch = 1
		cfg.Load = func(context.Context, string, dataset.Options) (*dataset.Dataset, error) {
			all := []dataset.Image{{Name: "a", W: 16, H: 16, Pix: make([]uint8, 3*16*16), Boxes: []dataset.Box{{X0: 2, Y0: 2, X1: 12, Y1: 12}}}}
			return &dataset.Dataset{Name: "one", Classes: []string{"a"}, Size: 16, Train: all, Val: all, Hash: "one"}, nil
		}
	})
	if _, err := b.Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "use a larger batch or image") {
		t.Errorf("error %v", err)
	}
}
