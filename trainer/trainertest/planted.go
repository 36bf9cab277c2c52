package trainertest

import (
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// Planted are known effects under known noise: a score is 0.5, plus the effects of the job's parameters, plus what
// a seed does to every configuration alike, plus what it does to each on its own. The same job always scores the same.
type Planted struct {
	Effects map[string]float64 // by parameter and value: "x=0"
	SD      float64            // of the difference between two configurations over seeds
	Shared  float64            // standard deviation of what a seed does to all alike; pairing takes it away
}

// Metrics can be those of a Fake: mAP50-95 is the score, whatever the epoch.
func (p Planted) Metrics(job trainer.Job, _ int) map[string]float64 {
	score := 0.5
	for _, name := range job.Params.Names() {
		score += p.Effects[name+"="+trials.FormatValue(job.Params[name])]
	}
	own := fnv.New64a()
	own.Write([]byte(job.Params.Key() + " " + job.Data))
	score += p.Shared * rand.New(rand.NewPCG(uint64(job.Seed), 1)).NormFloat64()
	score += p.SD / math.Sqrt2 * rand.New(rand.NewPCG(uint64(job.Seed), own.Sum64())).NormFloat64()
	return map[string]float64{"mAP50-95": score}
}
