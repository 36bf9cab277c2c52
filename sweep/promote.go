package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// Bracketer is an optional interface of pruners that have several brackets, as Hyperband has.
type Bracketer interface {
	// Bracket is that of a suggestion by its index; a pure function of the study's seed and the index.
	Bracket(suggestion int) int
}

// promoter is the study's pruner, if it lets pruned trials go on.
func (r *run) promoter() (Promoter, bool) {
	p, ok := r.pruner.(Promoter)
	return p, ok
}

// checkPromoter refuses a pruner that lets pruned trials go on where the trainer cannot.
func (r *run) checkPromoter() error {
	if _, ok := r.promoter(); !ok {
		return nil
	}
	if _, ok := r.Backend.(trainer.Resumer); !ok {
		return invalidf("pruner %s lets pruned trials go on from their checkpoints, and trainer %s cannot go on from one; successive-halving stops trials at the same rungs and lets none go on",
			r.spec.Search.Pruner, r.spec.Trainer.Backend)
	}
	return nil
}

// setBracket notes the bracket of suggestion i among its attributes.
func (r *run) setBracket(i int, attrs map[string]json.RawMessage) {
	if b, ok := r.pruner.(Bracketer); ok {
		attrs[trials.AttrBracket] = trials.Attr(b.Bracket(i))
	}
}

// promote asks the pruner whether a pruned trial should go on, and enqueues the trial that continues it. More is false if there
// is none. Several processes may do so at once: they enqueue the same key.
func (r *run) promote(ctx context.Context) (more bool, err error) {
	p, ok := r.promoter()
	if !ok {
		return false, nil
	}
	ts, err := r.Store.Trials(ctx, r.study.ID)
	if err != nil {
		return false, err
	}
	number, ok, err := guardedPromote(p, r.history(ts))
	if err != nil || !ok {
		return false, err
	}
	i := slices.IndexFunc(ts, func(t trials.Trial) bool { return t.Number == number })
	if i < 0 || ts[i].State != trials.Pruned || !ts[i].Counts() {
		return false, fmt.Errorf("pruner %s promotes trial %d, which is not a pruned one that waits", r.spec.Search.Pruner, number)
	}
	n, err := goOn(ctx, r.Store, ts[i])
	if err == nil {
		r.Log.Info("pruned trial goes on", "trial", number, "as", n.Number)
	}
	return true, err
}

// guardedPromote turns a panicking pruner into an error.
func guardedPromote(p Promoter, h History) (number int, ok bool, err error) {
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("pruner panicked: %v", x)
		}
	}()
	return p.Promote(h)
}

// goOn enqueues the trial that continues a pruned one and takes that one out of the count. A crash between the two
// steps does no harm: linkChains mends it, and until then the next call finds the same key.
func goOn(ctx context.Context, store trials.Store, t trials.Trial) (trials.Trial, error) {
	attrs := inherited(t.Attrs)
	delete(attrs, trials.AttrSaw) // nothing was suggested
	delete(attrs, trials.AttrRetryOf)
	attrs[trials.AttrContinues] = trials.Attr(t.Number)
	n, err := store.Enqueue(ctx, t.StudyID, trials.Suggestion{Key: linkKey(t.Key), Space: t.Space, Params: t.Params, Attrs: attrs})
	if err == nil {
		err = store.SetAttrs(ctx, t.ID, map[string]json.RawMessage{trials.AttrContinued: trials.Attr(n.Number)})
	}
	if err != nil {
		return n, fmt.Errorf("let trial %d go on: %w", t.Number, err)
	}
	return n, nil
}

// linkMark is what a key ends with that belongs to a trial which continues another one: ^2 for the second trial of its chain, ^3 for the
// third. A failed one may be repeated: ^2#2.
var linkMark = regexp.MustCompile(`(?:\^(\d+))?(?:#\d+)?$`)

// linkKey is the key of the trial that continues the one with that key.
func linkKey(key string) string {
	m := linkMark.FindStringSubmatchIndex(key)
	n := 1
	if m[2] >= 0 {
		n, _ = strconv.Atoi(key[m[2]:m[3]])
	}
	return key[:m[0]] + "^" + strconv.Itoa(n+1)
}

// linkChains notes on pruned trials which one continues them, where a process was killed before it could.
func (r *run) linkChains(ctx context.Context, ts []trials.Trial) error {
	byNumber := map[int]trials.Trial{}
	for _, t := range ts {
		byNumber[t.Number] = t
	}
	for _, t := range ts {
		n, ok := t.Continues()
		old, there := byNumber[n]
		if !ok || !there || old.Continued() || t.Superseded() {
			continue
		}
		if err := r.Store.SetAttrs(ctx, old.ID, map[string]json.RawMessage{trials.AttrContinued: trials.Attr(t.Number)}); err != nil {
			return fmt.Errorf("link trial %d to trial %d: %w", n, t.Number, err)
		}
	}
	return nil
}

// mayGoOn says for each pruned trial whether its checkpoint may still be needed: until the trial that continues it has one of its
// own, and until the search is over, for one that may be promoted.
func (r *run) mayGoOn(ts []trials.Trial) func(trials.Trial) bool {
	p, ok := r.promoter()
	if !ok {
		return func(trials.Trial) bool { return false }
	}
	if sum := r.tally(ts); sum.Finished() == sum.Planned {
		if _, more, err := guardedPromote(p, r.history(ts)); !more && err == nil {
			return func(trials.Trial) bool { return false }
		}
	}
	done := map[int]bool{} // continued by a trial that has come to a checkpoint of its own
	for _, t := range ts {
		if n, ok := t.Continues(); ok && (t.State == trials.Complete || t.State == trials.Pruned) {
			done[n] = true
		}
	}
	return func(t trials.Trial) bool { return t.State == trials.Pruned && !done[t.Number] }
}
