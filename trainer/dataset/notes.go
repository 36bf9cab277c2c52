package dataset

import (
	"fmt"
	"log/slog"
)

// notesPerKind is how many findings of a kind are told one by one.
const notesPerKind = 20

// notes collects findings for people.
type notes struct {
	log   *slog.Logger
	list  []string
	count map[string]int
	kinds []string // in order of their first finding

	traits []trait
}

// trait is what several files have in common.
type trait struct {
	words, first string
	count        int
}

// trait counts a file of a kind that is used; words have a place for the number.
func (n *notes) trait(words, file string) {
	for i := range n.traits {
		if n.traits[i].words == words {
			n.traits[i].count++
			return
		}
	}
	n.traits = append(n.traits, trait{words, file, 1})
}

// add tells a finding of a kind; of each kind only the first few are kept, and the rest counted.
func (n *notes) add(kind, format string, args ...any) {
	if n.count == nil {
		n.count = map[string]int{}
	}
	if n.count[kind] == 0 {
		n.kinds = append(n.kinds, kind)
	}
	n.count[kind]++
	if n.count[kind] <= notesPerKind {
		s := fmt.Sprintf(format, args...)
		n.list = append(n.list, s)
		n.log.Warn(s)
	}
}

// all returns the findings, with a line for each kind of which some were not told,
// and one for each trait.
func (n *notes) all() []string {
	out := n.list[:len(n.list):len(n.list)]
	for _, k := range n.kinds {
		if more := n.count[k] - notesPerKind; more > 0 {
			out = append(out, fmt.Sprintf("%s: %d more like these", k, more))
		}
	}
	for _, t := range n.traits {
		s := fmt.Sprintf(t.words+" (%s", t.count, t.first)
		if t.count > 1 {
			s += " and others"
		}
		out = append(out, s+")")
	}
	return out
}
