package studies

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// byteUnits are the units of sizes, longest first.
var byteUnits = []struct {
	name  string
	bytes float64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}}

// CacheBytes is what trainer.cache stands for: bytes, 0 for all that there is ("" and ram), -1 for none.
func (t Trainer) CacheBytes() (int64, error) {
	switch t.Cache {
	case "", "ram":
		return 0, nil
	case "none":
		return -1, nil
	}
	for _, u := range byteUnits {
		if text, ok := strings.CutSuffix(t.Cache, u.name); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if bytes := n * u.bytes; err == nil && bytes >= 1 && bytes < math.MaxInt64/2 {
				return int64(bytes), nil
			}
			break
		}
	}
	return 0, fmt.Errorf("is no amount of memory: %q", t.Cache)
}
