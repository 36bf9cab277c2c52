package native_test

import (
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trials"
)

func TestReview(t *testing.T) {
	b := backend(t, func(c *native.Config) { c.Epochs = 6 }) // 8 steps an epoch
	for name, c := range map[string]struct {
		params trials.Params
		levels map[string][]any
		knob   string // of the finding; "": there is none
		says   string
	}{
		"other knobs":            {nil, map[string][]any{"lr0": {0.1, 0.2}}, "", ""},
		"floor below":            {nil, map[string][]any{"warmup_floor": {int64(0), int64(24)}}, "warmup_floor", "above 24 steps"},
		"floor above":            {nil, map[string][]any{"warmup_floor": {int64(0), int64(25)}}, "", ""},
		"shorter warm-up":        {trials.Params{"warmup_epochs": 1.0}, map[string][]any{"warmup_floor": {int64(0), int64(20)}}, "", ""},
		"warm-up varies":         {nil, map[string][]any{"warmup_floor": {int64(0), int64(20)}, "warmup_epochs": {3.0, 0.5}}, "", ""},
		"waits too long":         {nil, map[string][]any{"patience": {int64(0), int64(5)}}, "patience", "can wait for 4"},
		"can wait":               {nil, map[string][]any{"patience": {int64(0), int64(4)}}, "", ""},
		"metric without":         {nil, map[string][]any{"patience_metric": {"fitness", "mAP50"}}, "patience_metric", "patience only"},
		"metric with":            {trials.Params{"patience": 2}, map[string][]any{"patience_metric": {"fitness", "mAP50"}}, "", ""},
		"metric with some":       {nil, map[string][]any{"patience_metric": {"fitness", "mAP50"}, "patience": {int64(0), int64(2)}}, "", ""},
		"final rate, fixed":      {trials.Params{"schedule": "fixed"}, map[string][]any{"lrf": {0.1, 0.01}}, "lrf", "fixed"},
		"final rate, flat":       {trials.Params{"schedule": "flat-cosine"}, map[string][]any{"lrf": {0.1, 0.01}}, "", ""},
		"what cannot be run":     {trials.Params{"box": "high"}, map[string][]any{"lrf": {0.1, 0.01}}, "", ""},
		"one GPU":                {nil, map[string][]any{"sync_bn": {false, true}}, "sync_bn", "one GPU"},
		"final rate, fixed once": {trials.Params{"schedule": "fixed"}, map[string][]any{"lrf": {0.1, 0.01}, "schedule": {"fixed", "linear"}}, "", ""},
	} {
		fs, err := b.Review(t.Context(), c.params, c.levels, false)
		switch {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case c.knob == "" && len(fs) > 0:
			t.Errorf("%s: %+v", name, fs)
		case c.knob != "" && (len(fs) != 1 || fs[0].Knob != c.knob || fs[0].Verdict != trainer.Conditional || !strings.Contains(fs[0].Reason, c.says) || fs[0].Remedy == ""):
			t.Errorf("%s: %+v", name, fs)
		}
	}
}
