package reports

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mapsweep/mapsweep/studies/diagnosis"
)

// Diagnose judges every trial that has started by the rules of studies/diagnosis, by trial number.
func (s *Snapshot) Diagnose() []diagnosis.Report {
	var rs []diagnosis.Report
	for _, r := range diagnosis.Runs(s.Study, s.Spec, s.Trials) {
		rs = append(rs, diagnosis.Diagnose(r))
	}
	return rs
}

// Signals puts together what trials share. A study whose curves hold nothing that a rule knows has no groups.
func (s *Snapshot) Signals() diagnosis.Summary {
	sum := diagnosis.Summarize(s.Diagnose())
	for _, g := range sum.Groups {
		if g.State != diagnosis.Unknown {
			return sum
		}
	}
	sum.Groups = nil
	return sum
}

// StateCount says how many signals are in a state: "2 problems", "3 to watch".
func StateCount(state diagnosis.State, n int) string {
	switch state {
	case diagnosis.Problem:
		return Count(n, "problem")
	case diagnosis.Watch, diagnosis.Unknown:
		return fmt.Sprintf("%d %s", n, stateWord(state))
	}
	return fmt.Sprintf("%d healthy", n)
}

func stateWord(state diagnosis.State) string {
	if state == diagnosis.Watch {
		return "to watch"
	}
	return string(state)
}

// Sharers says which trials share a finding: "all 25 trials", "5 of 10 trials (0 to 3, 9)".
func Sharers(g diagnosis.Group) string {
	n := len(g.Trials)
	switch {
	case n == g.Of && n == 1:
		return fmt.Sprintf("trial %d", g.Trials[0])
	case n == g.Of:
		return fmt.Sprintf("all %d trials", n)
	}
	return fmt.Sprintf("%d of %d trials (%s)", n, g.Of, firstOf(g.Trials))
}

// firstOf names trials, of a long and broken list the first ones.
func firstOf(ns []int) string {
	const runs = 6
	left := 0
	for i, n := range ns {
		if i == 0 || n != ns[i-1]+1 {
			left++
		}
		if left > runs {
			return fmt.Sprintf("%s and %d more", diagnosis.Numbers(ns[:i]), len(ns)-i)
		}
	}
	return diagnosis.Numbers(ns)
}

// RangeText writes a number with its name and epochs: "fall, epochs 1 to 10: 62 % to 71 % (median 66 %)".
func RangeText(r diagnosis.Range) string {
	t := r.Name
	if r.Where != "" {
		t += ", " + r.Where
	}
	return t + ": " + r.String()
}

// LeverText writes a lever with the value that it has: "lr0 (now 0.02): lower it".
func LeverText(l diagnosis.Lever) string {
	switch {
	case l.Knob == "":
		return l.Do
	case l.Now == "":
		return l.Knob + ": " + l.Do
	}
	return l.Knob + " (now " + l.Now + "): " + l.Do
}

// RangesText joins numbers: "fall, epochs 1 to 10: 62 %; swing: 3 %".
func RangesText(rs []diagnosis.Range) string {
	var parts []string
	for _, r := range rs {
		parts = append(parts, RangeText(r))
	}
	return strings.Join(parts, "; ")
}

// Sentence gives a text the full stop of a sentence and, unless its first word is a name such as mAP50, its capital.
func Sentence(t string) string {
	if t == "" {
		return ""
	}
	first, _, _ := strings.Cut(t, " ")
	if r, n := utf8.DecodeRuneInString(t); !strings.ContainsAny(first, "0123456789_./") && first == strings.ToLower(first) {
		t = string(unicode.ToUpper(r)) + t[n:]
	}
	if strings.HasSuffix(t, ".") {
		return t
	}
	return t + "."
}
