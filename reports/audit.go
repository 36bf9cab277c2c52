package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// Verdicts of an audit, as trials.Liveness holds them.
const (
	auditInert       = "INERT"
	auditConditional = "CONDITIONAL"
	auditSaturated   = "SATURATED"
)

// inert marks the arms whose every change is one that the trainer does not tell from the reference, according to
// the audit that is stored with the study: what their rows show is chance.
func (s *Snapshot) inert(b *Block) {
	audit, ok := s.Study.Audit()
	if !ok {
		return
	}
	for _, a := range b.Arms {
		why := inertArm(audit, b.Data, a)
		i := slices.IndexFunc(b.Effects, func(e Effect) bool { return e.Arm == a.Name })
		if why == "" || i < 0 {
			continue
		}
		b.Effects[i].Verdict, b.Effects[i].Reason = inference.Inert, why
	}
}

// inertArm says why nothing that an arm changes matters, or "".
func inertArm(audit trials.Audit, data string, a Arm) string {
	if a.Reference || len(a.Changes) == 0 {
		return ""
	}
	var why []string
	for _, c := range a.Changes {
		r, ok := audit.Row(c.Name, data)
		if !ok || r.Run == nil || !r.Run.Alike(c.From, c.To) {
			return ""
		}
		text := r.Run.Reason
		switch {
		case text == "" && r.Run.Verdict == auditSaturated:
			text = "both values train the same"
		case text == "":
			text = "the trainer does not read it"
		}
		why = append(why, c.Name+": "+text)
	}
	return strings.Join(why, "; ")
}

// auditWarnings are what a reader must know of knobs that do not matter, of seeds, and of trials that ran otherwise
// than asked for.
func (s *Snapshot) auditWarnings() []string {
	var ws []string
	audit, ok := s.Study.Audit()
	if ok {
		ws = append(ws, s.inertWarnings(audit)...)
	}
	wrong := 0
	seen := map[string]bool{}
	for _, t := range s.Trials {
		if list := t.Mismatches(); len(list) > 0 && !t.Superseded() {
			wrong++
			for _, m := range list {
				seen[m.Name] = true
			}
		}
	}
	if wrong > 0 {
		var names []string
		for n := range seen {
			names = append(names, n)
		}
		slices.Sort(names)
		ws = append(ws, fmt.Sprintf("%s ran with another configuration than asked for (%s): the notes say what the trainer took instead.",
			Count(wrong, "trial"), strings.Join(names, ", ")))
	}
	return ws
}

func (s *Snapshot) inertWarnings(audit trials.Audit) []string {
	var ws []string
	told := map[string]bool{}
	for _, r := range audit.Rows {
		_, factor := s.Spec.Factor(r.Knob)
		if r.Run == nil || !factor && r.Knob != trials.AuditSeed {
			continue
		}
		where := ""
		if len(s.Blocks) > 1 && r.Data != "" {
			where = " on " + r.Data
		}
		reason := ""
		if r.Run.Reason != "" {
			reason = " (" + r.Run.Reason + ")"
		}
		text := ""
		switch {
		case r.Knob == trials.AuditSeed && r.Run.Verdict == auditInert && s.Spec.Replicates > 1:
			text = fmt.Sprintf("The seed changes nothing%s%s: replicates are copies, and intervals mean nothing.", where, reason)
		case r.Knob == trials.AuditSeed && r.Run.Verdict == auditConditional && s.Spec.Replicates > 1:
			text = fmt.Sprintf("The seed changes less than it should%s%s.", where, reason)
		case r.Knob == trials.AuditSeed:
		case r.Run.Dead:
			text = fmt.Sprintf("%s changes nothing in this trainer%s%s: its rows show chance.", r.Knob, where, reason)
		case r.Run.Verdict == auditSaturated:
			text = fmt.Sprintf("Some levels of %s train the same%s%s.", r.Knob, where, reason)
		}
		if text != "" && !told[text] {
			told[text] = true
			ws = append(ws, text)
		}
	}
	return ws
}
