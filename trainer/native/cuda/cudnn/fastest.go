package cudnn

import (
	"errors"
	"fmt"
)

// Candidate is one way to do some work on a stream, our own kernels' or an Algorithm's.
type Candidate struct {
	Name string
	Run  func() error // puts the work into the stream
}

// noticeable is by which share of time a later candidate must be faster to be preferred.
const noticeable = 0.03

// Fastest times the candidates and gives the number of the fastest. measure runs a candidate and returns how long the device was at
// work, in seconds. Each runs once unmeasured, then rounds times (at least once), in turns, and its least time counts. An earlier
// candidate stays unless a later one is noticeably faster. Candidates that fail take no part; if all do, their errors are returned.
func Fastest(candidates []Candidate, rounds int, measure func(run func() error) (float64, error)) (int, error) {
	least := make([]float64, len(candidates))
	faults := make([]error, len(candidates))
	for i, c := range candidates {
		if err := c.Run(); err != nil {
			faults[i] = fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	for round := range max(rounds, 1) {
		for i, c := range candidates {
			if faults[i] != nil {
				continue
			}
			seconds, err := measure(c.Run)
			if err != nil {
				faults[i] = fmt.Errorf("%s: %w", c.Name, err)
			} else if round == 0 || seconds < least[i] {
				least[i] = seconds
			}
		}
	}
	best := -1
	for i := range candidates {
		if faults[i] == nil && (best < 0 || least[i] < (1-noticeable)*least[best]) {
			best = i
		}
	}
	if best < 0 {
		return -1, errors.Join(append([]error{errors.New("no way to compute it works")}, faults...)...)
	}
	return best, nil
}
