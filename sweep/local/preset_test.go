package local_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/sweep/local"
)

func TestPresets(t *testing.T) {
	all := func(string) bool { return true }
	s := func(b local.Bench) local.Bench {
		if b.Model == "" {
			b.Model = "yolov9-s"
		}
		if b.Cores == 0 {
			b.Cores = 64
		}
		return b
	}
	for _, c := range []struct {
		name string
		b    local.Bench
		want string
		why  string // in some sentence
	}{
		// The article's three rows.
		{"A100 40 GB", local.Bench{GPU: "NVIDIA A100-SXM4-40GB", MiB: 40960}, "batch_size=64 workers=8", "article"},
		{"V100 32 GB", local.Bench{GPU: "Tesla V100-SXM2-32GB", MiB: 32768}, "batch_size=48 workers=6", "not the workers"},
		{"RTX 4090", local.Bench{GPU: "NVIDIA GeForce RTX 4090", MiB: 24564}, "batch_size=32 workers=4 cache=ram", "bottleneck"},
		{"4 A100", local.Bench{GPU: "NVIDIA A100-SXM4-40GB", MiB: 40960, PerTrial: 4}, "batch_size=64 workers=8 sync_bn=true", "over all 4 GPUs"},
		// Cards that the article does not have.
		{"H100", local.Bench{GPU: "NVIDIA H100 80GB HBM3", MiB: 81559}, "batch_size=64 workers=8", "rule of thumb"},
		{"A100 of another size", local.Bench{GPU: "NVIDIA A100-SXM4-80GB", MiB: 81920}, "batch_size=64 workers=8", "article"},
		{"V100 16 GB is not the article's", local.Bench{GPU: "Tesla V100-SXM2-16GB", MiB: 16384}, "batch_size=20 workers=4", "rule of thumb"},
		{"RTX 3090", local.Bench{GPU: "NVIDIA GeForce RTX 3090", MiB: 24576}, "batch_size=32 workers=4", "rule of thumb"},
		{"A4500", local.Bench{GPU: "NVIDIA RTX A4500", MiB: 20470}, "batch_size=24 workers=4", ""},
		{"T4", local.Bench{GPU: "Tesla T4", MiB: 15360}, "batch_size=20 workers=4", ""},
		{"RTX 3060", local.Bench{GPU: "NVIDIA GeForce RTX 3060", MiB: 12288}, "batch_size=12 workers=4", ""},
		{"RTX 3070", local.Bench{GPU: "NVIDIA GeForce RTX 3070", MiB: 8192}, "batch_size=8 workers=4", ""},
		{"GTX 1650", local.Bench{GPU: "NVIDIA GeForce GTX 1650", MiB: 4096}, "batch_size=4 workers=2", ""},
		// Models, pictures, cores.
		{"larger model", local.Bench{GPU: "NVIDIA A100-SXM4-40GB", MiB: 40960, Model: "yolov9-c"}, "batch_size=24 workers=8", "2.29 for yolov9-c"},
		{"by its file", local.Bench{GPU: "NVIDIA A100-SXM4-40GB", MiB: 40960, Model: "models/detect/yolov9-e.yaml"}, "batch_size=20 workers=8", "yolov9-e"},
		{"smaller model", local.Bench{GPU: "NVIDIA A100-SXM4-40GB", MiB: 40960, Model: "gelan-t"}, "batch_size=64 workers=8", ""},
		{"own model", local.Bench{GPU: "NVIDIA A100-SXM4-40GB", MiB: 40960, Model: "mine.yaml"}, "batch_size=32 workers=8", "does not know"},
		{"larger pictures", local.Bench{GPU: "NVIDIA A100-SXM4-40GB", MiB: 40960, ImageSize: 1280}, "batch_size=16 workers=8", "4.00 for pictures of 1280"},
		{"smaller pictures", local.Bench{GPU: "NVIDIA A100-SXM4-40GB", MiB: 40960, ImageSize: 320}, "batch_size=64 workers=8", ""},
		{"all at once", local.Bench{GPU: "GTX", MiB: 4096, Model: "yolov9-e", ImageSize: 1280}, "batch_size=2 workers=2", ""},
		{"three GPUs", local.Bench{GPU: "GTX", MiB: 8192, PerTrial: 3}, "batch_size=6 workers=4 sync_bn=true", ""},
		{"few cores", local.Bench{GPU: "NVIDIA A100-SXM4-40GB", MiB: 40960, Cores: 12, Trials: 4}, "batch_size=64 workers=3", "12 cores for 4 GPUs"},
		{"hardly any cores", local.Bench{GPU: "NVIDIA A100-SXM4-40GB", MiB: 40960, Cores: 2, Trials: 8}, "batch_size=64 workers=1", ""},
		{"no GPU", local.Bench{}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			why := ""
			for _, p := range local.Presets(s(c.b), all) {
				got = append(got, fmt.Sprintf("%s=%v", p.Knob, p.Value))
				why += p.Why + "\n"
				if p.Why == "" {
					t.Errorf("%s has no sentence", p.Knob)
				}
			}
			if g := strings.Join(got, " "); g != c.want {
				t.Errorf("got  %s\nwant %s", g, c.want)
			}
			if !strings.Contains(why, c.why) {
				t.Errorf("no %q in\n%s", c.why, why)
			}
		})
	}
}

// What a study names is not touched.
func TestPresetsLeaveTheStudyAlone(t *testing.T) {
	b := local.Bench{GPU: "NVIDIA GeForce RTX 4090", MiB: 24564, PerTrial: 2, Cores: 64, Model: "yolov9-s"}
	for _, p := range local.Presets(b, func(knob string) bool { return knob == "workers" }) {
		if p.Knob != "workers" {
			t.Errorf("%s was not open", p.Knob)
		}
	}
	if len(local.Presets(b, func(string) bool { return true })) != 4 {
		t.Error("not all four knobs")
	}
}
