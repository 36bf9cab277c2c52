package design

// FirstChoice says whether TuningSeed took its first candidate.
func FirstChoice(study int64, tuning int) bool {
	return TuningSeed(study, tuning) == int64(mix(uint64(study)^uint64(tuning+1)*0x9e3779b97f4a7c15)>>1)
}
