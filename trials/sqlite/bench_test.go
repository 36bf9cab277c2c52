package sqlite_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// suggestion has six parameters that vary, as the measurements of other stores in docs/BENCHMARKS.md.
func suggestion(i int) trials.Suggestion {
	s := trials.Suggestion{Key: fmt.Sprintf("k%d", i), Params: trials.Params{},
		Attrs: map[string]json.RawMessage{trials.AttrSeed: trials.Attr(i)}}
	for p := range 6 {
		name := fmt.Sprintf("x%d", p)
		s.Space = append(s.Space, trials.Param{Name: name, Kind: trials.Float, High: 1})
		s.Params[name] = float64(i%97) / 97
	}
	return s
}

// life runs a trial as a search does: what is new since the last call, start, one measurement, end. Four calls, three commits.
func life(b *testing.B, d *sqlite.DB, study int64, i int, after int64) (last int64) {
	c, err := d.Changes(b.Context(), study, after)
	must(b, err)
	t, err := d.Start(b.Context(), study, "host/1/0", suggestion(i))
	must(b, err)
	must(b, d.Record(b.Context(), t.ID, trials.Measurement{Epoch: 1, At: trials.Now(), Metrics: map[string]float64{"mAP50-95": 0.5}}))
	must(b, d.Finish(b.Context(), t.ID, trials.Outcome{State: trials.Complete, Values: []float64{0.5}}))
	return c.Last
}

// BenchmarkSearch measures trials per second of a search without its sampler, on the disk of the temporary directory.
func BenchmarkSearch(b *testing.B) {
	for _, level := range []sqlite.Durability{sqlite.Full, sqlite.Normal} {
		b.Run(string(level), func(b *testing.B) {
			d, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "x.db"), sqlite.WithDurability(level))
			must(b, err)
			defer d.Close()
			commits := 0
			st := fill(b, d, 0)
			must(b, d.CountCommits(func() { commits++ }))
			i, last := 0, int64(0)
			for b.Loop() {
				last = life(b, d, st.ID, i, last)
				i++
			}
			b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "trials/s")
			b.ReportMetric(float64(commits)/float64(i), "commits/trial")
		})
	}
}

// BenchmarkEpochs measures trials of ten epochs with eight metrics each.
func BenchmarkEpochs(b *testing.B) {
	d := openDB(b, filepath.Join(b.TempDir(), "x.db"))
	defer d.Close()
	st := fill(b, d, 0)
	m := trials.Measurement{Metrics: map[string]float64{"mAP50-95": 0.5}}
	for i := range 7 {
		m.Metrics[fmt.Sprintf("metric%d", i)] = float64(i)
	}
	i := 0
	for b.Loop() {
		t, err := d.Start(b.Context(), st.ID, "w", suggestion(i))
		must(b, err)
		for e := range 10 {
			m.Epoch, m.At = e+1, trials.Now()
			must(b, d.Record(b.Context(), t.ID, m))
		}
		must(b, d.Finish(b.Context(), t.ID, trials.Outcome{State: trials.Complete, Values: []float64{0.5}}))
		i++
	}
	b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "trials/s")
}

// BenchmarkRead measures opening a study of finished trials, and then looking at it after each further trial.
func BenchmarkRead(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		path := filepath.Join(b.TempDir(), "x.db")
		d := openDB(b, path)
		st := fill(b, d, 0)
		must(b, d.Prefill(b.Context(), st.ID, n, suggestion))
		b.Run(fmt.Sprintf("%d/first", n), func(b *testing.B) {
			for b.Loop() {
				fresh := openDB(b, path)
				if all, err := fresh.Trials(b.Context(), st.ID); err != nil || len(all) != n {
					b.Fatalf("%d trials, %v", len(all), err)
				}
				must(b, fresh.Close())
			}
		})
		c, err := d.Changes(b.Context(), st.ID, 0)
		must(b, err)
		i, last := n, c.Last
		b.Run(fmt.Sprintf("%d/after each", n), func(b *testing.B) {
			for b.Loop() {
				last = life(b, d, st.ID, i, last)
				i++
			}
		})
		must(b, d.Close())
	}
}
