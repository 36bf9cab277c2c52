package sqlite_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// usual is a suggestion with the attributes that a trial of a search has at its end.
func usual(i int) trials.Suggestion {
	s := suggestion(i)
	for p := range 6 {
		s.Params[fmt.Sprintf("x%d", p)] = float64((i*(p+7))%9973) / 9973
	}
	for name, v := range map[string]any{
		trials.AttrSaw: trials.Saw{Log: int64(i), Trials: i}, trials.AttrReplicate: 0, trials.AttrData: "builtin:digits", trials.AttrEpochs: 1,
		trials.AttrScoreEpoch: 1, trials.AttrFinal: trials.At{Epoch: 1, Value: 0.5}, trials.AttrBest: trials.At{Epoch: 1, Value: 0.5},
		trials.AttrEffective: effective(s.Params),
	} {
		s.Attrs[name] = trials.Attr(v)
	}
	return s
}

// effective is a configuration of 30 settings, as a trainer reports it.
func effective(varied trials.Params) trials.Params {
	p := varied.Clone()
	for i := range 24 {
		p[fmt.Sprintf("setting%d", i)] = float64(i) / 3
	}
	return p
}

// measureMemory fills a study, reads it with a new handle and says how many bytes of heap the handle holds for each trial.
func measureMemory(t *testing.T, n int) float64 {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	d := openDB(t, path)
	st := fill(t, d, 0)
	must(t, d.Prefill(t.Context(), st.ID, n, usual))
	must(t, d.Close())
	before := heap()
	d, err := sqlite.OpenReadOnly(t.Context(), path)
	must(t, err)
	c, err := d.Changes(t.Context(), st.ID, 0)
	must(t, err)
	if len(c.Log) != n || len(c.Log[n-1].Trial.Attrs) != 10 || len(c.Log[0].Trial.Measurements[0].Metrics) != 5 {
		t.Fatalf("%d trials, the last one %+v", len(c.Log), c.Log[n-1].Trial)
	}
	held := heap() - before
	runtime.KeepAlive(c)
	must(t, d.Close())
	size, _ := json.Marshal(c.Log[n-1].Trial)
	t.Logf("%d trials: %.0f MB of heap, %.0f bytes a trial, which is %d bytes of JSON", n, held/1e6, held/float64(n), len(size))
	return held
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// TestMemory: a trial of six parameters, five metrics at one epoch and the usual attributes may take 5,000 bytes, so
// that 100,000 fit into 500 MB. The build tag soak reads as many.
func TestMemory(t *testing.T) {
	const most = 5000
	if held := measureMemory(t, memoryTrials); held > most*memoryTrials {
		t.Errorf("%.0f bytes a trial, more than %d", held/memoryTrials, most)
	}
}
