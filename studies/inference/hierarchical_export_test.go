package inference

// Nested is the hierarchical bootstrap with draws of the test's own.
func Nested(diffs [][]float64, draws int, alpha float64, pick func(n int) int) (low, high float64) {
	return nested(diffs).bootstrap(draws, alpha, pick)
}
