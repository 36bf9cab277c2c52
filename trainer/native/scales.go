package native

import "github.com/mapsweep/mapsweep/trainer/dataset/augment"

// Training at several scales (knob multi_scale): the pictures of a batch are resized to a side that is drawn for it, and
// the step is made by the network for that side. All share one memory, made for the largest.

// side is how many pixels a side the pictures of batch k of an epoch have.
func (r *run) side(epoch, k int) int {
	return augment.Side(r.job.Seed, epoch, k, r.data.Size, r.b.model.multiple, r.set.multiScale)
}

// mostSide is the largest of all.
func (r *run) mostSide() int {
	return augment.MostSide(r.data.Size, r.b.model.multiple, r.set.multiScale)
}

// values is how many numbers a batch of pictures of that side has.
func (r *run) values(side int) int { return r.b.cfg.Batch * side * side * 3 }

// resized tells whether any of the first steps has pictures of another side than the data set's.
func (r *run) resized(steps int) bool {
	for n := range steps {
		if r.side(n/r.steps, n%r.steps) != r.data.Size {
			return true
		}
	}
	return false
}
