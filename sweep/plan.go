package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// layOut lays out a fixed design.
func (r *run) layOut(ev *StudyStarted) error {
	if r.spec.Design == studies.DesignSearch {
		return nil
	}
	plan, err := design.Points(r.spec)
	if err != nil {
		return fmt.Errorf("plan design: %w", err)
	}
	ev.Notes, r.layout = plan.Notes, newLayout(r.spec, plan)
	if r.spec.Settle != nil {
		r.settling = &settling{asked: map[string]bool{}, told: map[string]inference.Verdict{}}
	}
	return nil
}

// enqueueDesign enqueues every point of a fixed design, or for variants that are to be settled what the study is sure to
// need now; those that are there already stay as they are.
func (r *run) enqueueDesign(ctx context.Context, ev *StudyStarted) (err error) {
	if err := r.storeAliases(ctx, r.layout.plan); err != nil {
		return err
	}
	for _, p := range r.layout.plan.Points {
		if !r.layout.planned[p.Key] {
			continue // further replicates come when a variant needs them
		}
		if err := r.enqueuePoint(ctx, p); err != nil {
			return err
		}
	}
	_, ev.Settled, err = r.advance(ctx)
	return err
}

// enqueuePoint enqueues a point of a fixed design; one that is there already stays as it is.
func (r *run) enqueuePoint(ctx context.Context, p design.Point) error {
	s := trials.Suggestion{Key: p.Key, Space: pointSpace(r.spec, p.Params), Params: p.Params, Attrs: map[string]json.RawMessage{
		trials.AttrArm:       trials.Attr(p.Arm),
		trials.AttrReplicate: trials.Attr(p.Replicate),
		trials.AttrSeed:      trials.Attr(p.Seed),
		trials.AttrData:      trials.Attr(p.Data),
	}}
	if _, err := r.Store.Enqueue(ctx, r.study.ID, s); err != nil {
		return fmt.Errorf("enqueue %s: %w", p.Key, err)
	}
	return nil
}

// storeAliases keeps with the study what its design cannot tell apart.
func (r *run) storeAliases(ctx context.Context, plan design.Plan) error {
	if plan.Resolution == "" {
		return nil
	}
	table := append([]design.Alias{}, plan.Aliases...)
	return r.Store.SetStudyAttrs(ctx, r.study.ID, map[string]json.RawMessage{trials.AttrAliases: trials.Attr(table)})
}

// pointSpace is the spec's space, with the baseline's and the point's own values among the choices.
func pointSpace(spec studies.Spec, params trials.Params) trials.Space {
	space := spec.Space().Clone()
	for i, p := range space {
		for _, values := range []trials.Params{spec.Baseline, params} {
			if v, ok := values[p.Name]; ok && p.Kind == trials.Categorical && !space[i].Contains(v) {
				space[i].Choices = append(space[i].Choices, v)
			}
		}
	}
	return space
}

// suggestionPrefix begins the keys of trials that a sampler proposed: suggestion-0007.
const suggestionPrefix = "suggestion-"

func suggestionKey(i int) string { return fmt.Sprintf("%s%04d", suggestionPrefix, i) }

// suggestionIndex reads which suggestion a trial, or the trial that it repeats or continues, came from.
func suggestionIndex(t trials.Trial) (int, bool) {
	rest, ok := strings.CutPrefix(t.Key, suggestionPrefix)
	if !ok {
		return 0, false
	}
	if end := strings.IndexAny(rest, "/#^"); end >= 0 {
		rest = rest[:end]
	}
	i, err := strconv.Atoi(rest)
	return i, err == nil
}

// Rand is the random stream of suggestion i of a study; replacement numbers fresh
// draws after an invalid point.
func Rand(seed int64, i, replacement int) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), uint64(i)|uint64(replacement)<<32))
}

// suggest asks the sampler for the next point and enqueues it, once per data set and replicate.
// It returns false if the search has all the trials that it asks for.
// Two processes that ask for the same index at once enqueue the same keys, so that one of them wins.
func (r *run) suggest(ctx context.Context) (bool, error) {
	if r.sampler == nil {
		return false, nil
	}
	ts, err := r.Store.Trials(ctx, r.study.ID)
	if err != nil {
		return false, err
	}
	next := 0
	for _, t := range ts {
		if i, ok := suggestionIndex(t); ok {
			next = max(next, i+1)
		}
	}
	if next >= r.spec.Search.Trials {
		return false, nil
	}
	s, err := r.ask(ctx, r.history(ts), next)
	if err != nil {
		return false, fmt.Errorf("suggest point %d with %s: %w", next, r.spec.Search.Sampler, err)
	}
	return true, r.enqueueSuggestion(ctx, s, next, ts)
}

// ask calls the sampler until it proposes a point that lies in the space.
func (r *run) ask(ctx context.Context, h History, i int) (trials.Suggestion, error) {
	const tries = 10
	var invalid error
	for k := range tries {
		s, err := guardedSuggest(ctx, r.sampler, h, Rand(r.spec.Seed, i, k))
		if err != nil {
			return s, err
		}
		if invalid = checkSuggestion(s); invalid == nil {
			return s, nil
		}
		r.Log.Warn("sampler proposed an invalid point, asking again", "suggestion", i, "error", invalid)
	}
	return trials.Suggestion{}, invalid
}

// guardedSuggest turns a panicking sampler into an error.
func guardedSuggest(ctx context.Context, s Sampler, h History, rng *rand.Rand) (out trials.Suggestion, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("sampler panicked: %v", p)
		}
	}()
	return s.Suggest(ctx, h, rng)
}

// checkSuggestion says whether every parameter that varies has a value that it can take.
func checkSuggestion(s trials.Suggestion) error {
	for _, p := range s.Space {
		v, ok := s.Params[p.Name]
		if !ok {
			return fmt.Errorf("%s has no value", p.Name)
		}
		if !p.Contains(v) {
			return fmt.Errorf("%s: %s: %w", p.Name, trials.FormatValue(v), trials.ErrOutOfRange)
		}
	}
	return nil
}

// enqueueSuggestion enqueues suggestion i with the fixed parameters around it, once per data set and replicate.
// What is there already stays as it is. ts are the study's trials: a sampler that proposes a point a second
// time asks for further replicates of it, so that no two trials of one configuration have the same seed.
func (r *run) enqueueSuggestion(ctx context.Context, s trials.Suggestion, i int, ts []trials.Trial) error {
	data := r.spec.Trainer.Data
	if len(data) == 0 {
		data = []string{""}
	}
	params := r.spec.Baseline.With(s.Params)
	for d, name := range data {
		free := freeReplicates(ts, params, name)
		for rep := range max(1, r.spec.Replicates) {
			one := trials.Suggestion{Key: suggestionKey(i), Space: s.Space, Params: params, Attrs: trials.CloneAttrs(s.Attrs)}
			if d > 0 {
				one.Key += "/data-" + strconv.Itoa(d)
			}
			if rep > 0 {
				one.Key += "/replicate-" + strconv.Itoa(rep)
			}
			if slices.ContainsFunc(ts, func(t trials.Trial) bool { return t.Key == one.Key }) {
				continue
			}
			n := free()
			one.Attrs[trials.AttrReplicate] = trials.Attr(n)
			one.Attrs[trials.AttrSeed] = trials.Attr(design.Seed(r.spec.Seed, n))
			one.Attrs[trials.AttrData] = trials.Attr(name)
			r.setBracket(i, one.Attrs)
			if _, err := r.Store.Enqueue(ctx, r.study.ID, one); err != nil {
				return fmt.Errorf("enqueue %s: %w", one.Key, err)
			}
		}
	}
	return nil
}

// freeReplicates counts through the replicates that a configuration has not had on a data set.
func freeReplicates(ts []trials.Trial, params trials.Params, data string) func() int {
	key, used, next := params.Key(), map[int]bool{}, 0
	for _, t := range ts {
		if t.Text(trials.AttrData) == data && t.Params.Key() == key {
			used[t.Replicate()] = true
		}
	}
	return func() int {
		for used[next] {
			next++
		}
		next++
		return next - 1
	}
}

// completeSuggestions enqueues what is missing of the suggestions made so far: the replicates that an
// edited study file added, and those that a process which died did not get to.
func (r *run) completeSuggestions(ctx context.Context) error {
	if r.sampler == nil {
		return nil
	}
	ts, err := r.Store.Trials(ctx, r.study.ID)
	if err != nil {
		return err
	}
	made := map[int]trials.Trial{}
	count := map[int]int{}
	for _, t := range ts {
		i, ok := suggestionIndex(t)
		if !ok || !t.Counts() {
			continue
		}
		if _, seen := made[i]; !seen {
			made[i] = t
		}
		count[i]++
	}
	each := max(1, r.spec.Replicates) * max(1, len(r.spec.Trainer.Data))
	for _, i := range slices.Sorted(maps.Keys(made)) {
		if count[i] >= each {
			continue
		}
		t := made[i]
		s := trials.Suggestion{Space: t.Space, Params: t.Params, Attrs: inherited(t.Attrs)}
		delete(s.Attrs, trials.AttrRetryOf)
		delete(s.Attrs, trials.AttrContinues)
		if err := r.enqueueSuggestion(ctx, s, i, ts); err != nil {
			return err
		}
		if ts, err = r.Store.Trials(ctx, r.study.ID); err != nil { // the same point may come again
			return err
		}
	}
	return nil
}

// history is what samplers and pruners see.
func (r *run) history(ts []trials.Trial) History {
	h := History{Space: r.spec.Space(), Direction: r.spec.Objective.Direction, Metric: r.spec.Objective.Metric,
		Goals: r.spec.Objective.Goals(), Fixed: r.spec.Baseline}
	for i, t := range ts {
		if t.State.Finished() {
			h.Finished = append(h.Finished, &ts[i])
		} else {
			h.Open = append(h.Open, &ts[i])
		}
	}
	return h
}
