package studies_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/studies"
)

func TestCacheBytes(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "ram": 0, "none": -1, "2GiB": 2 << 30, "1.5 MB": 1500000, "512KiB": 512 << 10, "100B": 100} {
		if got, err := (studies.Trainer{Cache: text}).CacheBytes(); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"2", "GiB", "-1GiB", "0B", "NaNGB", "1e30TB", "disk", "2 gib"} {
		if got, err := (studies.Trainer{Cache: text}).CacheBytes(); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
}
