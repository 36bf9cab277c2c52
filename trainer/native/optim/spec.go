package optim

// Kind is which optimiser moves the weights.
type Kind int

// The kinds.
const (
	BySGD Kind = iota
	ByAdam
	ByAdamW
	ByLION
)

// Spec describes an optimiser as data, for whatever carries it out: on the CPU [Spec.Step], on other devices kernels of their
// own. Rates and counts of each step are in an [Update].
type Spec struct {
	Kind        Kind
	Segments    []Segment // of the weights, sorted by place
	Beta1       float64   // of all but SGD, whose momentum is in the rates; 0..1, below 1
	WeightDecay float64   // 0 or more
	ClipNorm    float64   // 0: no clipping
	AMSGrad     bool      // of AdamW
	Sums        bool      // gradients of some batches are summed before weights move
	Averages    bool      // there is a moving average of weights and statistics,
	Average     Average   // which moves with the weights
	Threads     int       // that a step on the CPU uses; 0: 1
}

// Squares says whether there is a moving average of squared gradients, Moments.Square.
func (s Spec) Squares() bool { return s.Kind == ByAdam || s.Kind == ByAdamW }

// Peaks says whether there are the largest of those, Moments.Peak.
func (s Spec) Peaks() bool { return s.Kind == ByAdamW && s.AMSGrad }

// Beta2 is that of the squared gradients, or of LION's average; 0 for SGD.
func (s Spec) Beta2() float64 {
	switch s.Kind {
	case ByAdam, ByAdamW:
		return beta2
	case ByLION:
		return lionBeta2
	}
	return 0
}

// Epsilon is what Adam and AdamW add to the root of the squares.
func (s Spec) Epsilon() float64 { return epsilon }

// Step makes update n, counted from 1, with rates r; see [SGD.Step], [AdamW.Step] and [LION.Step]. m.Mean is the momentum of
// SGD and LION's average.
func (s Spec) Step(weights, grads []float32, m Moments, n int, r Rates) (norm float64) {
	switch s.Kind {
	case ByAdam, ByAdamW:
		o := AdamW{Segments: s.Segments, Beta1: s.Beta1, WeightDecay: s.WeightDecay, ClipNorm: s.ClipNorm, L2: s.Kind == ByAdam, Threads: s.Threads}
		return o.Step(weights, grads, m, n, r)
	case ByLION:
		o := LION{Segments: s.Segments, Beta1: s.Beta1, WeightDecay: s.WeightDecay, ClipNorm: s.ClipNorm, Threads: s.Threads}
		return o.Step(weights, grads, m.Mean, r)
	}
	o := SGD{Segments: s.Segments, WeightDecay: s.WeightDecay, ClipNorm: s.ClipNorm, Threads: s.Threads}
	return o.Step(weights, grads, m.Mean, r)
}
