package trials_test

import (
	"encoding/json"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
)

func TestIdentity(t *testing.T) {
	base := func() trials.Suggestion {
		return trials.Suggestion{Key: "a", Params: trials.Params{"lr": 0.5, "n": int64(1), "opt": "sgd"},
			Attrs: map[string]json.RawMessage{trials.AttrSeed: trials.Attr(7), trials.AttrData: trials.Attr("digits")}}
	}
	attr := func(name string, v any) func(*trials.Suggestion) {
		return func(s *trials.Suggestion) { s.Attrs[name] = trials.Attr(v) }
	}
	for name, c := range map[string]struct {
		change func(*trials.Suggestion)
		same   bool
	}{
		"another key":        {func(s *trials.Suggestion) { s.Key = "b" }, true},
		"another arm":        {attr(trials.AttrArm, "b"), true},
		"1.0 for 1":          {func(s *trials.Suggestion) { s.Params["n"] = 1.0 }, true},
		"another value":      {func(s *trials.Suggestion) { s.Params["lr"] = 0.25 }, false},
		"text for a number":  {func(s *trials.Suggestion) { s.Params["n"] = "1" }, false},
		"one parameter more": {func(s *trials.Suggestion) { s.Params["x"] = nil }, false},
		"text with a break":  {func(s *trials.Suggestion) { s.Params["opt"] = "sgd\nx" }, false},
		"another seed":       {attr(trials.AttrSeed, 8), false},
		"another data set":   {attr(trials.AttrData, "trees"), false},
		"a length":           {attr(trials.AttrEpochs, 10), false},
		"repeats a trial":    {attr(trials.AttrRetryOf, 0), false},
		"continues a trial":  {attr(trials.AttrContinues, 0), false},
		"another bracket":    {attr(trials.AttrBracket, 1), true},
	} {
		s := base()
		c.change(&s)
		if same := string(s.Identity()) == string(base().Identity()); same != c.same {
			t.Errorf("%s: same %v, want %v", name, same, c.same)
		}
	}
	a, b := base(), base()
	attr(trials.AttrRetryOf, 3)(&a)
	attr(trials.AttrRetryOf, 3)(&b)
	if string(a.Identity()) != string(b.Identity()) {
		t.Error("two repetitions of one trial differ")
	}
	for name, change := range map[string]func(*trials.Suggestion){
		"no seed": func(s *trials.Suggestion) { delete(s.Attrs, trials.AttrSeed) }, "imported": attr(trials.AttrImported, map[string]int{}),
	} {
		s := base()
		if change(&s); s.Identity() != nil {
			t.Errorf("%s: has an identity", name)
		}
	}
}
