package nsga

// Fronts sorts points by their losses and violations, and gives crowding distances: for the tests.
func Fronts(losses [][]float64, violations []float64) (ranks []int, crowding []float64) {
	var all []*individual
	for i, l := range losses {
		all = append(all, &individual{number: i, losses: l, violation: violations[i]})
	}
	fronts(all)
	for _, a := range all {
		ranks, crowding = append(ranks, a.rank), append(crowding, a.crowding)
	}
	return ranks, crowding
}
