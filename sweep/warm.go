package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// AttrWarm is a study attribute: the studies from which its search starts, and what they had at that moment ([]Warm).
const AttrWarm = "mapsweep:warm_start"

// Warm is a study whose finished trials a sampler sees beforehand.
type Warm struct {
	Study string     `json:"study"`
	ID    int64      `json:"id"`
	Saw   trials.Saw `json:"saw"`
}

// WarmStart notes what the studies that a search starts from have now: a study keeps it from its creation on (AttrWarm).
// ErrInvalid: one of them is not there, or is scored by something else.
func WarmStart(ctx context.Context, store trials.Reader, spec studies.Spec) ([]Warm, error) {
	if spec.Search == nil {
		return nil, nil
	}
	var all []Warm
	for _, name := range spec.Search.WarmStart {
		st, err := store.Study(ctx, name)
		if err != nil {
			return nil, invalidf("search.warm_start: %v; it has to be in the same database", err)
		}
		if err := sameGoals(st, spec.Objective); err != nil {
			return nil, err
		}
		c, err := store.Changes(ctx, st.ID, 0)
		if err != nil {
			return nil, fmt.Errorf("warm start from study %q: %w", name, err)
		}
		all = append(all, Warm{name, st.ID, trials.Saw{Log: c.Last, Trials: c.Trials}})
	}
	return all, nil
}

// sameGoals refuses a study whose values would mean something else.
func sameGoals(st trials.Study, obj studies.Objective) error {
	theirs := storedGoals(st)
	if spec, err := StoredSpec(st); err == nil {
		theirs = spec.Objective.Goals()
	}
	if !slices.Equal(theirs, obj.Goals()) {
		return invalidf("search.warm_start: study %q is scored by %s, and this one by %s: leave it out", st.Name, goalWords(theirs), goalWords(obj.Goals()))
	}
	return nil
}

// storedGoals are the objectives of a study that came without a study file, as one of Optuna's.
func storedGoals(st trials.Study) []trials.Goal {
	var gs []trials.Goal
	for i, d := range st.Directions {
		g := trials.Goal{Metric: st.Objective, Direction: d}
		if i < len(st.Metrics) {
			g.Metric = st.Metrics[i]
		}
		gs = append(gs, g)
	}
	return gs
}

func goalWords(goals []trials.Goal) string {
	text := ""
	for i, g := range goals {
		if i > 0 {
			text += " and "
		}
		text += fmt.Sprintf("%s (%s)", g.Metric, strings.ToLower(string(g.Direction)))
	}
	return text
}

// warmOf reads AttrWarm.
func warmOf(st trials.Study) (all []Warm, err error) {
	if raw, ok := st.Attrs[AttrWarm]; ok {
		if err := json.Unmarshal(raw, &all); err != nil {
			return nil, fmt.Errorf("read attribute %s: %w", AttrWarm, err)
		}
	}
	return all, nil
}

// warm reads the trials of other studies that a search starts from, for the front of its log. They have numbers below 0, in the
// order in which they ended.
func (d *Driver) warm(ctx context.Context, store trials.Reader, all []Warm) error {
	var log []*trials.Trial
	for _, w := range all {
		tape, err := record(ctx, store, w.ID)
		if err != nil {
			return fmt.Errorf("warm start from study %q: %w", w.Study, err)
		}
		tape.at = w.Saw
		l := tape.ledger(w.ID)
		v, err := l.look(ctx)
		if err != nil {
			return fmt.Errorf("warm start from study %q: %w", w.Study, err)
		}
		for _, t := range v.log {
			if !l.gone[t.Number] {
				if mine := d.mapped(t); mine != nil {
					log = append(log, mine)
				}
			}
		}
	}
	for i, t := range log {
		t.Number = i - len(log)
		t.ID = int64(t.Number)
	}
	d.warmed, d.joined = log, slices.Clone(log)
	return nil
}

// mapped is a trial of another study as one of this one, or nil if it has no place in the space. What does not vary here
// is taken to be as it is here.
func (d *Driver) mapped(t *trials.Trial) *trials.Trial {
	if t.State == trials.Fail && !AgainstPoint(t) || t.State == trials.Complete && len(t.Values) != len(d.goals) {
		return nil
	}
	point := d.base.Clone()
	for _, p := range d.space {
		delete(point, p.Name)
		if v, ok := t.Params[p.Name]; ok && p.Contains(v) {
			point[p.Name] = v
		}
	}
	var space trials.Space
	params := trials.Params{}
	for _, p := range d.space {
		if !matters(p, d.space, point, len(d.space)) {
			continue
		}
		v, ok := point[p.Name]
		if !ok {
			return nil
		}
		params[p.Name] = v
		space = append(space, p)
	}
	c := &trials.Trial{State: t.State, Key: fmt.Sprintf("warm start %d/%d", t.StudyID, t.Number), Space: space, Params: d.base.With(params),
		Values: t.Values, Measurements: t.Measurements, Attrs: inherited(t.Attrs)}
	if class, ok := t.Attrs[trials.AttrClass]; ok {
		c.Attrs[trials.AttrClass] = class
	}
	if len(t.Constraints) == len(d.spec.Constraints) {
		c.Constraints = t.Constraints
	}
	return c
}
