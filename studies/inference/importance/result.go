package importance

// Result is the importance of parameters, each number a share of the variance of scores over the space, 0 to 1.
type Result struct {
	Method    string     `json:"method"` // "fANOVA", "PED-ANOVA"
	N         int        `json:"n"`      // points that it rests on
	Single    []Share    `json:"single"` // by falling value
	Pairs     []Pair     `json:"pairs,omitempty"`
	Marginals []Marginal `json:"marginals,omitempty"` // in the order of the space
	// Bias says in a sentence why the points are no even sample of the space, "" if they are.
	Bias  string   `json:"bias,omitempty"`
	Notes []string `json:"notes,omitempty"`
}

// Share is one parameter's part, with its standard deviation over the trees of the forest (NaN where there are none).
type Share struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	SD    float64 `json:"sd"`
}

// Pair is what two parameters do together beyond what each does alone.
type Pair struct {
	A     string  `json:"a"`
	B     string  `json:"b"`
	Value float64 `json:"value"`
	SD    float64 `json:"sd"`
}

// Marginal is the mean score along one parameter, averaged over all others.
type Marginal struct {
	Name   string    `json:"name"`
	Labels []string  `json:"labels,omitempty"` // of choices; nil for numbers
	X      []float64 `json:"x"`                // values of a number, or indices of the choices
	Mean   []float64 `json:"mean"`
	SD     []float64 `json:"sd"` // over the trees
	Log    bool      `json:"log,omitempty"`
}
