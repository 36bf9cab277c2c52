package design

// seedModulus is 2^31 - 1, a prime: seeds fit a signed 32-bit integer, which every trainer takes.
const seedModulus = 1<<31 - 1

// Seed is the trainer's seed of a replicate: between 1 and 2^31 - 1, the same in all
// arms of a study, and different for any two replicates of one study. It depends on
// nothing but the study's seed and the replicate, so that more replicates, levels or
// workers leave it as it is.
func Seed(study int64, replicate int) int64 {
	start := mix(uint64(study)) % seedModulus
	stride := 1 + mix(uint64(study)^0x5bf03635)%(seedModulus-1) // never 0 modulo the prime: a full cycle
	return int64(1 + (start+uint64(replicate)%seedModulus*stride)%seedModulus)
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014): nearby inputs give unrelated outputs.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
