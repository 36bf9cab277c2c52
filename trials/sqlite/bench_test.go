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

// BenchmarkWriter measures trials per second, each with six parameters and a value.
func BenchmarkWriter(b *testing.B) {
	b.Run("two transactions", func(b *testing.B) { // enqueue, finish
		benchmark(b, func(d *sqlite.DB, st trials.Study, t trials.Trial) error {
			return d.Finish(b.Context(), t.ID, trials.Outcome{State: trials.Complete, Values: []float64{0.5}})
		})
	})
	b.Run("whole life of ten epochs", func(b *testing.B) { // enqueue, claim, 10 records of 8 metrics, finish
		m := trials.Measurement{Metrics: map[string]float64{"mAP50-95": 0.5}}
		for i := range 7 {
			m.Metrics[fmt.Sprintf("metric%d", i)] = float64(i)
		}
		benchmark(b, func(d *sqlite.DB, st trials.Study, t trials.Trial) error {
			if _, err := d.Claim(b.Context(), st.ID, "w"); err != nil {
				return err
			}
			for e := range 10 {
				m.Epoch, m.At = e+1, trials.Now()
				if err := d.Record(b.Context(), t.ID, m); err != nil {
					return err
				}
			}
			return d.Finish(b.Context(), t.ID, trials.Outcome{State: trials.Complete, Values: []float64{0.5}})
		})
	})
}

func benchmark(b *testing.B, run func(*sqlite.DB, trials.Study, trials.Trial) error) {
	d := openDB(b, filepath.Join(b.TempDir(), "x.db"))
	defer d.Close()
	st := fill(b, d, 0)
	i := 0
	for b.Loop() {
		t, err := d.Enqueue(b.Context(), st.ID, suggestion(i))
		if err == nil {
			err = run(d, st, t)
		}
		if err != nil {
			b.Fatal(err)
		}
		i++
	}
	b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "trials/s")
}

// BenchmarkTrials measures reading a study of 1000 finished trials again, as the engine does after every trial.
func BenchmarkTrials(b *testing.B) {
	d := openDB(b, filepath.Join(b.TempDir(), "x.db"))
	defer d.Close()
	st := fill(b, d, 1000)
	for {
		t, err := d.Claim(b.Context(), st.ID, "w")
		if err != nil {
			break
		}
		must(b, d.Record(b.Context(), t.ID, trials.Measurement{Epoch: 1, Metrics: map[string]float64{"mAP50-95": 0.5, "loss/box": 1}}))
		must(b, d.Finish(b.Context(), t.ID, trials.Outcome{State: trials.Complete, Values: []float64{0.5}}))
	}
	for b.Loop() {
		if all, err := d.Trials(b.Context(), st.ID); err != nil || len(all) != 1000 {
			b.Fatalf("%d trials, %v", len(all), err)
		}
	}
}
