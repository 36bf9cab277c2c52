package trials

import (
	"encoding/json"
	"slices"
	"time"
)

// Attributes of studies about knobs that the trainer does not read.
const (
	// AttrAudit holds an Audit: which knobs of the study the trainer reads.
	AttrAudit = "mapsweep:audit"
	// AttrAllowInert lists factors that cannot matter and that the user ran all the same.
	AttrAllowInert = "mapsweep:allow_inert"
)

// AuditSeed is the name of an audit's row about the seed.
const AuditSeed = "seed"

// AuditEnd stands for a step: the first batch of the last epoch.
const AuditEnd = -1

// Audit says which knobs of a study can matter, found from a few steps or from knowledge of the trainer's code.
type Audit struct {
	Context string    `json:"context"` // hash of everything that the rows depend on but their levels
	At      time.Time `json:"at"`
	Version string    `json:"version"`
	Commit  string    `json:"commit,omitempty"`
	Backend string    `json:"backend"`
	Steps   int       `json:"steps"` // of each configuration; 0: no step was run
	Rows    []Audited `json:"rows"`
	Notes   []string  `json:"notes,omitempty"`
}

// Audited is what is known of one knob on one data set.
type Audited struct {
	Knob   string `json:"knob"`
	Data   string `json:"data,omitempty"`
	Levels []any  `json:"levels"` // that were compared
	Range  bool   `json:"range,omitempty"`
	// Official is the trainer as its authors publish it, Run is the trainer as the study runs it; nil: not looked at.
	Official *Liveness `json:"official,omitempty"`
	Run      *Liveness `json:"run,omitempty"`
}

// Liveness is the verdict on one knob. The words of Verdict are trainer.Verdict's; "" stands for none, with the
// fault that prevented it.
type Liveness struct {
	Verdict string  `json:"verdict"`
	Dead    bool    `json:"dead,omitempty"`    // as the study stands no two levels train differently
	Groups  [][]any `json:"groups,omitempty"`  // where some levels train alike: all levels by what they train
	Channel string  `json:"channel,omitempty"` // where the first difference shows, and at which step, from 1, or AuditEnd
	Step    int     `json:"step,omitempty"`
	Needs   Params  `json:"needs,omitempty"` // CONDITIONAL: what other knobs must be for this one to matter
	Reason  string  `json:"reason,omitempty"`
	Remedy  string  `json:"remedy,omitempty"`
	Fault   string  `json:"fault,omitempty"`  // levels that could not be run, and why
	Source  string  `json:"source,omitempty"` // "steps", "code", "steps and code"
}

// Row finds the row of a knob on a data set.
func (a Audit) Row(knob, data string) (Audited, bool) {
	i := slices.IndexFunc(a.Rows, func(r Audited) bool { return r.Knob == knob && r.Data == data })
	if i < 0 {
		return Audited{}, false
	}
	return a.Rows[i], true
}

// Covers says that the row knows all of these levels.
func (r Audited) Covers(levels []any) bool {
	return !slices.ContainsFunc(levels, func(v any) bool { return !holds(r.Levels, v) })
}

// Alike says that two levels of the knob train the same thing.
func (l Liveness) Alike(a, b any) bool {
	return l.Dead || slices.ContainsFunc(l.Groups, func(g []any) bool { return holds(g, a) && holds(g, b) })
}

func holds(list []any, v any) bool {
	return slices.ContainsFunc(list, func(x any) bool { return SameValue(x, v) })
}

// Audit reads AttrAudit; not ok if nothing is recorded.
func (s Study) Audit() (a Audit, ok bool) {
	raw, there := s.Attrs[AttrAudit]
	return a, there && json.Unmarshal(raw, &a) == nil
}

// AllowedInert reads AttrAllowInert.
func (s Study) AllowedInert() []string {
	var names []string
	if json.Unmarshal(s.Attrs[AttrAllowInert], &names) != nil {
		return nil
	}
	return names
}
