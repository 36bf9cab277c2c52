package native_test

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/datasettest"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trials"
)

// written puts 16 training and 4 other scenes into a YOLO folder.
func written(t *testing.T) string {
	t.Helper()
	var all []dataset.Image
	for i := range 20 {
		all = append(all, scene(i))
	}
	return datasettest.WriteYOLO(t, []string{"bright", "core"}, all[:16], all[16:])
}

// Neither loaders nor the cache change what is trained: the same metrics, to the bit.
func TestLoadersAndCacheChangeNothing(t *testing.T) {
	root := written(t)
	var want []map[string]float64
	for _, c := range []struct {
		loaders int
		cache   int64
	}{{0, 0}, {1, 0}, {3, 0}, {0, -1}, {2, 9 * side * side * 3}} {
		b := backend(t, func(cfg *native.Config) {
			cfg.Data, cfg.Load, cfg.ImageSize, cfg.Cache, cfg.Loaders = []string{root}, nil, side, c.cache, &c.loaders
		})
		all, _ := train(t, b, trainer.Job{Epochs: 3, Seed: 2, Params: trials.Params{"mixup": .3, "close_mosaic": 1}})
		got := metrics(all)
		if want == nil {
			want = got
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d loaders, cache %d: %v, want %v", c.loaders, c.cache, got, want)
		}
	}
}

// A picture that breaks while a run goes on ends it with an error that names the file; training or scored, with loaders or not.
func TestFileBreaksInTheMiddle(t *testing.T) {
	for _, c := range []struct {
		file    string
		loaders int
	}{{"images/train/03.png", 0}, {"images/train/03.png", 2}, {"images/val/17.png", 1}} {
		root := written(t)
		b := backend(t, func(cfg *native.Config) {
			cfg.Data, cfg.Load, cfg.ImageSize, cfg.Cache, cfg.Loaders = []string{root}, nil, side, -1, &c.loaders
		})
		bad := filepath.Join(root, filepath.FromSlash(c.file))
		_, err := b.Train(t.Context(), trainer.Job{Epochs: 20, Dir: t.TempDir()}, func(m trials.Measurement) {
			if m.Epoch == 1 {
				if err := os.WriteFile(bad, []byte("no picture"), 0o644); err != nil {
					t.Error(err)
				}
			}
		})
		if err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s, %d loaders: %v", c.file, c.loaders, err)
		}
	}
}

// A decoder that panics in the middle of an epoch is an error, too.
func TestLoaderPanics(t *testing.T) {
	b := backend(t, func(cfg *native.Config) {
		cfg.Load = func(ctx context.Context, ref string, opts dataset.Options) (*dataset.Dataset, error) {
			d, err := scenes(ctx, ref, opts)
			d.Train[5].Pix = nil // and no file to read them from
			return d, err
		}
	})
	if _, err := b.Train(t.Context(), trainer.Job{Epochs: 2, Dir: t.TempDir()}, func(trials.Measurement) {}); err == nil || !strings.Contains(err.Error(), "image scene-5") {
		t.Error(err)
	}
}
