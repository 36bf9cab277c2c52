package claims

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// Attr is the attribute of a study that checks a published claim. It holds a Registered, is stored with the study
// when that is created, before any trial is there, and never changes.
const Attr = "mapsweep:claim"

// Registered is a claim as it was fixed before the first trial.
type Registered struct {
	Hash  string    `json:"hash"` // Claim.Hash
	At    time.Time `json:"at"`
	Claim Claim     `json:"claim"`
	File  string    `json:"file"` // the claim as a file
}

// Register fixes a claim.
func Register(c Claim, at time.Time) Registered {
	return Registered{Hash: c.Hash(), At: at.UTC().Truncate(time.Second), Claim: c, File: string(c.File())}
}

// Of reads the claim that a study checks; ok is false if it checks none. A claim that is not the one that its hash
// was taken of is an error.
func Of(st trials.Study) (r Registered, ok bool, err error) {
	raw, ok := st.Attrs[Attr]
	if !ok {
		return r, false, nil
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, true, fmt.Errorf("read the published claim of study %q: %w", st.Name, err)
	}
	r.Claim.normalise()
	if now := r.Claim.Hash(); now != r.Hash {
		return r, true, fmt.Errorf("the published claim of study %q was changed in the database: registered with hash %s, now %s", st.Name, r.Hash, now)
	}
	return r, true, nil
}

// normalise makes all numbers floats, as Parse does.
func (c *Claim) normalise() {
	floats := func(p trials.Params) {
		for name, v := range p {
			if x, ok := trials.Number(v); ok {
				p[name] = x
			}
		}
	}
	all := append(c.Contrast.settings(), c.Requires, c.Scene.Setting, c.Official.Needs)
	if c.Native != nil {
		all = append(all, c.Native.settings()...)
	}
	for _, p := range all {
		floats(p)
	}
}
