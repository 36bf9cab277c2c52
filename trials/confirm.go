package trials

import "encoding/json"

// AttrConfirms is a study attribute: a Confirms. It marks a study that trains the best points of a search again.
const AttrConfirms = "mapsweep:confirms"

// Confirms says which points of which search a study trains again, from seeds that the search never used.
type Confirms struct {
	Study  string `json:"study"`  // the search
	Of     int    `json:"of"`     // configurations with a complete trial that the picks were chosen among
	Tune   string `json:"tune"`   // split that the search was scored on
	Report string `json:"report"` // split that the confirmation is scored on
	Picks  []Pick `json:"picks"`  // best first, as the search had them
}

// Pick is a configuration that was chosen for its score.
type Pick struct {
	Arm    string  `json:"arm"`    // variant of the confirmation that trains it
	Trials []int   `json:"trials"` // of the search
	Value  float64 `json:"value"`  // mean score in the search when it was picked: chosen for being best, and so optimistic
}

// Confirms reads AttrConfirms.
func (s Study) Confirms() (c Confirms, ok bool) {
	raw, ok := s.Attrs[AttrConfirms]
	return c, ok && json.Unmarshal(raw, &c) == nil
}
