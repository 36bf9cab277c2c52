package sweep_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// withSet is a trainer that computes with a set of instructions.
type withSet struct {
	*trainertest.Fake
	set string
}

func (b withSet) Prepare(ctx context.Context) (trials.Provenance, error) {
	p, err := b.Fake.Prepare(ctx)
	p.Extra = map[string]string{trials.ExtraInstructionSet: b.set, "model": b.set} // model is the spec's business
	return p, err
}

// TestProvenanceOfContinuations: a study that goes on with another program or elsewhere says so, in the database, the event and the log.
func TestProvenanceOfContinuations(t *testing.T) {
	w := newBench(t, withSet{&trainertest.Fake{}, "avx512"})
	var log bytes.Buffer
	w.Log = slog.New(slog.NewTextHandler(&log, nil))
	for i, c := range []struct {
		version, commit, set string
		replicates           int
		changed              []string // nil: as the last time
		list                 int      // continuations in the database from then on
	}{
		{"v1", "aaa", "avx512", 1, nil, 0},
		{"v1", "aaa", "avx512", 1, nil, 0},
		{"v2", "bbb", "avx512", 1, []string{"version v1 → v2", "commit aaa → bbb"}, 1},
		{"v2", "bbb", "avx512", 2, nil, 1},
		{"v2", "bbb", "avx2", 3, []string{"instruction set avx512 → avx2"}, 2},
		{"v1", "aaa", "avx512", 3, []string{"version v2 → v1", "commit bbb → aaa", "instruction set avx2 → avx512"}, 3},
		{"v1", "", "avx512", 3, []string{"commit aaa → unknown"}, 4},
	} {
		log.Reset()
		w.events = nil
		w.Version, w.Commit, w.Backend = c.version, c.commit, withSet{&trainertest.Fake{}, c.set}
		spec := fixed()
		spec.Replicates = c.replicates
		w.run(t, spec, nil)
		st, err := w.store.Study(t.Context(), "fixed")
		if err != nil {
			t.Fatal(err)
		}
		if ev := w.events[0].(sweep.StudyStarted); !slices.Equal(ev.Changed, c.changed) {
			t.Errorf("run %d: changed %q, want %q", i, ev.Changed, c.changed)
		}
		for _, text := range c.changed {
			if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), text) {
				t.Errorf("run %d: the log does not warn of %s: %s", i, text, &log)
			}
		}
		if c.changed == nil && log.Len() > 0 {
			t.Errorf("run %d: %s", i, &log)
		}
		list := st.Continuations()
		if len(list) != c.list {
			t.Fatalf("run %d: %d continuations in the database, want %d: %s", i, len(list), c.list, st.Attrs[trials.AttrProvenance])
		}
		if st.Provenance.Version != "v1" || st.Provenance.Commit != "aaa" {
			t.Errorf("run %d: the first run's provenance became %+v", i, st.Provenance)
		}
		if c.list == 0 {
			continue
		}
		last := list[c.list-1]
		if last.Version != c.version || last.Commit != c.commit || last.Extra[trials.ExtraInstructionSet] != c.set || last.Cores < 1 || last.At.IsZero() {
			t.Errorf("run %d: last continuation %+v", i, last)
		}
	}
}
