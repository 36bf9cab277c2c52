package preflight_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/yolov9/preflight"
)

// TestEstimate compares with files that the official code wrote: 23.0 MB for an unfinished checkpoint of yolov9-t with
// SGD and 32 MB for gelan-t with AdamW, both with 3 classes.
func TestEstimate(t *testing.T) {
	for _, tt := range []struct {
		name, optimizer string
		params          int
		want            float64 // MB
	}{{"yolov9-t", "SGD", 2_660_066, 23.0}, {"gelan-t", "AdamW", 1_913_833, 32}} {
		n := preflight.Estimate(preflight.Summary{}, preflight.RoomOptions{Model: preflight.Model{Name: tt.name, Params: tt.params}, Optimizer: tt.optimizer})
		if got := float64(n.CheckpointBytes) / 1e6; got < .95*tt.want || got > 1.1*tt.want {
			t.Errorf("%s: %.1f MB, want about %.1f", tt.name, got, tt.want)
		}
	}
	t9 := preflight.Model{Name: "yolov9-t", Kind: preflight.Dual, Params: 3_717_680}
	sum := preflight.Summary{Splits: map[string]preflight.Split{preflight.Train: {RAM: 100, Raw: 1000}, preflight.Val: {RAM: 10, Raw: 70}}}
	one := preflight.Estimate(sum, preflight.RoomOptions{Model: t9, Kept: 10})
	many := preflight.Estimate(sum, preflight.RoomOptions{Model: t9, Kept: 20})
	if grown := many.RunBytes - one.RunBytes; grown != 10*(2*one.StrippedBytes+4<<20) {
		t.Errorf("10 more trials write %d bytes", grown)
	}
	single := t9
	single.Kind = preflight.Single // train.py leaves whole checkpoints
	if got := preflight.Estimate(sum, preflight.RoomOptions{Model: single, Kept: 10}).RunBytes - one.RunBytes; got != 20*one.CheckpointBytes {
		t.Errorf("train.py writes %d bytes more", got)
	}
	for cache, want := range map[string][2]int64{"": {0, 0}, "ram": {110, 0}, "disk": {0, 1070}} {
		n := preflight.Estimate(sum, preflight.RoomOptions{Model: t9, Cache: cache})
		if n.CacheRAMBytes != want[0] || n.CacheDiskBytes != want[1] {
			t.Errorf("cache %q: %+v", cache, n)
		}
	}
	small := preflight.Estimate(sum, preflight.RoomOptions{Model: t9, Batch: 8}).GPUBytes
	big := preflight.Estimate(sum, preflight.RoomOptions{Model: t9, Batch: 16}).GPUBytes
	if shared := preflight.Estimate(sum, preflight.RoomOptions{Model: t9, Batch: 16, GPUs: 2}).GPUBytes; shared != small || big <= small {
		t.Errorf("batch 8: %d, 16: %d, 16 on two GPUs: %d", small, big, shared)
	}
	if n := preflight.Estimate(sum, preflight.RoomOptions{Model: preflight.Model{Name: "mine"}, Kept: 5}); n.RunBytes != 0 || n.GPUBytes != 0 {
		t.Errorf("an unknown model: %+v", n)
	}
}

func TestRoom(t *testing.T) {
	dir := t.TempDir()
	model := preflight.Model{Name: "yolov9-c", Kind: preflight.Dual, Params: 51_182_080}
	const huge = 1 << 60
	sum := preflight.Summary{Splits: map[string]preflight.Split{preflight.Train: {RAM: huge / 4, Raw: huge}}}
	gpus := []preflight.Device{{Name: "A100", Memory: 40 << 30}, {Name: "old", Memory: 8 << 30}}
	tests := []struct {
		name  string
		sum   preflight.Summary
		opts  preflight.RoomOptions
		gpus  []preflight.Device
		kinds string
	}{
		{name: "fits", opts: preflight.RoomOptions{Model: model, Kept: 1, Out: filepath.Join(dir, "not/yet/there")}},
		{name: "too many trials", opts: preflight.RoomOptions{Model: model, Kept: 1 << 30, Out: dir}, kinds: "disk-full"},
		{name: "cache on the same disk", sum: sum, opts: preflight.RoomOptions{Model: model, Kept: 1, Out: dir, Data: dir, Cache: "disk"}, kinds: "disk-full"},
		{name: "cache on its own", sum: sum, opts: preflight.RoomOptions{Model: model, Data: dir, Cache: "disk"}, kinds: "cache-disk-full"},
		{name: "cache in memory", sum: sum, opts: preflight.RoomOptions{Model: model, Cache: "ram", Parallel: 2}, kinds: "cache-ram"},
		{name: "no cache", sum: sum, opts: preflight.RoomOptions{Model: model}},
		{name: "GPU too small", opts: preflight.RoomOptions{Model: model, Batch: 16}, gpus: gpus, kinds: "gpu-memory"},
		{name: "GPU large enough", opts: preflight.RoomOptions{Model: model, Batch: 16}, gpus: gpus[:1]},
		{name: "too few GPUs", opts: preflight.RoomOptions{Model: model, Batch: 16, GPUs: 2}, gpus: gpus[:1], kinds: "gpu-count"},
		{name: "busy GPU", opts: preflight.RoomOptions{Model: model}, gpus: []preflight.Device{{Name: "A100", Memory: 40 << 30, Free: 10 << 30}}, kinds: "gpu-busy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			need, faults := preflight.Room(tt.sum, tt.opts, tt.gpus)
			if got := kinds(faults); got != tt.kinds {
				t.Errorf("%q, want %q: %v", got, tt.kinds, faults)
			}
			if tt.opts.Out != "" && need.FreeBytes == 0 {
				t.Error("no free space")
			}
		})
	}
	_, faults := preflight.Room(preflight.Summary{}, preflight.RoomOptions{Model: model, Batch: 16}, gpus)
	if f := faults[0]; f.Where != "cuda:1" || f.Level != preflight.Warning || !strings.Contains(f.What, "rule of thumb") {
		t.Errorf("%v", f)
	}
}

func TestBatches(t *testing.T) {
	for _, tt := range []struct{ images, batch, gpus, want int }{
		{100, 16, 1, 7}, {96, 16, 1, 6}, {5, 16, 1, 1}, {1, 1, 1, 1}, {0, 16, 1, 0}, {100, 16, 2, 7}, {101, 16, 2, 7}, {100, 16, 0, 7}, {2500, 64, 1, 40},
	} {
		if got := preflight.Batches(tt.images, tt.batch, tt.gpus); got != tt.want {
			t.Errorf("%d images in batches of %d on %d GPUs: %d, want %d", tt.images, tt.batch, tt.gpus, got, tt.want)
		}
	}
}
