package design

import "github.com/mapsweep/mapsweep/studies"

// For tests of the constructions by themselves.
var (
	Screening = screening
	Turned    = turned
	Latin     = latin
	SobolBits = sobol
	Scrambled = scrambled
	Roman     = roman
)

// Fraction lays out k factors in 2^p runs as chosen, or by generators, and gives rows, at least so many words with signs, and aliases.
func Fraction(factors []studies.Factor, l studies.Layout, least, order int) (rows [][]float64, words []string, aliases []Alias, err error) {
	r, _, err := fraction(factors, l)
	if err != nil {
		return nil, nil, nil, err
	}
	shortest, _ := r.relation(least)
	for _, w := range shortest {
		words = append(words, w.String())
	}
	var names []string
	for _, f := range factors {
		names = append(names, f.Name)
	}
	return r.rows(), words, r.aliases(names, order), nil
}

// Shapes lists the catalogue.
func Shapes() (out [][2]int) {
	for s := range catalogue {
		out = append(out, [2]int{s.k, s.p})
	}
	return out
}
