package claims

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/mapsweep/mapsweep/trials"
)

// decides is what the outcome of a check depends on. Words are left out: a better sentence is no other claim.
type decides struct {
	ID         string           `json:"id"`
	Contrast   Contrast         `json:"contrast"`
	Native     *Contrast        `json:"native"`
	Requires   trials.Params    `json:"requires"`
	Metric     string           `json:"metric"`
	Direction  trials.Direction `json:"direction"`
	Unit       Unit             `json:"unit"`
	Expected   *Interval        `json:"expected"`
	Reported   []Reported       `json:"reported"`
	Conditions []Condition      `json:"conditions"`
	Subset     []Subset         `json:"subset"`
	Needs      trials.Params    `json:"needs"`
	Margin     float64          `json:"margin"`
	Alpha      float64          `json:"alpha"`
}

// Hash is a SHA-256 over everything that decides a check of the claim: stored before the first trial, it
// shows that nothing was moved afterwards.
func (c Claim) Hash() string {
	text, err := json.Marshal(decides{
		ID: c.ID, Contrast: c.Contrast, Native: c.Native, Requires: c.Requires, Metric: c.Metric, Direction: c.Direction, Unit: c.Unit,
		Expected: c.Expected, Reported: c.Reported, Conditions: c.Scene.Conditions, Subset: c.Scene.Subset,
		Needs: c.Official.Needs, Margin: c.Margin, Alpha: c.Alpha,
	})
	if err != nil {
		panic("claims: encode claim " + c.ID + ": " + err.Error()) // finite numbers, texts and truth values only: Parse saw to it
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
