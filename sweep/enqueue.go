package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/trials"
)

// byHandPrefix begins the keys of points that a user enqueued.
const byHandPrefix = "by-hand "

// EnqueuePoint adds one point to a study by hand: the study's baseline with params over it. It returns
// the trial that is there already if the point was enqueued by hand before. ErrInvalid: the point lies
// outside the study's space; the error says what is allowed.
func EnqueuePoint(ctx context.Context, store trials.Store, study string, params trials.Params) (trials.Trial, error) {
	st, err := store.Study(ctx, study)
	if err != nil {
		return trials.Trial{}, err
	}
	spec, err := StoredSpec(st)
	if err != nil {
		return trials.Trial{}, err
	}
	point, space, err := byHand(spec, params)
	if err != nil {
		return trials.Trial{}, fmt.Errorf("enqueue point of study %q: %w", study, err)
	}
	l := newLedger(store, st.ID)
	if _, err := l.look(ctx); err != nil {
		return trials.Trial{}, err
	}
	data := ""
	if len(spec.Trainer.Data) > 0 {
		data = spec.Trainer.Data[0]
	}
	rep := 0
	if !spec.Fixed() { // a point that was tried before gets another seed
		rep = l.free(point, data)()
	}
	s := trials.Suggestion{Key: byHandPrefix + params.Key(), Space: space, Params: point}
	s.Attrs = map[string]json.RawMessage{trials.AttrArm: trials.Attr(params.Key()), trials.AttrReplicate: trials.Attr(rep),
		trials.AttrSeed: trials.Attr(design.Seed(spec.Seed, rep)), trials.AttrData: trials.Attr(data)}
	return store.Enqueue(ctx, st.ID, s)
}

// byHand completes a point and says which parameters vary at it, or why it does not belong to the study.
func byHand(spec studies.Spec, params trials.Params) (point trials.Params, space trials.Space, err error) {
	all := pointSpace(spec, nil)
	for _, name := range params.Names() {
		p, varies := all.Lookup(name)
		if _, fixed := spec.Baseline[name]; !fixed && !varies {
			return nil, nil, invalidf("it has no parameter %q, only %s", name, strings.Join(known(spec), ", "))
		}
		if varies && !p.Contains(params[name]) {
			return nil, nil, invalidf("%s cannot be %s: it must be %s", name, show(params[name]), allowed(p))
		}
	}
	point = spec.Baseline.With(params)
	for _, p := range all {
		f, _ := spec.Factor(p.Name)
		if _, has := point[p.Name]; !has && spec.Fixed() && len(f.Levels) > 0 {
			point[p.Name] = f.Levels[0] // as the design fills in its baseline
		}
	}
	for _, p := range all {
		given, asked := params[p.Name]
		_, has := point[p.Name]
		switch active := matters(p, all, point, len(all)); {
		case active && !has:
			return nil, nil, invalidf("%s has no value here: give it one, %s", p.Name, allowed(p))
		case active:
			space = append(space, p)
		case asked && !trials.SameValue(given, spec.Baseline[p.Name]):
			return nil, nil, invalidf("%s changes nothing here: it requires %s", p.Name, p.Requires.Key())
		}
	}
	return point, space, nil
}

// matters says whether what p requires holds at a complete point, and what that requires in turn. depth ends circles.
func matters(p trials.Param, space trials.Space, point trials.Params, depth int) bool {
	if !point.Meets(p.Requires) {
		return false
	}
	for name := range p.Requires {
		if q, varies := space.Lookup(name); varies && depth > 0 && !matters(q, space, point, depth-1) {
			return false
		}
	}
	return true
}

// known lists the parameters that a point may name: factors first.
func known(spec studies.Spec) []string {
	var names []string
	for _, f := range spec.Factors {
		names = append(names, f.Name)
	}
	for _, n := range spec.Baseline.Names() {
		if _, varies := spec.Factor(n); !varies {
			names = append(names, n)
		}
	}
	return names
}

// allowed says which values a parameter takes: a number from 0 to 1, or one of plain, fancy.
func allowed(p trials.Param) string {
	if p.Kind == trials.Categorical {
		var parts []string
		for _, c := range p.Choices {
			parts = append(parts, show(c))
		}
		return "one of " + strings.Join(parts, ", ")
	}
	text := "a number"
	if p.Kind == trials.Int {
		text = "a whole number"
	}
	text += " from " + trials.FormatValue(p.Low) + " to " + trials.FormatValue(p.High)
	if p.Step > 0 {
		text += " in steps of " + trials.FormatValue(p.Step)
	}
	return text
}

// show prints a value so that texts differ from what else prints like them: true and "true".
func show(v any) string {
	if s, ok := v.(string); ok {
		return strconv.Quote(s)
	}
	return trials.FormatValue(v)
}
