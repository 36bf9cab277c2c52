package images

import "math"

// Estimate is a score, or a difference of two arms' scores, with its uncertainty; all in the metric's stored unit
// (fractions). What cannot be told is NaN, and Reason says why.
type Estimate struct {
	Arm    string
	Seeds  int // trainings, of the difference: pairs
	Images int // pictures that are scored
	Draws  int // of seeds and pictures that the interval rests on

	Mean     float64 // over seeds, on all pictures
	SE       float64 // over seeds and pictures
	DF       float64 // degrees of freedom of SE
	Low      float64 // interval over seeds and pictures
	High     float64
	SeedLow  float64 // t interval over seeds, pictures fixed
	SeedHigh float64
	// DrawnLow and DrawnHigh are the plain percentiles of the draws. They are too narrow for few seeds.
	DrawnLow, DrawnHigh float64

	Variance Parts
	Advice   string // what would narrow the interval, in words; "" if the data do not say
	Reason   string // one sentence, where numbers are missing
}

// Parts split the variance of a mean over n seeds on N pictures: Seeds/n' + Images/N' + Both/(n'N') is what n' seeds
// on N' pictures would have, each part here already divided by this study's own n and N.
type Parts struct {
	Seeds  float64 // between trainings: gone with many seeds
	Images float64 // between pictures: gone with many pictures
	Both   float64 // of a training on a picture: gone with either
}

// Total is the variance of the mean.
func (p Parts) Total() float64 { return p.Seeds + p.Images + p.Both }

// SeedShare is the part of the variance, 0 to 1, that any number of seeds would remove at the most.
func (p Parts) SeedShare() float64 { return (p.Seeds + p.Both) / p.Total() }

// ImageShare is the part of the variance, 0 to 1, that any number of pictures would remove at the most.
func (p Parts) ImageShare() float64 { return (p.Images + p.Both) / p.Total() }

// Sentences of Advice.
const (
	MoreImages = "more seeds will not help; more validation images will"
	MoreSeeds  = "more validation images will not help; more seeds will"
	MoreOfAny  = "more seeds and more validation images both help"
)

// silent is an estimate without numbers.
func silent(arm, reason string) Estimate {
	nan := math.NaN()
	return Estimate{Arm: arm, Reason: reason, Mean: nan, SE: nan, DF: nan, Low: nan, High: nan, SeedLow: nan, SeedHigh: nan,
		DrawnLow: nan, DrawnHigh: nan, Variance: Parts{nan, nan, nan}}
}
