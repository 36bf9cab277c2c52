package sweep

import (
	"cmp"
	"context"
	"crypto/sha256"
	"slices"
	"sync"

	"github.com/mapsweep/mapsweep/trials"
)

// ledger is what a process knows of a study's trials: every one as it was last seen, brought up to date by what
// changed since (trials.Reader.Changes). Looking costs what changed and what is open, however long the study is.
type ledger struct {
	store interface {
		Changes(ctx context.Context, studyID, after int64) (trials.Changes, error)
	}
	study int64

	mu      sync.Mutex
	saw     trials.Saw
	all     []*trials.Trial            // by number, the newest snapshot
	log     []*trials.Trial            // see History.Finished
	open    []*trials.Trial            // by number, as they are
	bare    map[int]*trials.Trial      // open ones as samplers see them, by number
	used    map[cell]*occupied         // that a configuration has on a data set
	next    int                        // index of the next suggestion
	tried   int                        // points of search.try that there are
	gone    []bool                     // by number, trials that the log has as replaced
	configs []configuration            // by number
	done    func(old, t *trials.Trial) // if not nil: told of every snapshot of a finished trial, and of the one that it replaces
}

// configuration stands for all parameters of a trial.
type configuration [16]byte

func configurationOf(params trials.Params) configuration {
	sum := sha256.Sum256([]byte(params.Key()))
	return configuration(sum[:16])
}

// cell is a configuration on a data set.
type cell struct {
	configuration
	data string
}

func newLedger(store trials.Reader, study int64) *ledger {
	return &ledger{store: store, study: study, bare: map[int]*trials.Trial{}, used: map[cell]*occupied{}}
}

// view is a study at one moment. Its slices and trials are shared and nobody may change them.
type view struct {
	saw   trials.Saw
	log   []*trials.Trial // see History.Finished
	open  []*trials.Trial // by number, as they are
	bare  []*trials.Trial // the same as samplers see them
	next  int             // index of the next suggestion
	tried int             // points of search.try that there are
}

// look brings the ledger up to date.
func (l *ledger) look(ctx context.Context) (view, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, err := l.store.Changes(ctx, l.study, l.saw.Log)
	if err != nil {
		return view{}, err
	}
	l.absorb(c)
	return l.view(), nil
}

// seen is the study as it was last looked at.
func (l *ledger) seen() view {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.view()
}

func (l *ledger) view() view {
	v := view{saw: l.saw, log: l.log[:len(l.log):len(l.log)], open: l.open, next: l.next, tried: l.tried}
	for _, t := range l.open {
		v.bare = append(v.bare, l.bare[t.Number])
	}
	return v
}

// absorb takes in what changed. What the log becomes does not depend on how often one looks: trials stand in it in the
// order in which they ended, and once more when another one that repeats or continues them has appeared.
func (l *ledger) absorb(c trials.Changes) {
	entries := slices.Clone(c.Log)
	slices.SortStableFunc(entries, func(a, b trials.Entry) int { return cmp.Compare(a.Ended, b.Ended) })
	var met []*trials.Trial
	for _, e := range entries {
		if l.keep(e.Trial) {
			met = append(met, e.Trial)
		}
	}
	l.open = slices.Clone(c.Open)
	bare := make(map[int]*trials.Trial, len(c.Open))
	for _, t := range c.Open {
		if l.meet(t) {
			met = append(met, t)
		}
		if b := l.bare[t.Number]; b != nil {
			bare[t.Number] = b
		} else {
			bare[t.Number] = barely(t)
		}
		l.all[t.Number] = t
	}
	l.bare = bare
	l.saw = trials.Saw{Log: c.Last, Trials: c.Trials}
	slices.SortFunc(met, func(a, b *trials.Trial) int { return cmp.Compare(a.Number, b.Number) })
	for _, t := range met {
		l.replaces(t)
	}
	for _, e := range entries {
		l.leave(e.Trial)
	}
}

// keep takes in a snapshot of a finished trial, and says whether the trial itself was not known. Of one whose place another one
// has taken since, the log first holds how it ended: a sampler that is told of trials one after another was told of that, too.
func (l *ledger) keep(t *trials.Trial) bool {
	isNew := l.meet(t)
	old := l.all[t.Number]
	if old != nil && !old.State.Finished() {
		old = nil
	}
	l.all[t.Number] = t
	if old == nil {
		l.log = append(l.log, unlinked(t))
	} else {
		l.leave(t)
	}
	if l.done != nil {
		l.done(old, t)
	}
	return isNew
}

// leave enters a trial that counts no longer once more in the log, unless that has been done.
func (l *ledger) leave(t *trials.Trial) {
	if !t.Counts() && !l.gone[t.Number] {
		l.gone[t.Number] = true
		l.log = append(l.log, t)
	}
}

// meet notes what a trial that was not known takes up: a suggestion's index and a replicate. It leaves room for it.
func (l *ledger) meet(t *trials.Trial) bool {
	for len(l.all) <= t.Number {
		l.all, l.gone, l.configs = append(l.all, nil), append(l.gone, false), append(l.configs, configuration{})
	}
	if l.all[t.Number] != nil {
		return false
	}
	if i, ok := suggestionIndex(*t); ok {
		l.next = max(l.next, i+1)
	}
	if i, ok := t.Integer(AttrTry); ok {
		l.tried = max(l.tried, int(i)+1)
	}
	l.configs[t.Number] = configurationOf(t.Params)
	l.take(cell{l.configs[t.Number], t.Text(trials.AttrData)}, t.Replicate())
	return true
}

// occupied are the replicates that are taken, and the lowest one that is not.
type occupied struct {
	taken map[int]bool
	free  int
}

func (l *ledger) take(c cell, replicate int) {
	u := l.used[c]
	if u == nil {
		u = &occupied{taken: map[int]bool{}}
		l.used[c] = u
	}
	for u.taken[replicate] = true; u.taken[u.free]; u.free++ {
	}
}

// taken notes that a replicate of a point cannot be had, though no trial that is known has it.
func (l *ledger) taken(s trials.Suggestion) {
	t := trials.Trial{Attrs: s.Attrs}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.take(cell{configurationOf(s.Params), t.Text(trials.AttrData)}, t.Replicate())
}

// free counts through the replicates that a configuration has not had on a data set.
func (l *ledger) free(params trials.Params, data string) func() int {
	c, next := cell{configurationOf(params), data}, 0
	return func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		if u := l.used[c]; u != nil {
			for next = max(next, u.free); u.taken[next]; next++ {
			}
		}
		next++
		return next - 1
	}
}

// replaces enters the trial that t repeats or continues once more in the log, as one that counts no longer: from now
// on, whether or not the attribute that says so has been written yet.
func (l *ledger) replaces(t *trials.Trial) {
	for _, link := range links {
		n, ok := t.Integer(link.to)
		if !ok || n < 0 || n >= int64(len(l.all)) {
			continue
		}
		old := l.all[n]
		if old == nil || !old.State.Finished() || l.gone[n] {
			continue
		}
		l.gone[n] = true
		c := *old
		c.Attrs = trials.CloneAttrs(old.Attrs)
		c.Attrs[link.back] = trials.Attr(t.Number)
		l.log = append(l.log, &c)
	}
}

// links are the attributes of a trial that takes another one's place, each with the one that the other gets.
var links = []struct{ to, back string }{{trials.AttrRetryOf, trials.AttrRetriedBy}, {trials.AttrContinues, trials.AttrContinued}}

// barely is an open trial as samplers see it: what was asked for, and not how far it has come, so that what they see
// depends on nothing but which trials there were and which of them had ended (trials.Saw).
func barely(t *trials.Trial) *trials.Trial {
	return &trials.Trial{ID: t.ID, StudyID: t.StudyID, Number: t.Number, State: trials.Running, Key: t.Key,
		Space: t.Space, Params: t.Params, Attrs: inherited(t.Attrs)}
}

// byNumber finds a trial as it was last seen.
func (l *ledger) byNumber(n int) (trials.Trial, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < 0 || n >= len(l.all) || l.all[n] == nil {
		return trials.Trial{}, false
	}
	return *l.all[n], true
}

// list is every trial as it was last seen, by number. What they hold is shared.
func (l *ledger) list() []trials.Trial {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trials()
}

// trials is list for callers that hold the lock.
func (l *ledger) trials() []trials.Trial {
	ts := make([]trials.Trial, 0, len(l.all))
	for _, t := range l.all {
		if t != nil {
			ts = append(ts, *t)
		}
	}
	return ts
}
