package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// pairable says why two studies cannot be compared seed by seed: only the same trainer with the same seeds on the same
// pictures draws the same in both.
func pairable(a, b *reports.Snapshot, pairs [][2]int) error {
	var why []string
	if a.Foreign() || b.Foreign() {
		why = append(why, "a study was recorded by another program, which left no seeds")
	}
	if a.Spec.Settle != nil || b.Spec.Settle != nil {
		why = append(why, "replicates were added until variants were settled, so that a paired t interval would be too narrow")
	}
	if x, y := a.Spec.Trainer.Backend, b.Spec.Trainer.Backend; x != y {
		why = append(why, fmt.Sprintf("the trainers are %s and %s", x, y))
	}
	for _, p := range pairs {
		x, y := a.Blocks[p[0]].Data, b.Blocks[p[1]].Data
		hx, hy := hash(a, x), hash(b, y)
		switch {
		case hx == "" && hy == "" && x == y && len(a.Study.Provenance.Data)+len(b.Study.Provenance.Data) == 0: // a program of the user's with data of its own
		case hx == "" || hy == "":
			why = append(why, fmt.Sprintf("the hash of %s is not known, and so not whether the pictures are the same", x))
		case hx != hy:
			why = append(why, fmt.Sprintf("the data differ: %s (%s) and %s (%s)", x, reports.Short(hx), y, reports.Short(hy)))
		}
		if t := seedsDiffer(&a.Blocks[p[0]], &b.Blocks[p[1]]); t != "" {
			why = append(why, t)
		}
	}
	if len(why) == 0 {
		return nil
	}
	return fmt.Errorf("--paired: %s; without it the studies are taken as independent", strings.Join(why, "; "))
}

func hash(s *reports.Snapshot, data string) string {
	for _, d := range s.Study.Provenance.Data {
		if d.Name == data {
			return d.Hash
		}
	}
	return ""
}

// seedsDiffer says that the references' replicates do not have the same seeds, or that there are too few of them.
func seedsDiffer(a, b *reports.Block) string {
	x, okA := a.Reference()
	y, okB := b.Reference()
	if !okA || !okB {
		return "a study lacks its reference"
	}
	shared := 0
	for _, s := range x.Scores {
		for _, t := range y.Scores {
			if s.Replicate != t.Replicate {
				continue
			}
			if s.Seed != t.Seed {
				return fmt.Sprintf("the seeds differ: replicate %d has seed %d in A and %d in B", s.Replicate, s.Seed, t.Seed)
			}
			shared++
		}
	}
	if shared < 2 {
		return fmt.Sprintf("the references share %s, and two are needed", reports.Count(shared, "seed"))
	}
	return ""
}

// Difference is something that is recorded to differ between the studies.
type Difference struct {
	What string `json:"what"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// immaterial are paths of a study file that change no score.
var immaterial = []string{"name", "description", "budget.parallel", "budget.device_hours", "keep.best", "keep.last", "store_matches"}

// differences lists what differs: the study files first, then data, program and machine.
func differences(a, b *reports.Snapshot) []Difference {
	var out []Difference
	add := func(what, x, y string) {
		if x != y {
			out = append(out, Difference{what, x, y})
		}
	}
	if !a.Foreign() && !b.Foreign() {
		_, changes := studies.Diff(a.Spec, b.Spec)
		for _, c := range changes {
			if !slices.Contains(immaterial, c.Path) {
				add(c.Path, c.Old, c.New)
			}
		}
	}
	p, q := a.Study.Provenance, b.Study.Provenance
	for _, x := range a.Blocks {
		for _, y := range b.Blocks {
			if x.Data == y.Data || len(a.Blocks) == 1 && len(b.Blocks) == 1 {
				add("data hash of "+join(x.Data, y.Data), reports.Short(hash(a, x.Data)), reports.Short(hash(b, y.Data)))
			}
		}
	}
	add("mapsweep", strings.TrimSpace(p.Version+" "+reports.Short(p.Commit)), strings.TrimSpace(q.Version+" "+reports.Short(q.Commit)))
	add("processor", p.CPU, q.CPU)
	add("devices", strings.Join(p.Devices, ", "), strings.Join(q.Devices, ", "))
	for _, k := range extraKeys(p, q) {
		add(k, p.Extra[k], q.Extra[k])
	}
	return out
}

func join(a, b string) string {
	if a == b {
		return a
	}
	return a + " / " + b
}

// extraKeys are what the backends recorded of themselves, sorted.
func extraKeys(p, q trials.Provenance) []string {
	keys := append(slices.Collect(maps.Keys(p.Extra)), slices.Collect(maps.Keys(q.Extra))...)
	slices.Sort(keys)
	return slices.Compact(keys)
}
