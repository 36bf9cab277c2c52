package native_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// first is the channel and step, from 1, in which two traces first differ; "" if they are equal.
func first(a, b trainer.Trace) string {
	for i := range a.Steps {
		for _, c := range trainer.Channels {
			if a.Steps[i].Hashes[c] != b.Steps[i].Hashes[c] {
				return fmt.Sprint(c, " ", i+1)
			}
		}
	}
	return ""
}

func TestTrace(t *testing.T) {
	base := trials.Params{"mosaic": 1.0, "clip_norm": 1e5}
	cases := []struct {
		name   string
		params trials.Params
		seed   int64
		want   string // against the base
		late   string // knob that is not judged
	}{
		{name: "the same again", want: ""},
		{name: "seed", seed: 2, want: "input 1"},
		{name: "mosaic", params: trials.Params{"mosaic": 0.0}, want: "input 1"},
		{name: "multi_scale", params: trials.Params{"multi_scale": 0.5}, want: "input 1"},
		{name: "a scale that none of these batches has", params: trials.Params{"multi_scale": 0.016}, want: "", late: "multi_scale"},
		{name: "exact colours", params: trials.Params{"hsv_mode": "hsv"}, want: "input 1"},
		{name: "least side", params: trials.Params{"keep_side": 12.0}, want: "input 1"},
		{name: "mixup", params: trials.Params{"mixup": 1.0}, want: "input 1"},
		{name: "gain", params: trials.Params{"box": 5.0}, want: "loss 1"},
		{name: "rate that rises from 0", params: trials.Params{"lr0": 0.01}, want: "lr 2"},
		{name: "weight decay", params: trials.Params{"weight_decay": 0.01}, want: "weights 2"},
		{name: "final rate", params: trials.Params{"lrf": 0.5}, want: "lr 2"},
		{name: "average", params: trials.Params{"ema": false}, want: "average 1"},
		{name: "decay of the average", params: trials.Params{"ema_tau": 10.0}, want: "average 1"},
		{name: "randaugment's magnitude without it", params: trials.Params{"randaugment_m": 20}, want: ""},
		{name: "close_mosaic", params: trials.Params{"close_mosaic": 1}, want: "", late: "close_mosaic"},
		{name: "optimiser", params: trials.Params{"optimizer": "AdamW"}, want: "weights 1"},
		{name: "Adam", params: trials.Params{"optimizer": "Adam"}, want: "weights 1"},
		{name: "LION", params: trials.Params{"optimizer": "LION"}, want: "weights 1"},
		{name: "freeze", params: trials.Params{"freeze": 1}, want: "gradient 1"},
		{name: "floor of warm-up", params: trials.Params{"warmup_floor": 100}, want: "lr 2"},
		{name: "flat-cosine", params: trials.Params{"schedule": "flat-cosine"}, want: "lr 2"},
		{name: "nominal batch", params: trials.Params{"nominal_batch": 32, "warmup_epochs": 0.25}, want: "gradient 2"},
		{name: "weight of positives", params: trials.Params{"cls_pw": 2.0}, want: "loss 1"},
		{name: "focal loss", params: trials.Params{"fl_gamma": 1.5}, want: "loss 1"},
		{name: "smoothing", params: trials.Params{"label_smoothing": 0.1}, want: "loss 1"},
		{name: "rule of the assignment", params: trials.Params{"tal_rule": "all"}, want: "loss 1"},
		{name: "points an object", params: trials.Params{"tal_topk": 3}, want: "loss 1"},
		{name: "exponent of the score", params: trials.Params{"tal_alpha": 1.0}, want: "loss 1"},
		{name: "exponent of the overlap", params: trials.Params{"tal_beta": 3.0}, want: "loss 1"},
		{name: "patience", params: trials.Params{"patience": 1}, want: "", late: "patience"},
		{name: "interval of scores", params: trials.Params{"val_interval": 2}, want: "", late: "val_interval"},
		{name: "a limit that is not reached", params: trials.Params{"clip_norm": 1e6}, want: "", late: "clip_norm"},
		{name: "a limit that is", params: trials.Params{"clip_norm": 1e-3}, want: "weights 1"},
	}
	jobs := []trainer.Job{{Params: base, Seed: 1, Epochs: 3}}
	for _, c := range cases {
		jobs = append(jobs, trainer.Job{Params: base.With(c.params), Seed: max(1, c.seed), Epochs: 3})
	}
	b := backend(t, nil)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	all, err := b.Trace(t.Context(), jobs, trainer.TraceOptions{Steps: 3})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(jobs) {
		t.Fatalf("%d traces of %d jobs", len(all), len(jobs))
	}
	for i, c := range cases {
		got := all[i+1]
		if at := first(all[0], got); at != c.want || len(got.Steps) != 3 || got.Failed != "" {
			t.Errorf("%s: differs first at %q, want %q (%d steps, failed %q)", c.name, at, c.want, len(got.Steps), got.Failed)
		}
		if other := all[0].End.Hashes[trainer.ChannelInput] != got.End.Hashes[trainer.ChannelInput]; other != strings.HasPrefix(c.want, "input") && other != (c.late == "close_mosaic") {
			t.Errorf("%s: other pictures in the last epoch: %v", c.name, other)
		}
		if c.late != "" && got.Unjudged[c.late] == "" {
			t.Errorf("%s: %s counts as judged: %v", c.name, c.late, got.Unjudged)
		}
		if len(got.Effective) != len(b.Knobs()) {
			t.Errorf("%s: effective configuration %v", c.name, got.Effective)
		}
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestTraceFails(t *testing.T) {
	b := backend(t, nil)
	all, err := b.Trace(t.Context(), []trainer.Job{{Params: trials.Params{"nosuch": 1}}, {Params: trials.Params{"lr0": 1e6, "clip_norm": 0.0, "warmup_epochs": 0.0}}, {}},
		trainer.TraceOptions{Steps: 8})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(all[0].Failed, "nosuch") || !strings.Contains(all[1].Failed, "became") || all[2].Failed != "" {
		t.Errorf("failed: %q, %q, %q", all[0].Failed, all[1].Failed, all[2].Failed)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Trace(ctx, []trainer.Job{{}}, trainer.TraceOptions{Steps: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := b.Trace(t.Context(), []trainer.Job{{Data: "elsewhere"}}, trainer.TraceOptions{Steps: 1}); !errors.Is(err, trainer.ErrNoData) {
		t.Errorf("without data: %v", err)
	}
}
