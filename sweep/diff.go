package sweep

import (
	"fmt"

	"github.com/mapsweep/mapsweep/studies"
)

// diff says whether now extends old, and names the differences.
func diff(old, now studies.Spec) (extends bool, changes []string) {
	same := now
	add := func(what string, a, b any) { changes = append(changes, fmt.Sprintf("%s: %v -> %v", what, a, b)) }
	if old.Replicates != now.Replicates {
		add("replicates", old.Replicates, now.Replicates)
		same.Replicates = old.Replicates
	}
	if old.Budget != now.Budget {
		add("budget", old.Budget, now.Budget)
		same.Budget = old.Budget
	}
	if old.Search != nil && now.Search != nil && old.Search.Trials != now.Search.Trials {
		s := *now.Search
		s.Trials = old.Search.Trials
		add("search.trials", old.Search.Trials, now.Search.Trials)
		same.Search = &s
	}
	a, _ := old.JSON()
	b, _ := same.JSON()
	if string(a) != string(b) {
		return false, append(changes, string(a)+" -> "+string(b))
	}
	return now.Replicates >= old.Replicates, changes
}
