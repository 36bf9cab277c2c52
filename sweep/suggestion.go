package sweep

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/trials"
)

// suggestionPrefix begins the keys of trials that a sampler proposed: suggestion-0007.
const suggestionPrefix = "suggestion-"

// partKey is the key of a trial of suggestion i: suggestion-0007/data-1/replicate-2, numbers 0 left out.
func partKey(i, data, replicate int) string {
	key := fmt.Sprintf("%s%04d", suggestionPrefix, i)
	if data > 0 {
		key += "/data-" + strconv.Itoa(data)
	}
	if replicate > 0 {
		key += "/replicate-" + strconv.Itoa(replicate)
	}
	return key
}

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

// replicated makes the trials of suggestion i, whose parameters are complete: one for each data set and replicate that
// has none yet. A configuration that comes a second time gets further replicates, so that no two trials of it have the same seed.
func replicated(spec studies.Spec, l *ledger, s trials.Suggestion, i int, has func(key string) bool) []trials.Suggestion {
	data := spec.Trainer.Data
	if len(data) == 0 {
		data = []string{""}
	}
	var all []trials.Suggestion
	for d, name := range data {
		free := l.free(s.Params, name)
		for rep := range max(1, spec.Replicates) {
			one := trials.Suggestion{Key: partKey(i, d, rep), Space: s.Space, Params: s.Params, Attrs: trials.CloneAttrs(s.Attrs)}
			if has(one.Key) {
				continue
			}
			n := free()
			one.Attrs[trials.AttrReplicate] = trials.Attr(n)
			one.Attrs[trials.AttrSeed] = trials.Attr(design.Seed(spec.Seed, n))
			one.Attrs[trials.AttrData] = trials.Attr(name)
			all = append(all, one)
		}
	}
	return all
}

// completeSuggestions enqueues what is missing of the suggestions made so far: the replicates that an
// edited study file added, and those that another program left out.
func (r *run) completeSuggestions(ctx context.Context) error {
	if r.driver == nil {
		return nil
	}
	if _, err := r.ledger.look(ctx); err != nil {
		return err
	}
	made, has, count := map[int]trials.Trial{}, map[string]bool{}, map[int]int{}
	for _, t := range r.ledger.list() {
		has[t.Key] = true
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
		if err := r.completeSuggestion(ctx, s, i, has); err != nil {
			return err
		}
	}
	return nil
}

// completeSuggestion enqueues what is missing of suggestion i; has are the keys of trials that there are.
func (r *run) completeSuggestion(ctx context.Context, s trials.Suggestion, i int, has map[string]bool) error {
	for refused := 0; ; {
		missing := replicated(r.spec, r.ledger, s, i, func(key string) bool { return has[key] })
		if len(missing) == 0 {
			return nil
		}
		one := missing[0]
		_, err := r.Store.Enqueue(ctx, r.study.ID, one)
		switch {
		case err == nil:
			has[one.Key] = true
		case !errors.Is(err, trials.ErrDuplicate) || refused == maxAsked:
			return fmt.Errorf("enqueue %s: %w", one.Key, err)
		default: // another process was faster
			refused++
		}
		r.ledger.taken(one) // the same point may come again
	}
}
