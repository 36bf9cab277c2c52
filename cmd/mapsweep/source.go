package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/shipped"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/telemetry"
	"github.com/mapsweep/mapsweep/trials"
)

// source is a study file as it was found, with the overrides that apply to it.
type source struct {
	text []byte
	opts studies.Options
	dir  string        // data paths are relative to it; "" for the working directory
	spec *studies.Spec // a recorded study, as it was resolved then
	log  *slog.Logger  // what trainers have to say
	out  string        // folder that studies write to

	backend string // what --backend asks for; "" if it was not given
	sketch  bool   // only lay it out: a shipped study may still lack the user's data
}

// findSource finds a study by path, by shipped name, or by the name of a recorded study. backend chooses
// among the files of a shipped study; "" is the native trainer's.
func (a *app) findSource(ctx context.Context, name, backend string, sets []string) (source, error) {
	src, err := a.lookUp(ctx, name, backend, sets)
	src.log, src.backend, src.out = slog.New(lineLog{w: a.notes}), backend, a.out
	return src, err
}

func (a *app) lookUp(ctx context.Context, name, backend string, sets []string) (source, error) {
	text, err := os.ReadFile(name)
	switch {
	case err == nil:
		return source{text: text, opts: studies.Options{File: name, Set: sets}, dir: filepath.Dir(name)}, nil
	case looksLikeFile(name):
		return source{}, usagef("read study file: %w", err)
	case !errors.Is(err, fs.ErrNotExist) && !isDir(name):
		return source{}, usagef("read study file: %w", err)
	}
	if s, err := shipped.Open(name); err == nil {
		return shippedSource(s, backend, sets)
	}
	if st, err := a.recorded(ctx, name); err == nil {
		if sweep.IsImported(st) {
			return source{}, usagef("study %q: %w; show, table and report read it", name, sweep.ErrImported)
		}
		spec, err := sweep.StoredSpec(st)
		if err != nil {
			return source{}, err
		}
		return source{text: st.File, opts: studies.Options{File: name + " (recorded)", Set: sets}, spec: &spec}, nil
	}
	return source{}, usagef("no study %q: it is no file, no recorded study in %s, and none of the shipped ones (%s)%s",
		name, a.db, strings.Join(shipped.Names(), ", "), didYouMean(name, shipped.Names()))
}

// looksLikeFile says that a name can only be meant as the path of a file.
func looksLikeFile(name string) bool {
	return strings.ContainsRune(name, filepath.Separator) || strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// shippedSource takes the file that a shipped study has for a backend.
func shippedSource(s shipped.Study, backend string, sets []string) (source, error) {
	text, err := s.For(cmp.Or(backend, studies.BackendNative))
	if err != nil {
		hint := ""
		if backend == "" {
			hint = "\nAdd --backend " + s.Backends()[0]
		}
		return source{}, usagef("%w%s", err, hint)
	}
	file := s.Name + " (shipped)"
	if backend != "" {
		file = fmt.Sprintf("%s (shipped, %s)", s.Name, backend)
	}
	return source{text: text, opts: studies.Options{File: file, Set: sets}}, nil
}

// recorded reads a study of the database, if there is one.
func (a *app) recorded(ctx context.Context, name string) (trials.Study, error) {
	store, err := readStore(ctx, a.db)
	if err != nil {
		return trials.Study{}, err
	}
	defer store.Close()
	return store.Study(ctx, name)
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// didYouMean is a hint with the nearest of some names, or "".
func didYouMean(name string, names []string) string {
	near := studies.Nearest(name, names)
	if near == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", near)
}

// load parses and validates a study, and makes its backend. Relative data paths are taken from
// the study file's folder.
func (s source) load() (studies.Spec, trainer.Backend, error) {
	none := studies.Spec{}
	spec, err := s.parse()
	if err != nil {
		return none, nil, err
	}
	if err := s.fits(spec.Trainer); err != nil {
		return none, nil, err
	}
	backend, err := newBackend(spec, s.out, s.log)
	if size := new(native.SizeError); errors.As(err, &size) {
		return none, nil, studies.Locate(studies.Faults{{Path: "trainer.image_size", Text: strconv.Itoa(size.Size), Hint: fmt.Sprintf("the nearest is %d", size.Nearest()),
			Message: fmt.Sprintf("trainer.image_size is %d: %s", size.Size, size.Takes())}}, s.text, s.opts)
	}
	if err != nil {
		return none, nil, &codeError{exitUsage, fmt.Errorf("%s: trainer: %w", s.opts.File, err)}
	}
	if c, ok := backend.(trainer.Checker); ok {
		if err := c.CheckParams(spec.Baseline, levelsOf(spec)); err != nil {
			return none, nil, usagef("%s: %w", s.opts.File, err)
		}
	}
	if d, ok := backend.(trainer.Describer); ok {
		strict := spec.Trainer.Backend != studies.BackendCommand
		if err := studies.Validate(spec, d.Knobs(), strict); err != nil {
			return none, nil, studies.Locate(err, s.text, s.opts)
		}
		spec = studies.WithKnobs(spec, d.Knobs())
	}
	if m, ok := backend.(trainer.Measurer); ok {
		reported := m.Metrics()
		if spec.Trainer.Backend != studies.BackendNative {
			reported = append(reported, telemetry.Names...)
		}
		if err := checkMetric(spec.Objective.Metric, reported); err != nil {
			return none, nil, usagef("%s: objective.metric: %w", s.opts.File, err)
		}
		for i, g := range spec.Objective.Also {
			if err := checkMetric(g.Metric, reported); err != nil {
				return none, nil, usagef("%s: objective.also[%d]: %w", s.opts.File, i, err)
			}
		}
		for i, k := range spec.Constraints {
			if err := checkMetric(k.Metric, reported); err != nil {
				return none, nil, usagef("%s: constraints[%d]: %w", s.opts.File, i, err)
			}
		}
		if by := spec.Objective.BestBy; by != "" {
			if err := checkMetric(by, m.Metrics()); err != nil {
				return none, nil, usagef("%s: objective.best_by: %w", s.opts.File, err)
			}
		}
	}
	if faults := checkSearch(spec); len(faults) > 0 {
		return none, nil, studies.Locate(faults, s.text, s.opts)
	}
	if err := checkPromotion(spec, backend); err != nil {
		return none, nil, usagef("%s: %w", s.opts.File, err)
	}
	return spec, backend, nil
}

// levelsOf lists the values that a study tries for each factor: its levels, or the ends of its range.
func levelsOf(spec studies.Spec) map[string][]any {
	all := map[string][]any{}
	factors := spec.Factors
	if spec.Tune != nil {
		factors = spec.Tuning().Factors
	}
	for _, f := range factors {
		all[f.Name] = f.Levels
		if f.Low != nil && f.High != nil {
			all[f.Name] = append(slices.Clone(f.Levels), f.Value(*f.Low), f.Value(*f.High))
		}
	}
	return all
}

// fits says whether a study is for the backend that was asked for, and has data to train on.
func (s source) fits(t studies.Trainer) error {
	if s.backend != "" && t.Backend != s.backend {
		return usagef("%s: trainer.backend is %s, not %s; --backend chooses between the files of a shipped study", s.opts.File, t.Backend, s.backend)
	}
	if !s.sketch && slices.Contains(t.Data, shipped.YourData) {
		return usagef("%s: trainer.data: the study is to run on your data; add --set trainer.data=path/to/data.yaml", s.opts.File)
	}
	return nil
}

// checkMetric says whether a trainer that reports these metrics reports that one.
func checkMetric(metric string, reported []string) error {
	base, _, err := studies.CutMetric(metric) // a part of the objects or pictures is scored by us
	if err == nil {
		metric = base
	}
	for _, r := range reported {
		if metric == r || strings.HasSuffix(r, "/") && strings.HasPrefix(metric, r) {
			return nil
		}
	}
	var known []string // without those that the trainer and the telemetry both measure
	for _, r := range reported {
		if !slices.Contains(known, r) {
			known = append(known, r)
		}
	}
	return fmt.Errorf("the trainer reports no %q%s; it reports %s", metric, didYouMean(metric, known), strings.Join(known, ", "))
}

// parse reads the study file; a recorded study is taken as it was resolved, overrides of that time included.
func (s source) parse() (studies.Spec, error) {
	if s.spec != nil {
		if len(s.opts.Set) > 0 {
			return studies.Spec{}, usagef("%s has no study file here to override; give the path of its file together with --set or --as", s.opts.File)
		}
		return *s.spec, nil
	}
	spec, err := studies.Parse(s.text, s.opts)
	if err != nil {
		return studies.Spec{}, err
	}
	s.anchor(&spec)
	return spec, nil
}

// anchor makes data paths that exist beside the study file relative to the working directory.
func (s source) anchor(spec *studies.Spec) {
	if s.dir == "" || s.dir == "." {
		return
	}
	for _, at := range []*string{&spec.Trainer.Checkout, &spec.Trainer.Python, &spec.Trainer.Model} {
		if *at == "" || filepath.IsAbs(*at) || at != &spec.Trainer.Checkout && !strings.ContainsRune(*at, filepath.Separator) {
			continue // a name without a folder is one of the checkout's models, or a program in PATH
		}
		if p := filepath.Join(s.dir, *at); pathExists(p) {
			*at = p
		}
	}
	for i, d := range spec.Trainer.Data {
		if strings.HasPrefix(d, "builtin:") || filepath.IsAbs(d) {
			continue
		}
		if p := filepath.Join(s.dir, d); pathExists(p) {
			spec.Trainer.Data[i] = p
		}
	}
}

func pathExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// addSet adds the flag --set to a command.
func addSet(c *cobra.Command, sets *[]string) {
	c.Flags().StringArrayVar(sets, "set", nil, "override a key of the study file, e.g. --set trainer.epochs=5 (repeatable)")
}

// addBackend adds the flag --backend to a command.
func addBackend(c *cobra.Command, backend *string) {
	c.Flags().StringVar(backend, "backend", "", "trainer whose file of a shipped study is taken: native or yolov9 (default native)")
}

// studyDir is where the files of a study go. Names that another program wrote into the database
// and that mapsweep would refuse are made safe, so that no file leaves the folder.
func (a *app) studyDir(name string) string {
	if studies.CheckName(name) != nil {
		name = unsafeInNames.ReplaceAllString(name, "_")
		name = "_" + strings.TrimLeft(name, ".")
	}
	return filepath.Join(a.out, name)
}

var unsafeInNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)
