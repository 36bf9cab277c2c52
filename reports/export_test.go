package reports

// TopOf is what the tests call of the choice of top arms.
func TopOf(s *Snapshot, b *Block) []int { return s.top(b) }
