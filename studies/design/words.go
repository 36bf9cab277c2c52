package design

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Words says for people what a fraction can tell and what not: how precise an effect is, generators, defining
// relation, and the alias table. There are none for a design that has no aliases to tell of.
func (p Plan) Words() []string {
	if p.Resolution == "" {
		return nil
	}
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if p.Resolution == fullResolution {
		say("all combinations are run: every effect and interaction is clear")
	} else {
		say("resolution %s: %s", p.Resolution, resolutionWords[p.Resolution])
	}
	if len(p.Generators) > 0 {
		say("generators %s", strings.Join(p.Generators, ", "))
	}
	if len(p.Relation) > 0 {
		say("defining relation I = %s", strings.Join(p.Relation, " = "))
	}
	if n := len(p.Points) / max(1, len(p.Data)); p.Error > 0 {
		say("standard error of a main effect: %.2f of the sd of a trial; one-factor with as many trials: %.2f",
			p.Error, math.Sqrt(2*float64(len(p.Counts)+1)/float64(n)))
	}
	out = append(out, wholeWords(p.Aliases)...)
	return append(out, partWords(p.Aliases, len(p.Counts))...)
}

var resolutionWords = map[string]string{
	"II":  "main effects cannot all be told from each other",
	"III": "main effects are clear of each other, not of interactions of two",
	"IV":  "main effects are clear of interactions of two, these not of each other",
	"V":   "main effects and interactions of two are clear of each other",
	"VI":  "main effects and interactions of two are clear of each other",
	"VII": "main effects and interactions of up to three are clear of each other",
}

// wholeWords lists the terms that cannot be told apart, each group once, at its first term.
func wholeWords(table []Alias) []string {
	said := map[string]bool{}
	var out []string
	for _, a := range table {
		var group []string
		for i, w := range a.With {
			if whole(a.Weights[i]) && len(w) <= 2 {
				group = append(group, termName(w))
			}
		}
		if len(group) == 0 || said[termName(a.Term)] {
			continue
		}
		for _, g := range group {
			said[g] = true
		}
		out = append(out, termName(a.Term)+" cannot be told from "+strings.Join(group, ", "))
	}
	return out
}

// share is how much of other terms is in an estimate.
type share struct {
	sizes []string // of the weights without their signs, largest first
	terms int
}

func partial(a Alias) share {
	var s share
	var weights []float64
	for _, w := range a.Weights {
		if !whole(w) {
			weights = append(weights, math.Abs(w))
		}
	}
	s.terms = len(weights)
	slices.Sort(weights)
	slices.Reverse(weights)
	for _, w := range weights {
		if t := portion(w); !slices.Contains(s.sizes, t) {
			s.sizes = append(s.sizes, t)
		}
	}
	return s
}

// partWords sums up what is aliased in part, in one line where all main effects are alike.
func partWords(table []Alias, factors int) []string {
	var out []string
	var mains, pairs []Alias
	for _, a := range table {
		if partial(a).terms == 0 {
			continue
		}
		if len(a.Term) == 1 {
			mains = append(mains, a)
		} else {
			pairs = append(pairs, a)
		}
	}
	others := (factors - 1) * (factors - 2) / 2 // interactions that a main effect is no part of
	sizes := func(a Alias) string { return strings.Join(partial(a).sizes, " or ") }
	alike := len(mains) == factors && !slices.ContainsFunc(mains, func(a Alias) bool {
		return partial(a).terms != others || sizes(a) != sizes(mains[0])
	})
	if alike {
		out = append(out, fmt.Sprintf("in every main effect there is %s of each interaction of two other factors, added or taken off: %d of them", sizes(mains[0]), others),
			"no interaction can be estimated: they are in the main effects")
	} else {
		for _, a := range mains {
			out = append(out, fmt.Sprintf("in %s there is a part (%s) of %s", termName(a.Term), sizes(a), partTerms(a)))
		}
	}
	if n := len(pairs); n > 0 {
		out = append(out, fmt.Sprintf("%s of two %s parts of others in %s", countOf(n, "interaction"), either(n, "has", "have"), either(n, "it", "them")))
	}
	return out
}

// partTerms names the terms that are there in part, or the first of many.
func partTerms(a Alias) string {
	const most = 6
	var terms []string
	for i, w := range a.With {
		if !whole(a.Weights[i]) {
			terms = append(terms, termName(w))
		}
	}
	if n := len(terms); n > most {
		return fmt.Sprintf("%s and %d more", strings.Join(terms[:most], ", "), n-most)
	}
	return strings.Join(terms, ", ")
}

// portion writes a weight as the simple fraction that it mostly is.
func portion(w float64) string {
	for d := 2; d <= 24; d++ {
		if n := math.Round(w * float64(d)); math.Abs(w*float64(d)-n) < tiny*float64(d) && n > 0 {
			return fmt.Sprintf("%.0f/%d", n, d)
		}
	}
	return fmt.Sprintf("%.2f", w)
}

func countOf(n int, noun string) string { return fmt.Sprintf("%d %s%s", n, noun, plural(n)) }

func either(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
