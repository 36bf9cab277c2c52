//go:build soak

package sqlite_test

import (
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trials/storetest"
)

// TestKillSwarmFull: 16 processes, 500 trials each, and kill -9 of a random one every 100 ms.
func TestKillSwarmFull(t *testing.T) {
	killSwarm(t, storetest.Swarm{Processes: 16, Trials: 500, Every: 100 * time.Millisecond, Lost: 2 * time.Second, Seed: 6})
}
