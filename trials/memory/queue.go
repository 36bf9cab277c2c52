package memory

import (
	"fmt"
	"slices"

	"github.com/mapsweep/mapsweep/trials"
)

// accepts says why one of the suggestions cannot enter the study together with those before it, or nil; it changes nothing.
func (st *study) accepts(sgs []trials.Suggestion) error {
	params := map[string]trials.Param{}
	keys, same := map[string]bool{}, map[string]string{}
	for _, sg := range sgs {
		if st.keys[sg.Key] != nil || keys[sg.Key] {
			continue
		}
		for _, p := range sg.Space {
			first, known := st.params[p.Name]
			if !known {
				first, known = params[p.Name]
			}
			if !known {
				params[p.Name] = p
			} else if err := first.Compatible(p); err != nil {
				return err
			}
		}
		id := string(sg.Identity())
		if t := st.same[id]; t != nil && id != "" {
			return fmt.Errorf("%s is trial %d (%s): %w", sg.Key, t.Number, t.Key, trials.ErrDuplicate)
		}
		if key, twice := same[id]; twice && id != "" {
			return fmt.Errorf("%s is %s: %w", sg.Key, key, trials.ErrDuplicate)
		}
		keys[sg.Key], same[id] = true, sg.Key
	}
	return nil
}

// enqueue adds an accepted suggestion, which is the store's own, or finds the trial that has its key.
func (s *Store) enqueue(st *study, sg trials.Suggestion) *trial {
	if t := st.keys[sg.Key]; t != nil {
		return t
	}
	for _, p := range sg.Space {
		if _, known := st.params[p.Name]; !known {
			st.params[p.Name] = p
		}
	}
	id := sg.Identity()
	sg.Attrs[trials.AttrKey] = trials.Attr(sg.Key)
	t := &trial{study: st, attempt: map[int]int{}, artifacts: map[string]trials.Artifact{}}
	t.Trial = trials.Trial{ID: int64(len(s.trials) + 1), StudyID: st.ID, Number: len(st.trials), State: trials.Waiting,
		Key: sg.Key, Space: sg.Space, Params: sg.Params, Attrs: sg.Attrs}
	s.trials = append(s.trials, t)
	st.trials, st.open = append(st.trials, t), append(st.open, t)
	st.keys[sg.Key] = t
	if id != nil {
		st.same[string(id)] = t
	}
	return t
}

// claim takes the waiting trial with the lowest number.
func (st *study) claim(worker string) (trials.Trial, error) {
	i := slices.IndexFunc(st.open, func(t *trial) bool { return t.State == trials.Waiting })
	if i < 0 {
		return trials.Trial{}, fmt.Errorf("claim trial of study %q: %w", st.Name, trials.ErrNoneWaiting)
	}
	t, now := st.open[i], trials.Now()
	t.State, t.Started, t.Heartbeat = trials.Running, now, now
	t.Attempts = append(t.Attempts, trials.Attempt{Number: len(t.Attempts) + 1, Worker: worker, Started: now})
	return t.Clone(), nil
}
