package memory_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/memory"
	"github.com/mapsweep/mapsweep/trials/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) trials.Store { return memory.New() })
}
