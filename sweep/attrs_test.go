package sweep_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer/trainertest"
	"github.com/mapsweep/mapsweep/trials"
)

// between is a store in which something happens once, right after somebody has read the study.
type between struct {
	trials.Store
	happens func()
}

func (b *between) Study(ctx context.Context, name string) (trials.Study, error) {
	st, err := b.Store.Study(ctx, name)
	if do := b.happens; do != nil && err == nil {
		b.happens = nil
		do()
	}
	return st, err
}

// TestStopBesideExtension: a request to stop and an edited study file that come at the same moment both hold.
func TestStopBesideExtension(t *testing.T) {
	more := fixed()
	more.Replicates = 3
	later, err := more.JSON()
	if err != nil {
		t.Fatal(err)
	}
	stop := func(store trials.Store) {
		if err := sweep.RequestStop(t.Context(), store, "fixed"); err != nil {
			t.Error(err)
		}
	}
	extend := func(w *bench) {
		e := *w.Engine
		ctx, cancel := context.WithCancel(t.Context())
		e.Events = func(ev sweep.Event) {
			if _, ok := ev.(sweep.StudyStarted); ok {
				cancel()
			}
		}
		if _, err := e.Run(ctx, more, []byte("more")); !errors.Is(err, sweep.ErrStopped) {
			t.Errorf("extend: %v", err)
		}
	}
	for name, both := range map[string]func(*bench, *between){
		"extended while stop is asked": func(w *bench, b *between) { b.happens = func() { extend(w) }; stop(b) },
		"stop asked while extended":    func(w *bench, b *between) { b.happens = func() { stop(w.store) }; w.Store = b; extend(w) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newBench(t, &trainertest.Fake{})
			st := w.enqueued(t, fixed())
			const old = "2026-01-01T00:00:00Z" // an earlier request; and another program keeps something with the study
			err := w.store.SetStudyAttrs(t.Context(), st.ID, map[string]json.RawMessage{
				sweep.AttrStop: trials.Attr(old), "stranger": trials.Attr("stays")})
			if err != nil {
				t.Fatal(err)
			}
			both(w, &between{Store: w.store})
			if st, err = w.store.Study(t.Context(), "fixed"); err != nil {
				t.Fatal(err)
			}
			if string(st.Resolved) != string(later) || string(st.File) != "more" {
				t.Errorf("the extension is lost: file %q", st.File)
			}
			if at := st.Attrs[sweep.AttrStop]; len(at) == 0 || string(at) == string(trials.Attr(old)) {
				t.Errorf("the request to stop is lost: %s", at)
			}
			if string(st.Attrs["stranger"]) != `"stays"` {
				t.Errorf("attributes %s", st.Attrs)
			}
		})
	}
}
