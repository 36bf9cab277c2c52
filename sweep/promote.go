package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"

	"github.com/mapsweep/mapsweep/studies"
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

// CheckPromotion refuses a pruner of a search that lets pruned trials go on where the trainer cannot: ErrInvalid.
func CheckPromotion(spec studies.Spec, p Pruner, b trainer.Backend) error {
	if _, ok := p.(Promoter); !ok {
		return nil
	}
	if _, ok := b.(trainer.Resumer); !ok {
		return invalidf("pruner %s lets pruned trials go on from their checkpoints, and trainer %s cannot go on from one; successive-halving stops trials at the same rungs and lets none go on",
			spec.Search.Pruner, spec.Trainer.Backend)
	}
	return nil
}

// promote asks the pruner whether a pruned trial should go on, and enqueues the trial that continues it. More is false if there
// is none. Several processes may do so at once: they enqueue the same key.
func (d *Driver) promote(ctx context.Context, v view) (more bool, err error) {
	p, ok := d.pruner.(Promoter)
	if !ok {
		return false, nil
	}
	number, ok, err := guardedPromote(p, d.whole(v))
	if err != nil || !ok {
		return false, err
	}
	t, ok := d.ledger.byNumber(number)
	if !ok || t.State != trials.Pruned || !t.Counts() {
		return false, fmt.Errorf("pruner %s promotes trial %d, which is not a pruned one that waits", d.spec.Search.Pruner, number)
	}
	n, err := goOn(ctx, d.store, t)
	if err == nil {
		d.log.Info("pruned trial goes on", "trial", number, "as", n.Number)
	}
	return true, err
}

// goesOn says whether a pruned trial goes on now that all else has ended, and enqueues what continues it.
func (d *Driver) goesOn(ctx context.Context) (bool, error) {
	d.asking.Lock()
	defer d.asking.Unlock()
	v, err := d.ledger.look(ctx)
	if err != nil {
		return false, err
	}
	return d.promote(ctx, v)
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

// goOn enqueues the trial that continues a pruned one and takes that one out of the count. A crash between the
// two steps does no harm: mendLinks mends it, and until then the next call finds the same key.
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

// mendLinks notes on trials which other one repeats or continues them, where a process was killed before it could, and gives
// the numbers of those that were mended. ts are all trials of a study; those that skip says are left out.
func mendLinks(ctx context.Context, store trials.Writer, ts []trials.Trial, skip func(by trials.Trial) bool) (mended []int, err error) {
	byNumber := map[int64]trials.Trial{}
	for _, t := range ts {
		byNumber[int64(t.Number)] = t
	}
	for _, t := range ts {
		for _, link := range links {
			n, ok := t.Integer(link.to)
			old, there := byNumber[n]
			if _, known := old.Integer(link.back); !ok || !there || known || !old.State.Finished() || skip(t) {
				continue
			}
			if link.to == trials.AttrContinues && t.Superseded() {
				continue // by one that continues the same trial
			}
			if err := store.SetAttrs(ctx, old.ID, map[string]json.RawMessage{link.back: trials.Attr(t.Number)}); err != nil {
				return mended, fmt.Errorf("link trial %d to trial %d: %w", n, t.Number, err)
			}
			mended = append(mended, old.Number)
		}
	}
	return mended, nil
}

// mayGoOn says for each pruned trial whether its checkpoint may still be needed: until the trial that continues it has one of its
// own, and until the search is over, for one that may be promoted.
func (r *run) mayGoOn(ts []trials.Trial) func(trials.Trial) bool {
	p, ok := r.promoter()
	if !ok {
		return func(trials.Trial) bool { return false }
	}
	if sum := r.tally(); sum.Finished() == sum.Planned {
		if _, more, err := guardedPromote(p, r.driver.whole(r.ledger.seen())); !more && err == nil {
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
