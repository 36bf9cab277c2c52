package design

import "github.com/mapsweep/mapsweep/studies"

// shape is the size of a fraction: k factors in 2^p runs.
type shape struct{ k, p int }

// chosen are the generators of the fraction of k factors in 2^p runs that has the highest resolution and, among those,
// the least aberration (Fries and Hunter 1980): fewest short words. Their signs are such that the run with all factors
// at the baseline's level is among the runs.
func chosen(k, p int) []studies.Generator {
	var gs []studies.Generator
	columns := catalogue[shape{k, p}]
	if k == p+1 {
		columns = []uint16{1<<p - 1} // the product of all others
	}
	for i, c := range columns {
		g := studies.Generator{Factor: p + i}
		for f := range p {
			if c>>f&1 == 1 {
				g.Of = append(g.Of, f)
			}
		}
		g.Negative = len(g.Of)%2 == 0
		gs = append(gs, g)
	}
	return gs
}
