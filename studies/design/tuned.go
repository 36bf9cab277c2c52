package design

import (
	"strconv"

	"github.com/mapsweep/mapsweep/studies"
)

// TunedPoint is a trial that trains what a tuning chose for an arm. Params are the arm's own: what is tuned comes over
// them once it is known.
type TunedPoint struct {
	Point
	Tuning int // from 0
}

// TunedPoints lays out the trials of a study's tuned arms, tuning by tuning, each with the plan's replicates and data
// sets. Their seeds are the same in all arms, and fresh: no two tunings share one, and neither do they with the
// untuned arms or with what was trained while tuning. It is empty without tune.
func TunedPoints(p Plan, s studies.Spec) []TunedPoint {
	if s.Tune == nil {
		return nil
	}
	points := make([]TunedPoint, 0, len(p.Points)*s.Tune.Repeats)
	for r := range s.Tune.Repeats {
		for _, q := range p.Points {
			q.Params, q.Seed = q.Params.Clone(), TunedSeed(s.Seed, r, q.Replicate)
			q.Key = key(q.Arm+" tuned "+strconv.Itoa(r), q.Data, q.Replicate)
			points = append(points, TunedPoint{q, r})
		}
	}
	return points
}

const (
	// tunedStride lies between the replicate numbers of two tunings: more than a study has trials.
	tunedStride = 1 << 20
	// freshSeeds is up to how many replicates of a tuned arm, and up to how many repetitions of a configuration in a
	// tuning, seeds are told apart.
	freshSeeds = 4096
)

// TunedSeed is the trainer's seed of a replicate of what a tuning chose.
func TunedSeed(study int64, tuning, replicate int) int64 {
	return Seed(study, (1+tuning)*tunedStride+replicate)
}

// TuningSeed is the seed of the search that a tuning is, the same for all arms. The trainings of that search have
// other seeds than those of the study's own trials, tuned or not.
func TuningSeed(study int64, tuning int) int64 {
	for k := uint64(tuning + 1); ; k += studies.MaxTunings {
		seed := int64(mix(uint64(study)^k*0x9e3779b97f4a7c15) >> 1)
		fresh := true
		for n := 0; n < freshSeeds && fresh; n++ {
			fresh = !reserved(study, Seed(seed, n))
		}
		if fresh {
			return seed
		}
	}
}

// reserved says that a replicate of the study itself, tuned or not, has the seed: it turns Seed round.
func reserved(study, seed int64) bool {
	start := mix(uint64(study)) % seedModulus
	stride := 1 + mix(uint64(study)^0x5bf03635)%(seedModulus-1)
	replicate := (uint64(seed-1) + seedModulus - start) % seedModulus * inverse(stride) % seedModulus
	return replicate < (1+studies.MaxTunings)*tunedStride && replicate%tunedStride < freshSeeds
}

// inverse is 1/x modulo the prime seedModulus: x to the power of the prime less 2.
func inverse(x uint64) uint64 {
	out := uint64(1)
	for e := uint64(seedModulus - 2); e > 0; e >>= 1 {
		if e&1 == 1 {
			out = out * x % seedModulus
		}
		x = x * x % seedModulus
	}
	return out
}
