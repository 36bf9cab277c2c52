package sweep

import (
	"cmp"
	"slices"

	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Incumbent is the configuration that a search holds for the best: by its lower confidence bound (inference.Incumbents), and
// not by its luckiest trial.
type Incumbent struct {
	Trials []int // that are complete, the best first
	inference.Standing
}

// Incumbents ranks the configurations of a search by the first objective, the incumbent first. A configuration of which a trial
// is infeasible, or failed in a way that speaks against it, is none of them.
func Incumbents(dir trials.Direction, ts []trials.Trial) []Incumbent {
	return incumbents(dir, ts, func(t *trials.Trial) configuration { return configurationOf(t.Params) })
}

func incumbents(dir trials.Direction, ts []trials.Trial, of func(*trials.Trial) configuration) []Incumbent {
	var cs []inference.Candidate
	var members [][]int // indices of trials
	place, block, bad := map[configuration]int{}, map[string]int{}, map[int]bool{}
	for i := range ts {
		t := &ts[i]
		scored := t.State == trials.Complete && len(t.Values) > 0
		if !t.Counts() || !scored && !AgainstPoint(t) {
			continue
		}
		c, known := place[of(t)]
		if !known {
			c = len(cs)
			place[of(t)] = c
			cs, members = append(cs, inference.Candidate{}), append(members, nil)
		}
		if !scored || !t.Feasible() {
			bad[c] = true
			continue
		}
		d, known := block[t.Text(trials.AttrData)]
		if !known {
			d = len(block)
			block[t.Text(trials.AttrData)] = d
		}
		for len(cs[c].Blocks) <= d {
			cs[c].Blocks = append(cs[c].Blocks, nil)
		}
		cs[c].Blocks[d] = append(cs[c].Blocks[d], t.Values[0])
		members[c] = append(members[c], i)
	}
	for c := range bad {
		cs[c].Blocks = nil
	}
	var out []Incumbent
	for _, s := range inference.Incumbents(dir, cs) {
		in := Incumbent{Standing: s}
		ms := members[s.Candidate]
		slices.SortStableFunc(ms, func(a, b int) int { return byValue(dir, &ts[a], &ts[b]) })
		for _, i := range ms {
			in.Trials = append(in.Trials, ts[i].Number)
		}
		out = append(out, in)
	}
	return out
}

// byValue orders trials by the first objective, the better one first.
func byValue(dir trials.Direction, a, b *trials.Trial) int {
	switch {
	case dir.Better(a.Values[0], b.Values[0]):
		return -1
	case dir.Better(b.Values[0], a.Values[0]):
		return 1
	}
	return cmp.Compare(a.Number, b.Number)
}

// ranking is the incumbents of a search as the ledger was last seen; nil for a fixed design.
func (r *run) ranking() []Incumbent {
	if r.driver == nil {
		return nil
	}
	l := r.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	return incumbents(r.spec.Objective.Direction, l.trials(), func(t *trials.Trial) configuration { return l.configs[t.Number] })
}
