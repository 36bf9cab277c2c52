package design

// Fresh is a seed for a study of which no replicate, of the first thousand, has a seed that the study with the seed given
// has (in its first ten thousand replicates) or that is among used. It depends on these alone.
func Fresh(study int64, used map[int64]bool) int64 {
	const replicates, others = 1000, 10000
	taken := make(map[int64]bool, others+len(used))
	for n := range others {
		taken[Seed(study, n)] = true
	}
	for s := range used {
		taken[s] = true
	}
	for k := uint64(1); ; k++ {
		seed := int64(mix(uint64(study)^k*0xd1342543de82ef95) >> 1)
		fresh := true
		for n := 0; n < replicates && fresh; n++ {
			fresh = !taken[Seed(seed, n)]
		}
		if fresh {
			return seed
		}
	}
}
