package trials

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// AttrProvenance is a study attribute: a list of Continuation, for each time that the study went on with another
// program or on another machine than before. Study.Provenance is that of the first run.
const AttrProvenance = "mapsweep:provenance"

// ExtraInstructionSet is the key of Provenance.Extra under which a backend names the instruction set that it computes with.
const ExtraInstructionSet = "instruction set"

// ExtraDevice is the key under which it says where trials compute and why, if others were asked for than the CPU.
const ExtraDevice = "device"

// ExtraWeights is the key of Provenance.Extra for the hash of the file of weights that trials start from.
const ExtraWeights = "weights sha256"

// Continuation is where results come from that were measured from then on.
type Continuation struct {
	At time.Time `json:"at"`
	Provenance
}

// Continuations reads AttrProvenance, oldest first; nil if all results come from where the first ones do.
func (s Study) Continuations() []Continuation {
	var list []Continuation
	if json.Unmarshal(s.Attrs[AttrProvenance], &list) != nil {
		return nil
	}
	return list
}

// LastProvenance is that of the study's latest continuation, or of its first run.
func (s Study) LastProvenance() Provenance {
	if list := s.Continuations(); len(list) > 0 {
		return list[len(list)-1].Provenance
	}
	return s.Provenance
}

// Differences says in which of the things that can change a result, or the time that it takes, q differs from p:
// "commit a1b2 → c3d4", version and commit first, then the machine.
func (p Provenance) Differences(q Provenance) []string {
	var changed []string
	compare := func(what, old, now string) {
		if old == now {
			return
		}
		for _, text := range []*string{&old, &now} {
			if *text == "" {
				*text = "unknown"
			}
		}
		changed = append(changed, fmt.Sprintf("%s %s → %s", what, old, now))
	}
	compare("version", p.Version, q.Version)
	compare("commit", p.Commit, q.Commit)
	compare("host", p.Host, q.Host)
	compare("processor", p.CPU, q.CPU)
	compare("cores", fmt.Sprint(p.Cores), fmt.Sprint(q.Cores))
	compare("devices", strings.Join(p.Devices, ", "), strings.Join(q.Devices, ", "))
	compare(ExtraInstructionSet, p.Extra[ExtraInstructionSet], q.Extra[ExtraInstructionSet])
	compare(ExtraWeights, p.Extra[ExtraWeights], q.Extra[ExtraWeights])
	return changed
}
