package trials

import (
	"crypto/sha256"
	"strconv"
	"strings"
)

// Identity tells suggestions apart by what would be run: a hash of Params (numbers by value), AttrSeed, AttrData and
// AttrEpochs, and of the trial that is repeated or continued (AttrRetryOf, AttrContinues), so that a repetition is
// none of the trial that it repeats. It is nil, which equals nothing, without a seed and for imported trials: past runs
// may hold the same point twice.
func (s Suggestion) Identity() []byte {
	t := Trial{Attrs: s.Attrs}
	seed, ok := t.Integer(AttrSeed)
	if _, imported := s.Attrs[AttrImported]; !ok || imported {
		return nil
	}
	var b strings.Builder
	for _, name := range s.Params.Names() {
		b.WriteString(strconv.Quote(name) + "=")
		if text, ok := s.Params[name].(string); ok {
			b.WriteString(strconv.Quote(text) + "\n")
		} else {
			b.WriteString(FormatValue(s.Params[name]) + "\n")
		}
	}
	b.WriteString("seed " + strconv.FormatInt(seed, 10) + "\ndata " + strconv.Quote(t.Text(AttrData)))
	for _, name := range []string{AttrEpochs, AttrRetryOf, AttrContinues} {
		if n, ok := t.Integer(name); ok {
			b.WriteString("\n" + name + " " + strconv.FormatInt(n, 10))
		}
	}
	sum := sha256.Sum256([]byte(b.String()))
	return sum[:16]
}
