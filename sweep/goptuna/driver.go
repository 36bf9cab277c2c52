package goptuna

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/c-bata/goptuna"

	"github.com/mapsweep/mapsweep/trials"
)

// Driver asks and tells a goptuna.Study over its exported fields, in place of goptuna's Optimize and Trial, and
// whoever uses it asks for whole points. What goptuna gets wrong there is right here: a failing sampler or a panic ends its
// trial as failed, an enqueued value that cannot be used is an error and upper ends can be, NaN is never a value,
// errors are compared with errors.Is, and a storage that cannot make a trial is not asked for ever.
// A Driver may be used from several goroutines; the trial maps of goptuna's in-memory storage are shared, so that nothing
// else should use the study at the same time.
type Driver struct {
	mu            sync.Mutex
	study         *goptuna.Study
	space         trials.Space
	distributions map[string]any
}

// Asked is a trial to run.
type Asked struct {
	ID, Number int
	Params     trials.Params
}

// NewDriver drives a study over a space that goptuna can say (see Distributions).
func NewDriver(study *goptuna.Study, space trials.Space) (*Driver, error) {
	ds, err := Distributions(space)
	if err != nil {
		return nil, err
	}
	if len(space) == 0 {
		return nil, fmt.Errorf("the search space is empty")
	}
	return &Driver{study: study, space: space, distributions: ds}, nil
}

// Ask takes the first waiting trial, or makes one, and gives it a value for every parameter.
func (d *Driver) Ask() (a Asked, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.ID, err = d.take(); err != nil {
		return a, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.end(a.ID, goptuna.TrialStateFail))
		}
	}()
	defer guard(&err)
	trial, err := d.study.Storage.GetTrial(a.ID)
	if err != nil {
		return a, fmt.Errorf("read trial: %w", err)
	}
	a.Number, a.Params = trial.Number, trials.Params{}
	internal, err := d.point(trial)
	if err != nil {
		return a, fmt.Errorf("trial %d: %w", a.Number, err)
	}
	for _, p := range d.space {
		v, ok := external(p, internal[p.Name])
		if !ok {
			return a, fmt.Errorf("trial %d: %s has no value %v", a.Number, p.Name, internal[p.Name])
		}
		if internal[p.Name], err = p.Internal(v); err == nil {
			err = d.study.Storage.SetTrialParam(a.ID, p.Name, internal[p.Name], d.distributions[p.Name])
		}
		if err != nil {
			return a, fmt.Errorf("trial %d: keep %s: %w", a.Number, p.Name, err)
		}
		a.Params[p.Name] = v
	}
	return a, nil
}

// take claims the first waiting trial or makes a new one.
func (d *Driver) take() (int, error) {
	ts, err := d.study.Storage.GetAllTrials(d.study.ID)
	if err != nil && !errors.Is(err, goptuna.ErrTrialsPartiallyDeleted) {
		return 0, fmt.Errorf("read trials: %w", err)
	}
	for _, t := range ts {
		if t.State != goptuna.TrialStateWaiting {
			continue
		}
		err := d.study.Storage.SetTrialState(t.ID, goptuna.TrialStateRunning)
		if err == nil || !errors.Is(err, goptuna.ErrTrialCannotBeUpdated) { // that one is somebody else's
			return t.ID, err
		}
	}
	id, err := d.study.Storage.CreateNewTrial(d.study.ID)
	if err != nil {
		return 0, fmt.Errorf("make a trial: %w", err)
	}
	return id, nil
}

// point is the internal value of every parameter: enqueued, the only one, drawn together, or drawn by itself.
func (d *Driver) point(trial goptuna.FrozenTrial) (map[string]float64, error) {
	at, err := d.enqueued(trial)
	if err != nil {
		return nil, err
	}
	free := map[string]any{}
	for _, p := range d.space {
		single, err := goptuna.DistributionIsSingle(d.distributions[p.Name])
		if err != nil {
			return nil, err
		}
		if _, given := at[p.Name]; given {
			continue
		}
		if single {
			at[p.Name] = p.Low
			continue
		}
		free[p.Name] = d.distributions[p.Name]
	}
	if d.study.RelativeSampler != nil && len(free) > 0 {
		drawn, err := d.study.RelativeSampler.SampleRelative(d.study, cloneFrozen(trial), free)
		if err != nil && !errors.Is(err, goptuna.ErrUnsupportedSearchSpace) {
			return nil, fmt.Errorf("sample: %w", err)
		}
		for name, v := range drawn {
			at[name] = v
		}
	}
	for _, p := range d.space {
		if _, have := at[p.Name]; have {
			continue
		}
		if at[p.Name], err = d.study.Sampler.Sample(d.study, cloneFrozen(trial), p.Name, free[p.Name]); err != nil {
			return nil, fmt.Errorf("sample %s: %w", p.Name, err)
		}
	}
	return at, nil
}

// enqueued are the values that the trial was enqueued with. All of them must be usable.
func (d *Driver) enqueued(trial goptuna.FrozenTrial) (map[string]float64, error) {
	at := map[string]float64{}
	raw, ok := trial.SystemAttrs["fixed_params"]
	if !ok {
		return at, nil
	}
	if err := json.Unmarshal([]byte(raw), &at); err != nil {
		return nil, fmt.Errorf("read enqueued values: %w", err)
	}
	for name, v := range at {
		p, known := d.space.Lookup(name)
		if !known {
			return nil, fmt.Errorf("enqueued with %s, which is no parameter of the space", name)
		}
		if _, ok := external(p, v); !ok || math.IsNaN(v) {
			return nil, fmt.Errorf("enqueued with %s = %v, which is out of its range", name, v)
		}
	}
	return at, nil
}

// Report keeps the objective at a step, from 0, and says whether the study's pruner would stop the trial there.
func (d *Driver) Report(id, step int, value float64) (stop bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer guard(&err)
	if step < 0 {
		return false, fmt.Errorf("step %d: steps count from 0", step)
	}
	if err := d.study.Storage.SetTrialIntermediateValue(id, step, value); err != nil {
		return false, fmt.Errorf("keep step %d: %w", step, err)
	}
	if d.study.Pruner == nil || !finite(value) {
		return false, nil
	}
	trial, err := d.study.Storage.GetTrial(id)
	if err != nil {
		return false, fmt.Errorf("read trial: %w", err)
	}
	return d.study.Pruner.Prune(d.study, cloneFrozen(trial))
}

// Tell ends a trial: with a value, as pruned where failed wraps goptuna.ErrTrialPruned, or else as failed. A value that is
// not finite fails. A pruned trial's value is the last finite one that was reported. It returns the state that was kept.
func (d *Driver) Tell(id int, value float64, failed error) (goptuna.TrialState, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	state := goptuna.TrialStateFail
	switch {
	case errors.Is(failed, goptuna.ErrTrialPruned):
		trial, err := d.study.Storage.GetTrial(id)
		if err != nil {
			return state, fmt.Errorf("read trial: %w", err)
		}
		state = goptuna.TrialStatePruned
		if last := lastFinite(translate(trial).Measurements); last != nil {
			if err := d.study.Storage.SetTrialValue(id, last[0]); err != nil {
				return state, fmt.Errorf("keep value: %w", err)
			}
		}
	case failed == nil && finite(value):
		if err := d.study.Storage.SetTrialValue(id, value); err != nil {
			return state, fmt.Errorf("keep value: %w", err)
		}
		state = goptuna.TrialStateComplete
	}
	return state, d.end(id, state)
}

func (d *Driver) end(id int, state goptuna.TrialState) error {
	if err := d.study.Storage.SetTrialState(id, state); err != nil {
		return fmt.Errorf("end trial as %s: %w", state, err)
	}
	return nil
}

// Run asks for one trial, runs it and tells how it ended. A panic of objective ends the trial as failed and is the error,
// as are errors that do not say pruned.
func (d *Driver) Run(objective func(Asked) (float64, error)) error {
	a, err := d.Ask()
	if err != nil {
		return err
	}
	value, failed := protected(objective, a)
	if _, err := d.Tell(a.ID, value, failed); err != nil {
		return errors.Join(failed, err)
	}
	if errors.Is(failed, goptuna.ErrTrialPruned) {
		return nil
	}
	return failed
}

func protected(objective func(Asked) (float64, error), a Asked) (v float64, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("trial %d panicked: %v", a.Number, p)
		}
	}()
	return objective(a)
}
