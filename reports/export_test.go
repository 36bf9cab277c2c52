package reports

import "github.com/mapsweep/mapsweep/studies/inference"

// TopOf is what the tests call of the choice of top arms.
func TopOf(s *Snapshot, b *Block) []int { return s.top(b, inference.Options{}) }
