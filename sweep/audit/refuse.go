package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// format is the version of what an audit means; a newer one makes older audits stale.
const format = 2

// Context is a hash of everything that an audit's verdicts depend on but the levels: trainer and its knobs, the
// arm that levels are put into, data and versions. prov is what the trainer's Prepare says, with Version and Commit
// of the program.
func Context(spec studies.Spec, backend trainer.Backend, prov trials.Provenance) string {
	spec = withTuned(spec)
	t := spec.Trainer
	t.Timeout = ""
	data := make([]string, len(prov.Data))
	for i, d := range prov.Data {
		data[i] = d.Name + " " + d.Hash
	}
	text, err := json.Marshal(map[string]any{
		"format": format, "trainer": t, "base": reference(spec).Key(), "seed": spec.Seed, "several": spec.Replicates > 1,
		"knobs": knobsOf(backend), "version": prov.Version, "commit": prov.Commit, "devices": prov.Devices, "data": data, "extra": prov.Extra,
	})
	if err != nil {
		panic("audit: context: " + err.Error()) // scalars and strings only
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Merge puts newer rows over older ones of the same context; of another context nothing of old stays.
func Merge(old, now trials.Audit) trials.Audit {
	if old.Context != now.Context {
		return now
	}
	rows := slices.DeleteFunc(slices.Clone(old.Rows), func(r trials.Audited) bool {
		_, again := now.Row(r.Knob, r.Data)
		return again
	})
	now.Rows = append(rows, now.Rows...)
	for _, n := range old.Notes {
		if !slices.Contains(now.Notes, n) {
			now.Notes = append(now.Notes, n)
		}
	}
	return now
}

// Fill adds rows of a review to an audit that lacks them.
func Fill(a, review trials.Audit) trials.Audit {
	a.Rows = slices.Clone(a.Rows)
	for _, r := range review.Rows {
		if _, ok := a.Row(r.Knob, r.Data); !ok {
			a.Rows = append(a.Rows, r)
		}
	}
	return a
}

// Current keeps the rows that speak of the study as it is now, and names the knobs whose levels are others.
func Current(spec studies.Spec, backend trainer.Backend, a trials.Audit) (trials.Audit, []string) {
	c := newCatalogue(spec, knobsOf(backend), nil)
	spec = withTuned(spec)
	var stale []string
	a.Rows = slices.DeleteFunc(slices.Clone(a.Rows), func(r trials.Audited) bool {
		f, factor := spec.Factor(r.Knob)
		if !factor {
			return false
		}
		k, known := c.knob(r.Knob)
		s := c.subject(k, known, f)
		if r.Range == s.ranged && r.Covers(s.levels) {
			return false
		}
		if !slices.Contains(stale, r.Knob) {
			stale = append(stale, r.Knob)
		}
		return true
	})
	return a, stale
}

// Refusal is a factor, or the seed, that a study should not be run with.
type Refusal struct {
	Knob    string `json:"knob"`
	Verdict string `json:"verdict"`
	Data    string `json:"data,omitempty"` // "": on all data sets
	Reason  string `json:"reason"`
	Remedy  string `json:"remedy,omitempty"`
}

// String is a line for people.
func (r Refusal) String() string {
	t := r.Knob + ": " + r.Verdict
	if r.Data != "" {
		t += " on " + r.Data
	}
	if r.Reason != "" {
		t += ": " + r.Reason
	}
	if r.Remedy != "" {
		t += "; to make it matter: " + r.Remedy
	}
	return t
}

// Refusals lists the factors whose levels, all or some of them, train the same, and the seed if replicates would be
// copies. In a search a range is refused only if all of it trains the same: no pair of levels is compared there.
func Refusals(spec studies.Spec, a trials.Audit) []Refusal {
	var list []Refusal
	for _, r := range a.Rows {
		if r.Run == nil || !refused(withTuned(spec), r) || tunedSomewhere(spec, r) {
			continue
		}
		n := Refusal{Knob: r.Knob, Verdict: r.Run.Verdict, Reason: r.Run.Reason, Remedy: r.Run.Remedy}
		if len(spec.Trainer.Data) > 1 {
			n.Data = r.Data
		}
		list = append(list, n)
	}
	return list
}

func refused(spec studies.Spec, r trials.Audited) bool {
	if r.Knob == trials.AuditSeed {
		return r.Run.Dead && spec.Replicates > 1
	}
	f, factor := spec.Factor(r.Knob)
	switch {
	case !factor:
		return false
	case r.Run.Dead:
		return true
	case r.Run.Verdict != string(trainer.Saturated) || r.Range:
		return false
	case len(r.Run.Groups) == 0: // known from the code only
		return true
	}
	for i, a := range f.Levels {
		for _, b := range f.Levels[i+1:] {
			if !trials.SameValue(a, b) && r.Run.Alike(a, b) {
				return true
			}
		}
	}
	return false
}

// RefusedError refuses to plan or run a study with factors that cannot matter.
type RefusedError struct {
	Study    string
	Refusals []Refusal
}

// Error names each factor with its reason and its remedy, a line each.
func (e *RefusedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "study %q varies what changes nothing:", e.Study)
	for _, r := range e.Refusals {
		b.WriteString("\n  " + r.String())
	}
	b.WriteString("\nLeave that out, or run it all the same with --allow-inert")
	return b.String()
}

// Names lists the refused knobs, each once.
func (e *RefusedError) Names() []string {
	var names []string
	for _, r := range e.Refusals {
		if !slices.Contains(names, r.Knob) {
			names = append(names, r.Knob)
		}
	}
	return names
}
