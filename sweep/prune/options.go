package prune

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// options reads pruner_options. The first thing that is wrong with them is kept in err.
type options struct {
	given trials.Params
	known []string
	err   error
}

func read(c sweep.PrunerConfig) *options { return &options{given: c.Options} }

func (o *options) fail(format string, args ...any) {
	if o.err == nil {
		o.err = fmt.Errorf(format, args...)
	}
}

// number reads an option from low to high.
func (o *options) number(name string, otherwise, low, high float64) float64 {
	o.known = append(o.known, name)
	given, ok := o.given[name]
	if !ok {
		return otherwise
	}
	v, ok := trials.Number(given)
	if !ok || !(v >= low && v <= high) {
		o.fail("option %s is %s: it must be a number from %g to %g", name, trials.FormatValue(given), low, high)
		return otherwise
	}
	return v
}

// whole reads an option that is a whole number from low on.
func (o *options) whole(name string, otherwise, low int) int {
	const most = 1 << 30
	v := o.number(name, float64(otherwise), float64(low), most)
	if v != float64(int(v)) {
		o.fail("option %s is %g: it must be a whole number", name, v)
	}
	return int(v)
}

// text reads an option that is one of some words.
func (o *options) text(name, otherwise string, words []string) string {
	o.known = append(o.known, name)
	given, ok := o.given[name]
	if !ok {
		return otherwise
	}
	if s, is := given.(string); is && slices.Contains(words, s) {
		return s
	}
	o.fail("option %s is %s: it must be one of %s", name, trials.FormatValue(given), strings.Join(words, ", "))
	return otherwise
}

// done refuses options that nobody read.
func (o *options) done() error {
	for _, name := range o.given.Names() {
		if o.err == nil && !slices.Contains(o.known, name) {
			slices.Sort(o.known)
			o.err = fmt.Errorf("no option %q; %s", name, suggest(name, o.known))
		}
	}
	return o.err
}

// suggest names the option that was most likely meant, or all of them.
func suggest(name string, known []string) string {
	if len(known) == 0 {
		return "it has none"
	}
	near, least := "", 3
	for _, k := range known {
		if d := distance(name, k); d < least {
			near, least = k, d
		}
	}
	if near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "there are " + strings.Join(known, ", ")
}

// distance is how many letters have to be put in, left out or changed to turn a into b (Levenshtein 1966).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
