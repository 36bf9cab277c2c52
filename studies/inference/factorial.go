package inference

import "slices"

// Aliased is the verdict on a term of a factorial whose estimate is the sum of several effects.
const Aliased Verdict = "aliased"

// Where the error of a factorial comes from.
const (
	SeedBlocks = "seed blocks"
	Lenth      = "Lenth"
)

// Factorial is the analysis of a design that varies several factors at once.
type Factorial struct {
	Terms  []Term `json:"terms"`  // main effects in factor order, then interactions
	Runs   int    `json:"runs"`   // different points
	Seeds  int    `json:"seeds"`  // replicates of each, as blocks
	N      int    `json:"n"`      // trials with a score
	Method string `json:"method"` // where the error comes from: SeedBlocks, Lenth, "" where there is none
	// Residual is the standard deviation of a trial about its point and seed, with DF degrees of freedom; NaN without replicates.
	Residual float64 `json:"residual"`
	DF       float64 `json:"df"`
	// PSE, ME and SME are Lenth's pseudo standard error and margins of error (one term, all terms), in units of an
	// effect that all runs enter in halves; NaN with replicates.
	PSE float64 `json:"pse"`
	ME  float64 `json:"me"`
	SME float64 `json:"sme"`
	// Unchecked says that estimates assume that no two factors act together, and that these points cannot check it.
	Unchecked bool     `json:"unchecked,omitempty"`
	Notes     []string `json:"notes,omitempty"` // whole sentences
}

// Term is a main effect (one factor) or an interaction. Of two-level factors the estimate is the mean at the changed
// level minus the mean at the baseline's; of an interaction, half the difference of one factor's effects between the
// levels of the other. A factor of more levels has a term for each level but the baseline's. Means are over the levels
// of all other factors, each weighing the same, at the points where the factor matters.
type Term struct {
	Factors  []string   `json:"factors"`
	Levels   []string   `json:"levels"` // that the estimate goes to, one per factor
	Label    string     `json:"label"`  // "mosaic 1 → 0", "mosaic × mixup"
	Estimate float64    `json:"estimate"`
	SE       float64    `json:"se"`
	Low      float64    `json:"low"` // own interval at level 1-alpha
	High     float64    `json:"high"`
	P        float64    `json:"p"`
	PHolm    float64    `json:"p_holm"`
	Aliases  [][]string `json:"aliases,omitempty"` // main effects and interactions of two that the design cannot tell from this one
	Partial  []Partial  `json:"partial,omitempty"` // those that it tells apart in part only, by falling weight
	Clear    bool       `json:"clear"`             // neither
	Verdict  Verdict    `json:"verdict"`
	Reason   string     `json:"reason"`
	// Cells are the mean scores behind it: by level of the factor, or of both factors.
	Cells []Cell `json:"cells,omitempty"`
}

// Partial is an effect that biases another one's estimate: by Weight times its own size.
type Partial struct {
	Factors []string `json:"factors"`
	Label   string   `json:"label"`
	Weight  float64  `json:"weight"`
}

// Cell is the mean of all trials with those levels.
type Cell struct {
	Levels []string `json:"levels"` // one per factor of the term
	N      int      `json:"n"`
	Mean   float64  `json:"mean"`
}

// Absent is the level of a factor that does not matter at a point.
const Absent = -1

// Setting is a factor of a factorial.
type Setting struct {
	Name     string
	Levels   []string // as people read them
	Baseline int      // index of the baseline's level
	Parents  []int    // factors that must have certain levels for this one to matter
}

// Run is one point of a factorial with its scores by replicate; replicates of one number share a seed.
type Run struct {
	Levels []int // by factor: an index of its levels, or Absent
	Scores map[int]float64
}

// Nothing is the error of an analysis that the data cannot carry: a whole sentence for people.
type Nothing string

// Error is the sentence.
func (n Nothing) Error() string { return string(n) }

// unchecked is the note on estimates that lean on an assumption which no point is left to check.
const unchecked = "Nothing here checks whether two factors act together, so that no main effect that interactions lean on is called clear, however small its p. " +
	"If none do, estimates and intervals hold as they stand, and the largest are the likely ones; one strong interaction would look like many small main effects. Folding the design over tells these apart."

// AnalyzeFactorial estimates main effects and interactions of two factors by least squares, with replicates as blocks.
// Interactions that the design cannot tell from others are one term with aliases, and no verdict is given on it;
// nor on one that unestimated interactions lean on where no point is left to check that there are none. The error comes from the scatter about the points and the blocks, or in a design that ran once from Lenth's (1989) pseudo
// standard error. P values are corrected by Holm over the terms. The error is Nothing where nothing can be estimated.
func AnalyzeFactorial(settings []Setting, runs []Run, o Options) (Factorial, error) {
	m, err := newModel(settings, runs)
	if err != nil {
		return Factorial{}, err
	}
	m.group()
	if err := m.fit(); err != nil {
		return Factorial{}, err
	}
	f := Factorial{Runs: m.cells, Seeds: m.blocks, N: len(m.y), Notes: m.notes}
	f.Terms = m.terms()
	e := m.noise(o)
	f.Method, f.Residual, f.DF, f.PSE, f.ME, f.SME = e.method, e.residual, e.df, e.pse, e.me, e.sme
	f.Notes = append(f.Notes, e.notes...)
	f.test(m, e, o)
	if e.open && slices.ContainsFunc(f.Terms, func(t Term) bool { return len(t.Partial) > 0 }) {
		f.Unchecked = true
		f.Notes = append(f.Notes, unchecked)
	}
	return f, nil
}
