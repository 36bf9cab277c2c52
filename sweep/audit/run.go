package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// DefaultSteps and MinSteps are optimiser steps of each configuration. Fewer than two say nothing of what acts
// after the first, as rates that rise from zero do.
const (
	DefaultSteps = 3
	MinSteps     = 2
	// MinValues is how many values of a knob tell whether it is read.
	MinValues = 2
)

// ErrCannot is returned for a trainer that can neither be traced nor knows anything of its knobs.
var ErrCannot = errors.New("this trainer cannot be audited")

// Options say what to audit.
type Options struct {
	Steps    int           // of each configuration; 0: DefaultSteps
	Knobs    []string      // only these; empty: the study's factors and the seed
	All      bool          // every knob of the trainer beside the factors
	Values   int           // of each knob that the study does not vary; 0: MinValues. Five tell where it saturates
	Official bool          // also the trainer as its authors publish it
	Defaults trials.Params // of knobs, where the study's trainer block changes what the trainer describes
	Dir      string        // an empty folder for what the steps leave behind
	Threads  int
	Devices  []string
	// Progress, if not nil, is told what is about to be run.
	Progress func(what string)
}

// Run audits a study's knobs on each of its data sets. Configurations of one mode and data set go to the trainer
// in one call, and in a second one where levels collapse. The study must have passed studies.Validate.
func Run(ctx context.Context, spec studies.Spec, backend trainer.Backend, opts Options) (trials.Audit, error) {
	if opts.Steps == 0 {
		opts.Steps = DefaultSteps
	}
	if opts.Steps < MinSteps {
		return trials.Audit{}, fmt.Errorf("audit over %d steps: at least %d", opts.Steps, MinSteps)
	}
	opts.Threads = max(1, opts.Threads)
	a, steps := backend.(trainer.Auditor)
	if _, code := backend.(trainer.Reviewer); !steps && !code {
		return trials.Audit{}, fmt.Errorf("%w: backend %s runs no single steps", ErrCannot, spec.Trainer.Backend)
	}
	c := newCatalogue(spec, knobsOf(backend), opts.Defaults)
	c.values = max(MinValues, opts.Values)
	subjects, err := c.subjects(opts.Knobs, opts.All)
	if err != nil {
		return trials.Audit{}, err
	}
	out := trials.Audit{Backend: spec.Trainer.Backend, At: time.Now().UTC().Truncate(time.Second)}
	if steps {
		out.Steps = opts.Steps
	}
	seed := len(opts.Knobs) == 0 || slices.Contains(opts.Knobs, trials.AuditSeed)
	for _, data := range dataSets(spec) {
		rows := make([]trials.Audited, 0, len(subjects)+1)
		for _, s := range subjects {
			rows = append(rows, trials.Audited{Knob: s.name, Data: data, Levels: s.levels, Range: s.ranged})
		}
		if seed {
			rows = append(rows, trials.Audited{Knob: trials.AuditSeed, Data: data, Levels: []any{design.Seed(spec.Seed, 0), design.Seed(spec.Seed, 1)}})
		}
		for _, official := range modes(opts.Official) {
			p := pass{catalogue: c, subjects: subjects, seed: seed, official: official, data: data, opts: opts}
			found, notes, err := p.run(ctx, backend, a)
			if err != nil {
				return trials.Audit{}, fmt.Errorf("audit %s: %w", p.name(), err)
			}
			for i := range rows {
				if official {
					rows[i].Official = &found[i]
				} else {
					rows[i].Run = &found[i]
				}
			}
			out.Notes = append(out.Notes, notes...)
		}
		out.Rows = append(out.Rows, rows...)
	}
	return out, nil
}

func knobsOf(backend trainer.Backend) []trials.Knob {
	if d, ok := backend.(trainer.Describer); ok {
		return d.Knobs()
	}
	return nil
}

// modes are the ways to take a trainer: as its authors publish it, and as a study runs it.
func modes(official bool) []bool {
	if official {
		return []bool{true, false}
	}
	return []bool{false}
}

func dataSets(spec studies.Spec) []string {
	if len(spec.Trainer.Data) == 0 {
		return []string{""}
	}
	return spec.Trainer.Data
}

// pass is one mode on one data set.
type pass struct {
	catalogue
	subjects []subject
	seed     bool
	official bool
	data     string
	opts     Options
}

func (p pass) name() string {
	name := "the trainer as the study runs it"
	if p.official {
		name = "the trainer as published"
	}
	if len(p.spec.Trainer.Data) > 1 {
		name += ", on " + p.data
	}
	return name
}

// run judges every subject, and then the seed.
func (p pass) run(ctx context.Context, backend trainer.Backend, a trainer.Auditor) ([]trials.Liveness, []string, error) {
	found := make([]trials.Liveness, len(p.subjects), len(p.subjects)+1)
	if p.seed {
		found = append(found, trials.Liveness{})
	}
	var notes []string
	if a != nil {
		var err error
		if notes, err = p.steps(ctx, a, found); err != nil {
			return nil, nil, err
		}
	}
	review, err := p.review(ctx, backend)
	if err != nil {
		return nil, nil, err
	}
	for i := range found {
		name, inStudy := trials.AuditSeed, false
		if i < len(p.subjects) {
			name = p.subjects[i].name
			scenes := p.scenes(p.subjects[i])
			inStudy = len(scenes) > 1 && scenes[1].inStudy
		}
		if f, ok := review[name]; ok {
			found[i] = join(found[i], f, inStudy)
		} else if a == nil {
			found[i] = trials.Liveness{Verdict: string(trainer.Unjudged), Reason: "this trainer runs no single steps, and nothing is known of the knob"}
		}
	}
	return found, notes, nil
}

// steps has the trainer run all configurations, and fills in the verdicts.
func (p pass) steps(ctx context.Context, a trainer.Auditor, found []trials.Liveness) ([]string, error) {
	b := newBatch(trainer.Job{Epochs: p.spec.Trainer.Epochs, Seed: design.Seed(p.spec.Seed, 0), Threads: p.opts.Threads,
		Devices: p.opts.Devices, Data: p.data, Split: p.spec.Objective.Split, Dir: p.opts.Dir}, p.base)
	for _, s := range p.subjects {
		if s.skip != "" {
			continue
		}
		for _, sc := range p.scenes(s) {
			for _, v := range s.tried {
				b.add(sc.base.With(trials.Params{s.name: v}), b.template.Seed)
			}
		}
	}
	other := -1
	if p.seed {
		other = b.add(p.base, design.Seed(p.spec.Seed, 1))
	}
	opts := trainer.TraceOptions{Steps: p.opts.Steps, Bare: p.official}
	if err := p.trace(ctx, a, b, opts); err != nil {
		return nil, err
	}
	for i := range 2 {
		if why := b.traces[i].Failed; why != "" {
			return nil, fmt.Errorf("run the reference: %s", why)
		}
	}
	j := judge{catalogue: p.catalogue, batch: b, noise: measure(b.traces[0], b.traces[1]), echo: !p.official}
	far := map[int][]any{}
	for i, s := range p.subjects {
		collapsed := false
		found[i], collapsed = j.verdict(s)
		if collapsed && s.known {
			far[i] = beyond(s.knob, s.levels)
			for _, v := range far[i] {
				b.add(p.scenes(s)[0].base.With(trials.Params{s.name: v}), b.template.Seed)
			}
		}
		if text := j.echoed(s); text != "" && found[i].Verdict == string(trainer.Inert) {
			found[i].Reason = joinWords(found[i].Reason, text)
		}
	}
	if len(b.jobs) > len(b.traces) {
		if err := p.trace(ctx, a, b, opts); err != nil {
			return nil, err
		}
		for i, values := range far {
			j.tell(&found[i], p.subjects[i], values)
		}
	}
	if p.seed {
		found[len(p.subjects)] = j.seed(other)
	}
	return p.notes(j), nil
}

func (p pass) trace(ctx context.Context, a trainer.Auditor, b *batch, opts trainer.TraceOptions) error {
	if p.opts.Progress != nil {
		n, noun := len(b.jobs)-len(b.traces), "configurations"
		if n == 1 {
			noun = "configuration"
		}
		p.opts.Progress(fmt.Sprintf("%s: %d %s, %d steps each", p.name(), n, noun, opts.Steps))
	}
	return b.run(ctx, a, opts)
}

// notes say what holds for all verdicts of the pass.
func (p pass) notes(j judge) []string {
	if len(j.noise) == 0 {
		return nil
	}
	text := ""
	for _, c := range trainer.Channels {
		if x, ok := j.noise[c]; ok {
			text = joinWords(text, fmt.Sprintf("%s %.2g", c, x))
		}
	}
	return []string{fmt.Sprintf("%s: two equal runs differ (%s), so differences up to %d times that count as none", p.name(), text, noiseFactor)}
}

// review asks the trainer what it knows of its knobs.
func (p pass) review(ctx context.Context, backend trainer.Backend) (map[string]trainer.Finding, error) {
	r, ok := backend.(trainer.Reviewer)
	if !ok {
		return nil, nil
	}
	levels := map[string][]any{}
	for _, s := range p.subjects {
		levels[s.name] = s.levels
	}
	fs, err := r.Review(ctx, p.base.Clone(), levels, p.official)
	if err != nil {
		return nil, fmt.Errorf("review knobs: %w", err)
	}
	return reviewed(fs), nil
}

// Review is an audit without steps: what the trainer knows of the study's factors, as the study runs it. It is
// empty for a trainer that knows nothing.
func Review(ctx context.Context, spec studies.Spec, backend trainer.Backend) (trials.Audit, error) {
	out := trials.Audit{Backend: spec.Trainer.Backend, At: time.Now().UTC().Truncate(time.Second)}
	if _, ok := backend.(trainer.Reviewer); !ok {
		return out, nil
	}
	c := newCatalogue(spec, knobsOf(backend), nil)
	subjects, err := c.subjects(nil, false)
	if err != nil {
		return out, err
	}
	p := pass{catalogue: c, subjects: subjects}
	found, err := p.review(ctx, backend)
	if err != nil {
		return out, err
	}
	for _, data := range dataSets(spec) {
		for _, s := range subjects {
			f, ok := found[s.name]
			if !ok {
				continue
			}
			scenes := p.scenes(s)
			l := join(trials.Liveness{}, f, len(scenes) > 1 && scenes[1].inStudy)
			out.Rows = append(out.Rows, trials.Audited{Knob: s.name, Data: data, Levels: s.levels, Range: s.ranged, Run: &l})
		}
		if f, ok := found[trials.AuditSeed]; ok {
			l := join(trials.Liveness{}, f, false)
			out.Rows = append(out.Rows, trials.Audited{Knob: trials.AuditSeed, Data: data, Run: &l})
		}
	}
	return out, nil
}
