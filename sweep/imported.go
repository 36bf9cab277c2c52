package sweep

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// Past is a training run that was made without mapsweep.
type Past struct {
	Path, Hash   string        // where it was found, and over what was read: the hash is its key
	Params       trials.Params // its whole configuration: what varies is found by comparison
	Epochs       int           // that were asked for
	Seed         int64
	Data         string
	Measurements []trials.Measurement // by epoch, from 1
	Diverged     string               // "": it did not
	Note         string               // what is odd about it, for people
	Artifacts    []trials.Artifact

	stored bool // known from the study only
}

// ImportOptions say what a study of past runs is.
type ImportOptions struct {
	Name       string
	From       string // kind of the runs, such as yolov9
	Objective  studies.Objective
	Trainer    studies.Trainer // what is common to all runs; data sets and epochs are filled in
	Order      []string        // names of parameters: the order of factors
	Baseline   string          // hash of the run whose configuration is the baseline; "": one is looked for
	Default    trials.Params   // the trainer's own configuration: among equals, the baseline is what is nearest to it
	Provenance trials.Provenance
}

// Imported is what an import did.
type Imported struct {
	Spec     studies.Spec
	New      int      // runs that were not there
	Known    int      // runs that were
	Complete int      // of all runs of the study
	Failed   int      // of all runs of the study
	Notes    []string // for people
}

// ErrImported: a study was made from past runs; there is nothing that could run its trials.
var ErrImported = errors.New("it was imported from past runs and cannot be run or repeated")

// IsImported says that a study was made from past runs.
func IsImported(st trials.Study) bool { _, ok := st.Attrs[trials.AttrImported]; return ok }

// ofRun is the value of trials.AttrImported of a trial.
type ofRun struct {
	From   string `json:"from"`
	Path   string `json:"path"`
	Hash   string `json:"hash"`
	Epochs int    `json:"epochs"`
}

// RunOf is the folder of the past run that a trial was made from.
func RunOf(t trials.Trial) (path string, ok bool) {
	var of ofRun
	err := json.Unmarshal(t.Attrs[trials.AttrImported], &of)
	return of.Path, err == nil
}

// Import makes a study of past runs, or adds runs to one: its trials are complete, or failed, with everything that was
// measured. A run that is there already changes nothing. What the study varies, and which design that is, is found
// from all its runs anew, so that trials may get another arm's name when runs are added.
func Import(ctx context.Context, store trials.Store, o ImportOptions, runs []Past) (Imported, error) {
	fail := func(err error) (Imported, error) {
		return Imported{}, fmt.Errorf("import into study %q: %w", o.Name, err)
	}
	st, err := store.Study(ctx, o.Name)
	isNew := errors.Is(err, trials.ErrNoStudy)
	if err != nil && !isNew {
		return fail(err)
	}
	var old []trials.Trial
	if !isNew {
		if !IsImported(st) {
			return fail(invalidf("there is a study of that name that was not imported; choose another name"))
		}
		if old, err = store.Trials(ctx, st.ID); err != nil {
			return fail(err)
		}
		spec, err := StoredSpec(st)
		if err != nil {
			return fail(err)
		}
		if !reflect.DeepEqual(spec.Objective, o.Objective) {
			return fail(invalidf("it has the objective %s at the %s epoch, not %s at the %s; choose another name", spec.Objective.Metric, spec.Objective.Epoch, o.Objective.Metric, o.Objective.Epoch))
		}
		if o.Baseline == "" {
			o.Baseline = baselineOf(st)
		}
	}
	all, out, err := joined(old, runs)
	if err != nil {
		return fail(err)
	}
	if len(all) == 0 {
		return fail(invalidf("there is no run to import"))
	}
	spec, arms, notes := layOut(o, all)
	out.Spec, out.Notes = spec, notes
	if st, err = saveImported(ctx, store, st, isNew, o, spec, len(all)); err != nil {
		return fail(err)
	}
	for i, p := range all {
		t, err := importRun(ctx, store, st.ID, o, spec, p, arms[i])
		if err != nil {
			return fail(fmt.Errorf("run %s: %w", p.Path, err))
		}
		switch t.State {
		case trials.Complete:
			out.Complete++
		case trials.Fail:
			out.Failed++
		default:
			out.Notes = append(out.Notes, fmt.Sprintf("the import of %s was cut off: import it again", p.Path))
		}
	}
	return out, nil
}

// joined lists the runs that the study has and those that are new, each once. Folders whose contents have changed
// since they were imported are refused: their old results would stay.
func joined(old []trials.Trial, runs []Past) ([]Past, Imported, error) {
	var all []Past
	var out Imported
	at := map[string]int{}
	byPath := map[string]string{}
	for _, t := range old {
		var of ofRun
		if err := json.Unmarshal(t.Attrs[trials.AttrImported], &of); err != nil {
			return nil, out, fmt.Errorf("trial %d has no record of its run: %w", t.Number, err)
		}
		p := Past{Path: of.Path, Hash: of.Hash, Params: t.Params, Epochs: of.Epochs, Seed: t.Seed(), Data: t.Text(trials.AttrData), Measurements: t.Measurements, stored: true}
		at[p.Hash], byPath[p.Path] = len(all), p.Hash
		all = append(all, p)
	}
	for _, p := range runs {
		if i, known := at[p.Hash]; known {
			if i < len(old) {
				out.Known++
				all[i] = p // as it was read now: an import that was cut off needs its measurements again
			}
			continue
		}
		if _, other := byPath[p.Path]; other {
			return nil, out, invalidf("%s has changed since it was imported: its run went on, or another one used the folder; import into a study of another name", p.Path)
		}
		at[p.Hash], byPath[p.Path] = len(all), p.Hash
		all = append(all, p)
		out.New++
	}
	return all, out, nil
}

// baselineOf is the hash of the run that an earlier import named as the baseline.
func baselineOf(st trials.Study) string {
	var of struct {
		Baseline string `json:"baseline"`
	}
	_ = json.Unmarshal(st.Attrs[trials.AttrImported], &of)
	return of.Baseline
}

// place is where a run stands in a study.
type place struct {
	arm       string
	replicate int
}

// layOut finds what varies between runs. If there is a configuration from which all others differ in one parameter,
// that is the baseline of a one-factor design. If a baseline was named, effects are against it whatever differs
// (factorial); otherwise there is no baseline (grid).
func layOut(o ImportOptions, runs []Past) (studies.Spec, []place, []string) {
	spec := studies.Spec{Name: o.Name, Objective: o.Objective, Trainer: o.Trainer, Replicates: 1,
		Description: fmt.Sprintf("Imported from past runs (%s); the study was not laid out before them.", o.From)}
	var notes []string
	for i := range runs {
		runs[i].Params = runs[i].Params.With(trials.Params{"epochs": int64(runs[i].Epochs)})
		spec.Trainer.Epochs = max(spec.Trainer.Epochs, runs[i].Epochs)
		if d := runs[i].Data; d != "" && !slices.Contains(spec.Trainer.Data, d) {
			spec.Trainer.Data = append(spec.Trainer.Data, d)
		}
	}
	factors := varying(o.Order, runs)
	base, oneFactor := baselineRun(o, runs, factors)
	spec.Baseline = runs[base].Params
	switch {
	case oneFactor:
		spec.Design = studies.DesignOneFactor
	case o.Baseline != "":
		spec.Design = studies.DesignFactorial
		notes = append(notes, "some runs differ from the baseline in several parameters: effects are of the whole change, not of one parameter")
	default:
		spec.Design = studies.DesignGrid
		notes = append(notes, "there is no configuration from which all others differ in one parameter: the table ranks configurations; name a baseline with --baseline for effects")
	}
	for _, name := range factors {
		f := studies.Factor{Name: name, Levels: []any{spec.Baseline[name]}}
		for _, p := range runs {
			if !slices.ContainsFunc(f.Levels, func(v any) bool { return trials.SameValue(v, p.Params[name]) }) {
				f.Levels = append(f.Levels, p.Params[name])
			}
		}
		spec.Factors = append(spec.Factors, f)
	}
	places, more := replicates(spec, runs)
	for _, p := range places {
		spec.Replicates = max(spec.Replicates, p.replicate+1)
	}
	return spec, places, append(notes, more...)
}

// replicates numbers the runs of an arm by their seeds. Two runs of one configuration and seed are one replicate: what
// they differ in is chance that a seed does not rule, and they say less than two seeds.
func replicates(spec studies.Spec, runs []Past) ([]place, []string) {
	var seeds []int64
	for _, p := range runs {
		seeds = append(seeds, p.Seed)
	}
	slices.Sort(seeds)
	seeds = slices.Compact(seeds)
	var notes []string
	places := make([]place, len(runs))
	first := map[string]string{}
	for i, p := range runs {
		r, _ := slices.BinarySearch(seeds, p.Seed)
		places[i] = place{arm: design.NameOf(spec, p.Params), replicate: r}
		id := fmt.Sprint(places[i].arm, "\x00", p.Data, "\x00", r)
		if other, again := first[id]; again {
			notes = append(notes, fmt.Sprintf("%s repeats %s, with the same seed %d: of the two, the table counts the one that was imported first", p.Path, other, p.Seed))
			continue
		}
		first[id] = p.Path
	}
	return places, notes
}

// varying names the parameters in which runs differ, in the order given, others after them by name.
func varying(order []string, runs []Past) []string {
	names := map[string]bool{}
	for _, p := range runs {
		for _, n := range p.Params.Names() {
			if !names[n] && slices.ContainsFunc(runs, func(q Past) bool { return !agrees(p.Params, q.Params, n) }) {
				names[n] = true
			}
		}
	}
	rank := func(n string) int {
		if i := slices.Index(order, n); i >= 0 {
			return i
		}
		return len(order)
	}
	return slices.SortedFunc(maps.Keys(names), func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
}

// agrees says that two configurations have the same value of a parameter, or neither has one.
func agrees(a, b trials.Params, name string) bool {
	x, has := a[name]
	y, had := b[name]
	return has == had && trials.SameValue(x, y)
}

// distance counts the parameters in which two configurations differ.
func distance(names []string, a, b trials.Params) int {
	n := 0
	for _, name := range names {
		if !agrees(a, b, name) {
			n++
		}
	}
	return n
}

// baselineRun chooses the run whose configuration is the baseline, and says whether all others differ from it in one
// parameter at most. Among several of that kind it is the one that is nearest to the trainer's own configuration,
// then the one that was run most often, then the first.
func baselineRun(o ImportOptions, runs []Past, factors []string) (run int, oneFactor bool) {
	single := func(i int) bool {
		return !slices.ContainsFunc(runs, func(p Past) bool { return distance(factors, runs[i].Params, p.Params) > 1 })
	}
	if i := slices.IndexFunc(runs, func(p Past) bool { return o.Baseline != "" && p.Hash == o.Baseline }); i >= 0 {
		return i, single(i)
	}
	rank := func(i int) (foreign, alike int) {
		for _, p := range runs {
			if distance(factors, runs[i].Params, p.Params) == 0 {
				alike++
			}
		}
		return distance(o.Order, runs[i].Params, o.Default), alike
	}
	best := -1
	for i := range runs {
		switch {
		case oneFactor && !single(i):
			continue
		case best >= 0 && oneFactor == single(i):
			a, n := rank(i)
			b, m := rank(best)
			if a > b || a == b && n <= m {
				continue
			}
		}
		best, oneFactor = i, single(i)
	}
	return best, oneFactor
}

// saveImported creates the study, or brings what it says up to date.
func saveImported(ctx context.Context, store trials.Store, st trials.Study, isNew bool, o ImportOptions, spec studies.Spec, runs int) (trials.Study, error) {
	resolved, err := spec.JSON()
	if err != nil {
		return st, err
	}
	prov := o.Provenance
	prov.Extra = map[string]string{"imported": fmt.Sprintf("%d past runs of %s", runs, o.From)}
	mark := map[string]json.RawMessage{trials.AttrImported: trials.Attr(map[string]string{"from": o.From, "baseline": o.Baseline})}
	file := []byte("# Imported from past runs by mapsweep import --from " + o.From + ": there was no study file.\n")
	if isNew {
		return store.CreateStudy(ctx, trials.Study{Name: o.Name, Directions: []trials.Direction{spec.Objective.Direction}, Objective: spec.Objective.Metric,
			File: file, Resolved: resolved, Provenance: prov, Attrs: mark})
	}
	if string(st.Resolved) == string(resolved) && string(st.Attrs[trials.AttrImported]) == string(mark[trials.AttrImported]) {
		return st, nil
	}
	st.Resolved, st.Provenance, st.Attrs = resolved, prov, mark
	return st, store.UpdateStudy(ctx, st)
}

// importRun records a run, or corrects the arm of one that is there.
func importRun(ctx context.Context, store trials.Store, study int64, o ImportOptions, spec studies.Spec, p Past, at place) (trials.Trial, error) {
	attrs := map[string]json.RawMessage{trials.AttrArm: trials.Attr(at.arm), trials.AttrReplicate: trials.Attr(at.replicate),
		trials.AttrSeed: trials.Attr(p.Seed), trials.AttrData: trials.Attr(p.Data),
		trials.AttrImported: trials.Attr(ofRun{o.From, p.Path, p.Hash, p.Epochs})}
	t, err := store.Enqueue(ctx, study, trials.Suggestion{Key: "imported " + p.Hash, Space: spec.Space(), Params: p.Params, Attrs: attrs})
	if err != nil {
		return t, err
	}
	if t.Arm() != at.arm || t.Replicate() != at.replicate {
		moved := map[string]json.RawMessage{trials.AttrArm: attrs[trials.AttrArm], trials.AttrReplicate: attrs[trials.AttrReplicate]}
		if err := store.SetAttrs(ctx, t.ID, moved); err != nil {
			return t, err
		}
	}
	if t.State.Finished() || p.stored { // one whose import was cut off waits for its run to be given again
		return t, nil
	}
	if err := claimOnly(ctx, store, study, t); err != nil {
		return t, err
	}
	for _, m := range p.Measurements {
		if err := store.Record(ctx, t.ID, m); err != nil {
			return t, err
		}
	}
	for _, a := range p.Artifacts {
		if err := store.Attach(ctx, t.ID, a); err != nil {
			return t, err
		}
	}
	outcome := pastOutcome(spec.Objective, p)
	t.State = outcome.State
	if err := store.Finish(ctx, t.ID, outcome); err != nil && !errors.Is(err, trials.ErrFinished) { // another import was faster
		return t, err
	}
	return t, nil
}

// claimOnly takes a waiting trial. Others that are taken on the way, of an import that was cut off, are put back.
func claimOnly(ctx context.Context, store trials.Store, study int64, want trials.Trial) error {
	if want.State == trials.Running {
		return nil
	}
	for {
		t, err := store.Claim(ctx, study, "import/"+trials.Now().Format(time.RFC3339Nano))
		if err != nil {
			if errors.Is(err, trials.ErrNoneWaiting) { // another import took it
				return nil
			}
			return err
		}
		if t.ID == want.ID {
			return nil
		}
		defer store.Requeue(ctx, t.ID, outcomeInterrupted, "its import was cut off")
	}
}

// pastOutcome judges a run as the engine judges its own.
func pastOutcome(obj studies.Objective, p Past) trials.Outcome {
	note := p.Note
	var v verdict
	switch {
	case p.Diverged != "":
		v = failed(&trainer.Failure{Class: trials.ClassDiverged, Reason: p.Diverged + ": the training script went on all the same"})
	case len(p.Measurements) == 0:
		v = failed(&trainer.Failure{Class: trials.ClassError, Reason: "it finished no epoch"})
	default:
		v = score(obj, nil, p.Measurements)
		if last := lastEpoch(p.Measurements); last < p.Epochs {
			text := fmt.Sprintf("has %d of %d epochs: it stopped early, was stopped, or was still running", last, p.Epochs)
			note = cmp.Or(note, text)
			if note != text {
				note += "; " + text
			}
		}
	}
	if note != "" {
		v.outcome.Attrs[trials.AttrNote] = trials.Attr(note)
	}
	return v.outcome
}
