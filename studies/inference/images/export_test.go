package images

// Means is the estimate of a plain mean over pictures of the values of each seed and picture, for comparison with
// tools that know means only.
func Means(values [][]float64, o Options) Estimate {
	o = o.complete()
	s := &sheet{}
	for i := range values[0] {
		s.images = append(s.images, i)
	}
	t := table{drawn: make([][]float64, len(values))}
	counts := make([]int, len(s.images))
	for b := -1; b < o.Draws; b++ {
		s.draw(counts, o.Seed, b)
		for i, v := range values {
			sum := 0.
			for j, x := range v {
				sum += float64(counts[j]) * x
			}
			if sum /= float64(len(v)); b < 0 {
				t.full = append(t.full, sum)
			} else {
				t.drawn[i] = append(t.drawn[i], sum)
			}
		}
	}
	return t.estimate("mean", o, len(s.images))
}
