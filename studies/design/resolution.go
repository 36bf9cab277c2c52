package design

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// fullResolution stands for a resolution where all combinations are run.
const fullResolution = "full"

// roman writes a resolution as is usual.
func roman(n int) string {
	var out string
	for _, d := range []struct {
		value int
		sign  string
	}{{10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}} {
		for ; n >= d.value; n -= d.value {
			out += d.sign
		}
	}
	return out
}

// resolutionOf reads the resolution off an alias table: III if main effects are mixed with interactions of two, wholly
// or in part, IV if only interactions are mixed with each other, else V.
func (b *builder) resolutionOf(table []Alias) string {
	if k := len(b.spec.Factors); k < bits.UintSize-1 && len(b.arms) == 1<<k {
		return fullResolution
	}
	least := 5
	for _, a := range table {
		for _, w := range a.With {
			if len(w) <= 2 {
				least = min(least, len(a.Term)+len(w))
			}
		}
	}
	return roman(least)
}

// mostMixed bounds the entries of an alias table in which every interaction is mixed with many others.
const (
	mostEntries = 5000
	mostMixed   = 12
)

// aliasTable takes over what a reader needs of an alias table that has partial aliases: an interaction
// that stands with a main effect is not clear, and is not listed a second time with what it has in common with other
// interactions, unless they cannot be told apart at all.
func (p *Plan) aliasTable(b *builder, all []Alias) {
	entries := 0
	for _, a := range all {
		if len(a.Term) > 1 && !a.Whole() && slices.ContainsFunc(all, func(m Alias) bool { return len(m.Term) == 1 && !Clear([]Alias{m}, a.Term...) }) {
			continue
		}
		p.Aliases = append(p.Aliases, a)
		entries += len(a.With)
	}
	if entries <= mostEntries {
		return
	}
	cut := false
	for i, a := range p.Aliases {
		if len(a.Term) > 1 && len(a.With) > mostMixed {
			p.Aliases[i], cut = a.largest(mostMixed), true
		}
	}
	if cut {
		b.note("of an interaction's aliases the %d largest are listed", mostMixed)
	}
}

// largest keeps the terms with the largest weights.
func (a Alias) largest(n int) Alias {
	order := make([]int, len(a.With))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(math.Abs(a.Weights[j]), math.Abs(a.Weights[i])) })
	out := Alias{Term: a.Term}
	for _, i := range order[:n] {
		out.With, out.Weights = append(out.With, a.With[i]), append(out.Weights, a.Weights[i])
	}
	return out
}

func log2(n int) int { return bits.Len(uint(n)) - 1 }
