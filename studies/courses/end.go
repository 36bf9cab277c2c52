package courses

import (
	"fmt"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// end closes a course that is not settled and gets no more replicates.
func end(c *inference.Course, why string) {
	c.Done, c.Verdict = true, inference.OutOfBudget
	c.Reason = fmt.Sprintf("not settled with %s: %s", counted(c.N), why)
}

// count counts an arm's replicates by state.
func (r *reader) count(data, arm string) (n [scored + 1]int) {
	for i := range r.q.Max {
		n[r.cells[place{arm, data, i}].state]++
	}
	return n
}

// unproven says that no replicate of an arm has a score yet. What failed of it is not made up for.
func (r *reader) unproven(data, arm string) bool { return r.count(data, arm)[scored] == 0 }

// broken says why a variant cannot reach its next look because replicates failed, or "". possible is the number of
// pairs that have or may get a score in both arms. An arm of which all replicates before the first look failed is
// given up: the others would cost as much and fail alike.
func (r *reader) broken(data, arm string, possible, look int) string {
	for _, name := range []string{r.plan.Reference, arm} {
		n := r.count(data, name)
		if n[scored]+n[pending] > 0 || n[dead] < r.first {
			continue
		}
		who := "the variant"
		if name == r.plan.Reference {
			who = "the reference"
		}
		return fmt.Sprintf("%s has no score: its first %d replicates failed", who, n[dead])
	}
	if possible < look {
		return fmt.Sprintf("replicates failed: of %d pairs at most %d can have a score, and the next look is at %d", r.q.Max, possible, look)
	}
	return ""
}

func counted(n int) string {
	if n == 1 {
		return "1 pair"
	}
	return fmt.Sprintf("%d pairs", n)
}
