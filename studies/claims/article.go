package claims

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync"
)

//go:embed tuning-article.yaml
var article []byte

// ErrUnknown is returned for an id that no published claim has.
var ErrUnknown = errors.New("no such published claim")

var parsed = sync.OnceValue(func() []Claim {
	all, err := Parse(article, "tuning-article.yaml")
	if err != nil {
		panic("claims: " + err.Error()) // embedded, so that only a broken build gets here
	}
	return all
})

// All returns the claims that come with the binary, in the order of their source.
func All() []Claim { return append([]Claim(nil), parsed()...) }

// Find finds a claim by its id.
func Find(id string) (Claim, error) {
	var ids []string
	for _, c := range parsed() {
		if c.ID == id {
			return c, nil
		}
		ids = append(ids, c.ID)
	}
	return Claim{}, fmt.Errorf("find %q: %w, there are %s", id, ErrUnknown, strings.Join(ids, ", "))
}

// OfStudy finds the claim that a shipped study tests, if it tests one.
func OfStudy(study string) (Claim, bool) {
	for _, c := range parsed() {
		if c.Study == study {
			return c, true
		}
	}
	return Claim{}, false
}
