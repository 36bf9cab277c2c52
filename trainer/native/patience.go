package native

import "fmt"

// fitness is by what the official code chooses its best epoch: 0.1 mAP50 + 0.9 mAP50-95.
func fitness(m map[string]float64) (v float64, ok bool) {
	a, one := m["mAP50"]
	b, two := m["mAP50-95"]
	return 0.1*a + 0.9*b, one && two
}

// watched is the metric that patience goes by. ok is false in an epoch without a score.
func (r *run) watched(m map[string]float64) (v float64, ok bool) {
	if r.set.patienceMetric == Fitness {
		return fitness(m)
	}
	v, ok = m[r.set.patienceMetric]
	return v, ok
}

// exhausted says why no further epoch is to be trained, or "". As in the official code an epoch as good as the best
// counts as better, so that a run that finds nothing yet goes on. It reads the finished epochs alone, and so is right
// after a break, too.
func (r *run) exhausted() string {
	if r.set.patience == 0 {
		return ""
	}
	best, at, last := 0.0, 0, 0
	for _, c := range r.curves {
		v, ok := r.watched(c.Metrics)
		if !ok {
			continue
		}
		last = c.Epoch
		if at == 0 || v >= best {
			best, at = v, c.Epoch
		}
	}
	if last-at < r.set.patience {
		return ""
	}
	return fmt.Sprintf("ended after epoch %d of %d: patience is %d, and %s was best in epoch %d, %.4g", len(r.curves), r.job.Epochs, r.set.patience, r.set.patienceMetric, at, best)
}

// valEvery is after how many epochs is scored.
func (r *run) valEvery() int {
	if r.set.valInterval > 1 {
		return r.set.valInterval
	}
	return r.b.cfg.ValEvery
}
