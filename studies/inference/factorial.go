package inference

// Factorial is the analysis of a design that varies several factors at once.
type Factorial struct {
	Terms  []Term `json:"terms"`  // main effects in factor order, then interactions
	Runs   int    `json:"runs"`   // different points
	Seeds  int    `json:"seeds"`  // replicates of each, as blocks
	Method string `json:"method"` // where the error comes from: "seed blocks", "Lenth"
	// Residual is the standard deviation of a trial about the model, with DF degrees of freedom; NaN without replicates.
	Residual float64 `json:"residual"`
	DF       float64 `json:"df"`
	// PSE, ME and SME are Lenth's pseudo standard error and margins of error (one term, all terms); NaN with replicates.
	PSE   float64  `json:"pse"`
	ME    float64  `json:"me"`
	SME   float64  `json:"sme"`
	Notes []string `json:"notes,omitempty"`
}

// Term is a main effect (one factor) or an interaction. Of two-level factors the estimate is the mean at the changed
// level minus the mean at the baseline's; of an interaction, half the difference of one factor's effects between the
// levels of the other.
type Term struct {
	Factors  []string   `json:"factors"`
	Label    string     `json:"label"` // "mosaic 1 → 0", "mosaic × mixup"
	Estimate float64    `json:"estimate"`
	SE       float64    `json:"se"`
	Low      float64    `json:"low"`
	High     float64    `json:"high"`
	P        float64    `json:"p"`
	PHolm    float64    `json:"p_holm"`
	Aliases  [][]string `json:"aliases,omitempty"` // terms that the design cannot tell from this one
	Clear    bool       `json:"clear"`             // no main effect or interaction of two among the aliases
	Verdict  Verdict    `json:"verdict"`
	Reason   string     `json:"reason"`
	// Cells are the mean scores behind it: by level of the factor, or of both factors.
	Cells []Cell `json:"cells,omitempty"`
}

// Cell is the mean of all trials with those levels.
type Cell struct {
	Levels []string `json:"levels"` // one per factor of the term
	N      int      `json:"n"`
	Mean   float64  `json:"mean"`
}
