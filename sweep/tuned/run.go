package tuned

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// Runner runs a study with tune.
type Runner struct {
	Engine sweep.Engine    // runs the study itself; tunings get copies of it
	Tuning trainer.Backend // the study's trainer, scoring on tune.split
	// Dir is the folder of a study of that name.
	Dir func(study string) string
	// Stage, if not nil, is called before each stage and returns who gets its events, or nil.
	Stage func(Stage) func(sweep.Event)
}

// Stage is one study that runs as a part of the whole.
type Stage struct {
	Spec   studies.Spec
	Of     *trials.TuningOf // nil: the study itself
	Number int              // of a tuning, from 1
	Count  int              // of all tunings
}

// Run does what is left of the study: its variants as they are, then every tuning, then what the tunings chose. The same
// call goes on where an earlier one ended, at whatever point. The summary is the study's own, without its tunings; errors
// are those of Engine.Run, but that a tuning uses up its budget is its end and no error.
func (r Runner) Run(ctx context.Context, spec studies.Spec, file []byte) (sweep.Summary, error) {
	if spec.Tune == nil {
		return sweep.Summary{}, fmt.Errorf("run study %q: it tunes nothing", spec.Name)
	}
	begun := trials.Now()
	if err := r.endBarren(ctx, spec.Name); err != nil {
		return sweep.Summary{}, fmt.Errorf("run study %q: %w", spec.Name, err)
	}
	sum, err := r.itself(ctx, spec, file)
	if err != nil || sum.Later == 0 {
		return sum, err
	}
	study, err := r.Engine.Store.Study(ctx, spec.Name)
	if err != nil {
		return sum, err
	}
	plan, err := design.Points(spec)
	if err != nil {
		return sum, fmt.Errorf("plan design: %w", err)
	}
	children := Children(spec, plan)
	for i, c := range children {
		if err := r.stopped(ctx, spec.Name, begun); err != nil {
			return sum, fmt.Errorf("run study %q: %w before tuning %d of %s", spec.Name, err, c.Tuning, c.TuningOf.Arm)
		}
		if err := r.one(ctx, spec, study, plan, c, Stage{Spec: c.Spec, Of: &c.TuningOf, Number: i + 1, Count: len(children)}, file); err != nil {
			return sum, fmt.Errorf("run study %q: tuning %d of %s: %w", spec.Name, c.Tuning, c.TuningOf.Arm, err)
		}
	}
	return r.itself(ctx, spec, file)
}

// itself runs what is enqueued of the study.
func (r Runner) itself(ctx context.Context, spec studies.Spec, file []byte) (sweep.Summary, error) {
	e := r.Engine
	r.stage(&e, Stage{Spec: spec})
	return e.Run(ctx, spec, file)
}

func (r Runner) stage(e *sweep.Engine, s Stage) {
	if r.Stage != nil {
		e.Events = r.Stage(s)
	}
}

// stopped looks for a request to stop the study that came since it began: between two stages no engine does.
func (r Runner) stopped(ctx context.Context, name string, begun time.Time) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w at once", sweep.ErrStopped)
	}
	select {
	case <-r.Engine.Stop:
		return sweep.ErrStopped
	default:
	}
	st, err := r.Engine.Store.Study(ctx, name)
	if err != nil {
		return err
	}
	var at time.Time
	if json.Unmarshal(st.Attrs[sweep.AttrStop], &at) == nil && !at.Before(begun) {
		return sweep.ErrStopped
	}
	return nil
}

// one tunes an arm, unless it is known what that tuning chose, and enqueues what is to be trained.
func (r Runner) one(ctx context.Context, spec studies.Spec, study trials.Study, plan design.Plan, c Child, s Stage, file []byte) error {
	points := slices.DeleteFunc(design.TunedPoints(plan, spec), func(p design.TunedPoint) bool {
		return p.Tuning != c.Tuning || p.Arm != c.TuningOf.Arm || p.Data != c.Data
	})
	ts, err := r.Engine.Store.Trials(ctx, study.ID)
	if err != nil {
		return err
	}
	there := map[string]trials.Trial{}
	for _, t := range ts {
		there[t.Key] = t
	}
	missing := slices.DeleteFunc(slices.Clone(points), func(p design.TunedPoint) bool { _, ok := there[p.Key]; return ok })
	if len(missing) == 0 {
		return nil
	}
	var found result
	if first, ok := there[points[0].Key]; ok && len(missing) < len(points) { // replicates were added, or a process died in between
		found = stored(first)
	} else if found, err = r.tune(ctx, c, s, file); err != nil {
		return err
	}
	for _, p := range missing {
		if err := r.enqueue(ctx, spec, study.ID, c, p, found); err != nil {
			return err
		}
	}
	return nil
}

// result is what a tuning came to.
type result struct {
	params trials.Params // complete
	choice trials.Choice
	why    string // why nothing was chosen, or ""
}

// stored reads the result of a tuning from a trial that trains it.
func stored(t trials.Trial) result {
	found := result{params: t.Params}
	var ok bool
	if found.choice, ok = t.Choice(); !ok {
		found.why = t.Text(trials.AttrReason)
	}
	return found
}

// tune runs the search and takes its best trial.
func (r Runner) tune(ctx context.Context, c Child, s Stage, file []byte) (result, error) {
	if len(c.Spec.Factors) == 0 {
		return result{params: c.Arm.Params}, nil
	}
	e := r.Engine
	e.Backend, e.Dir, e.AfterTrial = r.Tuning, r.Dir(c.Spec.Name), nil
	e.Attrs, e.Register = nil, map[string]json.RawMessage{trials.AttrTuningOf: trials.Attr(c.TuningOf)}
	r.stage(&e, s)
	if _, err := e.Run(ctx, c.Spec, file); err != nil && !errors.Is(err, sweep.ErrBudget) {
		return result{}, err
	}
	st, err := e.Store.Study(ctx, c.Spec.Name)
	if err != nil {
		return result{}, err
	}
	ts, err := e.Store.Trials(ctx, st.ID)
	if err != nil {
		return result{}, err
	}
	best, ok := Choose(c.Spec, ts)
	if !ok {
		return result{params: c.Arm.Params, why: fmt.Sprintf("tuning %d of %s (study %s) chose nothing: %s", c.Tuning, c.TuningOf.Arm, c.Spec.Name, nothing(c.Spec, ts))}, nil
	}
	return result{params: best.Params, choice: trials.Choice{Study: c.Spec.Name, Trial: best.Number, Value: best.Values[0]}}, nil
}

// enqueue adds a trial of what a tuning chose. Where it chose nothing, the trial ends before it begins: it is planned,
// and must be accounted for.
func (r Runner) enqueue(ctx context.Context, spec studies.Spec, study int64, c Child, p design.TunedPoint, found result) error {
	s := trials.Suggestion{Key: p.Key, Params: found.params, Attrs: map[string]json.RawMessage{
		trials.AttrArm:       trials.Attr(p.Arm),
		trials.AttrReplicate: trials.Attr(p.Replicate),
		trials.AttrSeed:      trials.Attr(p.Seed),
		trials.AttrData:      trials.Attr(p.Data),
		trials.AttrTuning:    trials.Attr(p.Tuning),
	}}
	if found.why == "" {
		s.Attrs[trials.AttrTunedFrom] = trials.Attr(found.choice)
	} else {
		s.Attrs[trials.AttrReason] = trials.Attr(found.why)
	}
	s.Space = space(spec, c, found.params)
	t, err := r.Engine.Store.Enqueue(ctx, study, s)
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", p.Key, err)
	}
	if found.why == "" {
		return nil
	}
	return r.barren(ctx, t)
}

// barren ends a trial whose tuning chose nothing.
func (r Runner) barren(ctx context.Context, t trials.Trial) error {
	err := r.Engine.Store.Finish(ctx, t.ID, trials.Outcome{State: trials.Fail, Attrs: map[string]json.RawMessage{
		trials.AttrClass: trials.Attr(trials.ClassInfeasible), trials.AttrReason: trials.Attr(t.Text(trials.AttrReason))}})
	if errors.Is(err, trials.ErrFinished) {
		return nil
	}
	return err
}

// endBarren ends the trials whose tuning chose nothing that an earlier process did not get to: they must not be trained.
func (r Runner) endBarren(ctx context.Context, name string) error {
	st, err := r.Engine.Store.Study(ctx, name)
	if errors.Is(err, trials.ErrNoStudy) {
		return nil
	}
	if err != nil {
		return err
	}
	ts, err := r.Engine.Store.Trials(ctx, st.ID)
	if err != nil {
		return err
	}
	for _, t := range ts {
		_, tuned := t.Tuning()
		if _, chosen := t.Choice(); !tuned || chosen || t.State != trials.Waiting {
			continue
		}
		if err := r.barren(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// space is what varies over the study's trials: its factors, and the tuned knobs that the trial sets.
func space(spec studies.Spec, c Child, params trials.Params) trials.Space {
	var out trials.Space
	for _, f := range append(slices.Clone(spec.Factors), c.Spec.Factors...) {
		v, set := params[f.Name]
		if !set {
			continue
		}
		p := f.Param()
		p.Choices = slices.Clone(p.Choices)
		if p.Kind == trials.Categorical && !p.Contains(v) {
			p.Choices = append(p.Choices, v)
		}
		out = append(out, p)
	}
	return out
}
