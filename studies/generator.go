package studies

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// letters stand for factors in generators, in the order of the study. There is no I: it is the identity of a
// defining relation (Box, Hunter and Hunter, Statistics for Experimenters).
const letters = "ABCDEFGHJKLMNOPQRSTUVWXYZ"

// MostLetters is the number of factors that a fractional factorial can have.
const MostLetters = len(letters)

// Letter stands for the factor with that index in generators.
func Letter(factor int) string { return letters[factor : factor+1] }

// Generator says how a factor of a fractional factorial follows from others: its coded level (-1 the baseline's, 1 the
// other one) is the product of theirs, or minus that product.
type Generator struct {
	Factor   int
	Of       []int // rising
	Negative bool
}

// String writes it in letters: "E=-ABC".
func (g Generator) String() string {
	s := Letter(g.Factor) + "="
	if g.Negative {
		s += "-"
	}
	for _, f := range g.Of {
		s += Letter(f)
	}
	return s
}

// Generators reads the generators of a fractional factorial: "E=ABC", "E = -ABC", or with names, "mixup =
// mosaic*lr0". The error is a Fault whose path is that of the generator.
func Generators(factors []Factor, texts []string) ([]Generator, error) {
	var gs []Generator
	for i, text := range texts {
		g, err := readGenerator(factors, text)
		if err == nil {
			err = agrees(factors, gs, g)
		}
		if err != nil {
			return nil, Fault{Path: index("design.generators", i), Text: text, Message: fmt.Sprintf("generator %q: %v", text, err),
				Hint: generatorHint(factors)}
		}
		gs = append(gs, g)
	}
	for i, g := range gs {
		for _, other := range gs {
			if slices.Contains(g.Of, other.Factor) {
				return nil, Fault{Path: index("design.generators", i), Text: texts[i], Message: fmt.Sprintf("generator %q: %s is generated itself", texts[i], factors[other.Factor].Name),
					Hint: "write " + Letter(g.Factor) + " by factors that are not generated"}
			}
		}
	}
	return gs, nil
}

func generatorHint(factors []Factor) string {
	var key []string
	for i, f := range factors {
		if i == MostLetters {
			break
		}
		key = append(key, Letter(i)+" is "+f.Name)
	}
	return strings.Join(key, ", ")
}

func readGenerator(factors []Factor, text string) (Generator, error) {
	left, right, ok := strings.Cut(text, "=")
	if !ok {
		return Generator{}, fmt.Errorf("it has no equals sign, as E=ABC has")
	}
	of, err := product(factors, left)
	if err != nil {
		return Generator{}, err
	}
	if len(of) != 1 {
		return Generator{}, fmt.Errorf("left of the equals sign stands one factor")
	}
	g := Generator{Factor: of[0]}
	right = strings.TrimSpace(right)
	if rest, minus := strings.CutPrefix(right, "-"); minus {
		right, g.Negative = rest, true
	} else {
		right = strings.TrimPrefix(right, "+")
	}
	if g.Of, err = product(factors, right); err != nil {
		return Generator{}, err
	}
	switch {
	case slices.Contains(g.Of, g.Factor):
		return Generator{}, fmt.Errorf("%s follows from itself", factors[g.Factor].Name)
	case len(g.Of) < 2:
		return Generator{}, fmt.Errorf("%s would always change together with %s", factors[g.Factor].Name, factors[g.Of[0]].Name)
	}
	return g, nil
}

// product reads names joined by *, or letters; the name of a factor goes before its reading as letters.
func product(factors []Factor, text string) ([]int, error) {
	var out []int
	for part := range strings.SplitSeq(text, "*") {
		part = strings.TrimSpace(part)
		if part == "" {
			return nil, fmt.Errorf("a factor is missing")
		}
		if i := slices.IndexFunc(factors, func(f Factor) bool { return f.Name == part }); i >= 0 {
			out = append(out, i)
			continue
		}
		for _, r := range part {
			i := strings.IndexRune(letters[:min(len(factors), MostLetters)], r)
			if i < 0 {
				return nil, fmt.Errorf("%q is no factor", part)
			}
			out = append(out, i)
		}
	}
	slices.Sort(out)
	for i := 1; i < len(out); i++ {
		if out[i] == out[i-1] {
			return nil, fmt.Errorf("%s is there twice", factors[out[i]].Name)
		}
	}
	return out, nil
}

// agrees says what is wrong with a generator beside earlier ones.
func agrees(factors []Factor, earlier []Generator, g Generator) error {
	for _, e := range earlier {
		switch {
		case e.Factor == g.Factor:
			return fmt.Errorf("%s is generated twice", factors[g.Factor].Name)
		case slices.Equal(e.Of, g.Of):
			return fmt.Errorf("%s would always change together with %s", factors[g.Factor].Name, factors[e.Factor].Name)
		}
	}
	return nil
}

// Resolution is the length of the shortest word in the defining relation that generators make; 0 without any.
func Resolution(gs []Generator) int {
	shortest, word := 0, uint32(0)
	for i := uint32(1); i < 1<<len(gs); i++ { // in the order of a Gray code, one generator changes at a time
		g := gs[bits.TrailingZeros32(i)]
		word ^= 1 << g.Factor
		for _, f := range g.Of {
			word ^= 1 << f
		}
		if n := bits.OnesCount32(word); shortest == 0 || n < shortest {
			shortest = n
		}
	}
	return shortest
}
