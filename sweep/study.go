package sweep

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// Errors of opening a study.
var (
	// ErrChanged: the study file asks for something else than the stored study. See ChangedError.
	ErrChanged = errors.New("study file changed in a way that would mix results")
	// ErrDataChanged: the data set is not the one that the stored results come from.
	ErrDataChanged = errors.New("data set changed since the study began")
)

// ChangedError refuses an edited study file and holds the difference.
type ChangedError struct {
	Study   string
	Changes []studies.Change
}

// Error lists the changes that are refused, one a line.
func (e *ChangedError) Error() string {
	var b strings.Builder
	b.WriteString(ErrChanged.Error() + ":")
	for _, c := range e.Changes {
		if !c.Extends {
			b.WriteString("\n  " + c.String())
		}
	}
	return b.String()
}

// Unwrap is ErrChanged.
func (e *ChangedError) Unwrap() error { return ErrChanged }

// open checks data and devices, and creates, continues or extends the study.
func (r *run) open(ctx context.Context, file []byte) (StudyStarted, error) {
	ev := StudyStarted{Parallel: r.pool.Begin(), Most: r.pool.Size()}
	for _, g := range r.pool.GPUs() {
		ev.Devices = append(ev.Devices, g.String())
	}
	prov, err := r.provenance(ctx)
	if err != nil {
		return ev, err
	}
	resolved, err := r.spec.JSON()
	if err != nil {
		return ev, err
	}
	st, err := r.Store.Study(ctx, r.spec.Name)
	if errors.Is(err, trials.ErrNoStudy) {
		attrs, warmErr := r.registered(ctx)
		if warmErr != nil {
			return ev, warmErr
		}
		st, err = r.Store.CreateStudy(ctx, trials.Study{Name: r.spec.Name, Directions: directions(r.spec.Objective),
			Objective: r.spec.Objective.Metric, Metrics: metrics(r.spec.Objective), File: file, Resolved: resolved, Provenance: prov, Attrs: attrs})
		if err == nil {
			r.study, ev.Study = st, st
			return ev, nil
		}
		if errors.Is(err, trials.ErrStudyExists) { // another process was faster
			st, err = r.Store.Study(ctx, r.spec.Name)
		}
	}
	if err != nil {
		return ev, err
	}
	if IsImported(st) {
		return ev, fmt.Errorf("%w: %w; run the study file under another name with --as", ErrInvalid, ErrImported)
	}
	ev.Continued = true
	if ev.Extended, err = r.reopen(ctx, &st, file, resolved, prov); err != nil {
		return ev, err
	}
	if ev.Changed, err = r.continues(ctx, &st, prov); err != nil {
		return ev, err
	}
	r.study, ev.Study = st, st
	return ev, nil
}

// registered are the attributes that the study gets with its creation: Register, and what its search starts from.
func (r *run) registered(ctx context.Context) (map[string]json.RawMessage, error) {
	warm, err := WarmStart(ctx, r.Store, r.spec)
	if err != nil || len(warm) == 0 {
		return r.Register, err
	}
	attrs := trials.CloneAttrs(r.Register)
	attrs[AttrWarm] = trials.Attr(warm)
	return attrs, nil
}

// continues records and warns that a study goes on with another program or on another machine than the last time.
func (r *run) continues(ctx context.Context, st *trials.Study, prov trials.Provenance) ([]string, error) {
	changed := st.LastProvenance().Differences(prov)
	if len(changed) == 0 {
		return nil, nil
	}
	list := trials.Attr(append(st.Continuations(), trials.Continuation{At: r.Now(), Provenance: prov}))
	if err := r.Store.SetStudyAttrs(ctx, st.ID, map[string]json.RawMessage{trials.AttrProvenance: list}); err != nil {
		return nil, fmt.Errorf("record provenance: %w", err)
	}
	st.Attrs[trials.AttrProvenance] = list
	r.Log.Warn("the study goes on under other circumstances than before, which may change its results", "changed", strings.Join(changed, ", "))
	return changed, nil
}

// reopen compares a stored study with what is asked for, and stores an extension.
func (r *run) reopen(ctx context.Context, st *trials.Study, file, resolved []byte, prov trials.Provenance) ([]string, error) {
	old, err := StoredSpec(*st)
	if err != nil {
		return nil, err
	}
	if err := sameData(st.Provenance.Data, prov.Data); err != nil {
		return nil, err
	}
	again, err := old.JSON()
	if err != nil {
		return nil, err
	}
	if bytes.Equal(again, resolved) {
		return nil, nil
	}
	extends, changes := studies.Diff(old, r.spec)
	if !extends {
		return nil, &ChangedError{Study: st.Name, Changes: changes}
	}
	st.File, st.Resolved = file, resolved
	st.Provenance.Data = mergeData(st.Provenance.Data, prov.Data)
	change := *st
	change.Attrs = nil // they did not change, and a request to stop may have come since they were read
	if err := r.Store.UpdateStudy(ctx, change); err != nil {
		return nil, err
	}
	var added []string
	for _, c := range changes {
		added = append(added, c.String())
	}
	return added, nil
}

// StoredSpec decodes the resolved spec of a stored study.
func StoredSpec(st trials.Study) (studies.Spec, error) {
	if len(st.Resolved) == 0 {
		return studies.Spec{}, fmt.Errorf("read stored study %q: it was not made by mapsweep and has no study file", st.Name)
	}
	spec, err := studies.FromJSON(st.Resolved)
	if err != nil {
		return spec, fmt.Errorf("read stored study %q: %w", st.Name, err)
	}
	return spec, nil
}

// sameData compares data sets by name; new ones are welcome.
func sameData(old, now []trials.DataSource) error {
	for _, n := range now {
		i := slices.IndexFunc(old, func(o trials.DataSource) bool { return o.Name == n.Name })
		if i >= 0 && old[i].Hash != "" && n.Hash != "" && old[i].Hash != n.Hash {
			return fmt.Errorf("%w: %s had hash %.12s and now has %.12s; start a study under another name",
				ErrDataChanged, n.Name, old[i].Hash, n.Hash)
		}
	}
	return nil
}

// mergeData adds data sets that an extension brought.
func mergeData(old, now []trials.DataSource) []trials.DataSource {
	for _, n := range now {
		if !slices.ContainsFunc(old, func(o trials.DataSource) bool { return o.Name == n.Name }) {
			old = append(old, n)
		}
	}
	return old
}

// provenance asks the backend what it found, and adds program and machine.
func (r *run) provenance(ctx context.Context) (trials.Provenance, error) {
	var p trials.Provenance
	if b, ok := r.Backend.(trainer.Preparer); ok {
		var err error
		if p, err = b.Prepare(ctx); err != nil {
			return p, fmt.Errorf("prepare trainer: %w", err)
		}
	}
	p.Version, p.Commit, p.Go = r.Version, r.Commit, runtime.Version()
	p.OS, p.CPU, p.Cores = local.OS(), local.CPU(), runtime.NumCPU()
	if host, err := os.Hostname(); err == nil {
		p.Host = host
	}
	if p.Backend == "" {
		p.Backend = r.spec.Trainer.Backend
	}
	for _, g := range r.pool.GPUs() {
		p.Devices = append(p.Devices, g.String())
	}
	return p, nil
}
