package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// Replay is what came of making every suggestion of a stored search anew.
type Replay struct {
	Study       string     `json:"study"`
	Suggestions int        `json:"suggestions"` // that could be made anew
	Same        int        `json:"same"`        // of these, bit by bit
	Different   []Replayed `json:"different"`
	Left        []Replayed `json:"left"` // what could not, or was never suggested
}

// Replayed is one point.
type Replayed struct {
	Suggestion int           `json:"suggestion"` // -1: none
	Trial      int           `json:"trial"`      // the first one of it
	Stored     trials.Params `json:"stored,omitempty"`
	Again      trials.Params `json:"again,omitempty"` // of parameters that differ
	Why        string        `json:"why,omitempty"`
}

// ReplaySearch makes the suggestions of a stored search again from its study file, its seed, and what each of them is noted
// to have seen (trials.AttrSaw), and compares the parameters. samplers are by the names of study files. ErrInvalid: the study is no search.
func ReplaySearch(ctx context.Context, store trials.Reader, study string, samplers map[string]NewSampler) (Replay, error) {
	out := Replay{Study: study, Different: []Replayed{}, Left: []Replayed{}}
	st, err := store.Study(ctx, study)
	if err != nil {
		return out, err
	}
	p := &player{study: st, samplers: samplers, made: map[int]Sampler{}}
	if !IsImported(st) {
		if p.spec, err = StoredSpec(st); err != nil {
			return out, err
		}
		if p.spec.Search == nil || p.spec.Fixed() {
			return out, invalidf("replay study %q: it is a fixed design (%s): no sampler has proposed its points", study, p.spec.Design)
		}
		if err := p.open(ctx, store); err != nil {
			return out, fmt.Errorf("replay study %q: %w", study, err)
		}
	}
	if p.tape, err = record(ctx, store, st.ID); err != nil {
		return out, fmt.Errorf("replay study %q: %w", study, err)
	}
	for _, t := range p.tape.all {
		if t == nil {
			continue
		}
		r, replayed, err := p.play(ctx, t)
		if err != nil {
			return out, fmt.Errorf("replay study %q: %w", study, err)
		}
		switch {
		case replayed && len(r.Stored)+len(r.Again) == 0 && r.Why == "":
			out.Suggestions++
			out.Same++
		case replayed:
			out.Suggestions++
			out.Different = append(out.Different, r)
		case r.Why != "":
			out.Left = append(out.Left, r)
		}
	}
	return out, nil
}

// player makes suggestions again, in the order in which they were made.
type player struct {
	study    trials.Study
	spec     studies.Spec
	samplers map[string]NewSampler
	made     map[int]Sampler // by the number of trials that they were made for
	driver   *Driver
	tape     *tape
}

// open makes the driver, with what the search starts from.
func (p *player) open(ctx context.Context, store trials.Reader) error {
	sampler, err := p.sampler(p.spec.Search.Trials)
	if err != nil {
		return err
	}
	if p.driver, err = newDriver(p.study, DriverConfig{Spec: p.spec, Sampler: sampler}); err != nil {
		return err
	}
	warm, err := warmOf(p.study)
	if err != nil {
		return err
	}
	return p.driver.warm(ctx, store, warm)
}

// sampler is the study's sampler as it was made when its search was that many trials long.
func (p *player) sampler(length int) (Sampler, error) {
	if s := p.made[length]; s != nil {
		return s, nil
	}
	s, err := makeSampler(p.samplers, p.spec, length)
	if err == nil {
		p.made[length] = s
	}
	return s, err
}

// makeSampler makes the sampler of a search of that many trials.
func makeSampler(samplers map[string]NewSampler, spec studies.Spec, length int) (Sampler, error) {
	s := spec.Search
	make, ok := samplers[s.Sampler]
	if !ok {
		return nil, fmt.Errorf("no sampler %q", s.Sampler)
	}
	made, err := make(SamplerConfig{Seed: spec.Seed, Space: SearchSpace(spec), Trials: length, Goals: spec.Objective.Goals(), Options: s.SamplerOptions})
	if err != nil {
		return nil, fmt.Errorf("make sampler %s: %w", s.Sampler, err)
	}
	return made, nil
}

// play makes the suggestion again that t is the first trial of. Trials that follow from others (further replicates and data sets,
// repetitions, continuations) are passed over: not replayed, and no reason.
func (p *player) play(ctx context.Context, t *trials.Trial) (r Replayed, replayed bool, err error) {
	r = Replayed{Suggestion: -1, Trial: t.Number}
	i, ok := suggestionIndex(*t)
	switch {
	case t.Attrs[trials.AttrImported] != nil:
		r.Why = "it was imported"
		return r, false, nil
	case strings.HasPrefix(t.Key, byHandPrefix):
		r.Why = "it was enqueued by hand"
		return r, false, nil
	case !ok || p.driver == nil:
		r.Why = "another program made it"
		return r, false, nil
	case t.Key != partKey(i, 0, 0):
		return r, false, nil
	}
	r.Suggestion = i
	saw, by, why := p.noted(t)
	if why != "" {
		r.Why = why
		return r, false, nil
	}
	again, err := p.again(ctx, i, t, saw, by)
	if err != nil {
		r.Why = "it could not be made again: " + err.Error()
		return r, true, ctx.Err()
	}
	r.Stored, r.Again = differing(t.Params, p.driver.base.With(again.Params))
	return r, true, nil
}

// noted reads what a suggestion saw and who made it, or why it cannot be made again.
func (p *player) noted(t *trials.Trial) (saw trials.Saw, by trials.Proposer, why string) {
	if json.Unmarshal(t.Attrs[trials.AttrSaw], &saw) != nil {
		return saw, by, "it was made by an older version, which did not note what its sampler saw"
	}
	if at, tried := t.Integer(AttrTry); tried {
		if at < 0 || at >= int64(len(p.driver.tries)) {
			return saw, by, fmt.Sprintf("it is point %d of search.try, which has %d", at, len(p.driver.tries))
		}
		return saw, by, ""
	}
	switch err := json.Unmarshal(t.Attrs[trials.AttrSampler], &by); {
	case err != nil:
		return saw, by, "its sampler was not noted"
	case by.Name != p.spec.Search.Sampler:
		return saw, by, fmt.Sprintf("sampler %s made it, and the study has %s", by.Name, p.spec.Search.Sampler)
	case by.Version != p.driver.proposer.Version:
		return saw, by, fmt.Sprintf("version %d of sampler %s made it, and this is version %d", by.Version, by.Name, p.driver.proposer.Version)
	case saw.Log > p.tape.last.Log || saw.Trials > t.Number || saw.Trials < 0:
		return saw, by, "what it is noted to have seen cannot be"
	}
	return saw, by, ""
}

// again asks the sampler once more, with the study as it was seen then.
func (p *player) again(ctx context.Context, i int, t *trials.Trial, saw trials.Saw, by trials.Proposer) (trials.Suggestion, error) {
	if at, tried := t.Integer(AttrTry); tried {
		return p.driver.tries[at], nil
	}
	sampler, err := p.sampler(by.Trials)
	if err != nil {
		return trials.Suggestion{}, err
	}
	d := p.driver
	if was := p.tape.at; d.ledger == nil || saw.Log < was.Log || saw.Trials < was.Trials { // from the beginning
		d.ledger, d.joined = p.tape.ledger(p.study.ID), d.warmed[:len(d.warmed):len(d.warmed)]
	}
	p.tape.at = saw
	v, err := d.ledger.look(ctx)
	if err != nil {
		return trials.Suggestion{}, err
	}
	v.next = i
	return d.sample(ctx, sampler, v)
}

// differing are the parameters in which two points are not the same, bit by bit.
func differing(a, b trials.Params) (inA, inB trials.Params) {
	inA, inB = trials.Params{}, trials.Params{}
	for _, name := range a.With(b).Names() {
		x, has := a[name]
		y, had := b[name]
		if has && had && sameBits(x, y) {
			continue
		}
		if has {
			inA[name] = x
		}
		if had {
			inB[name] = y
		}
	}
	return inA, inB
}

func sameBits(x, y any) bool {
	a, isA := trials.Number(x)
	b, isB := trials.Number(y)
	if isA && isB {
		return math.Float64bits(a) == math.Float64bits(b)
	}
	return trials.SameValue(x, y)
}
