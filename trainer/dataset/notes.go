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

// all returns the findings, with a line for each kind of which some were not told.
func (n *notes) all() []string {
	out := n.list[:len(n.list):len(n.list)]
	for _, k := range n.kinds {
		if more := n.count[k] - notesPerKind; more > 0 {
			out = append(out, fmt.Sprintf("%s: %d more like these", k, more))
		}
	}
	return out
}
