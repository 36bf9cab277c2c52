package courses

import (
	"fmt"

	"github.com/mapsweep/mapsweep/studies/inference"
)

// end closes a course that is not settled and gets no more replicates.
func end(c *inference.Course, why string) {
	c.Done, c.Verdict = true, inference.OutOfBudget
	c.Reason = fmt.Sprintf("not settled with %s: %s", counted(c.N), why)
	if c.Needs > 0 {
		c.Reason += fmt.Sprintf("; it needs about %d more", inference.Roughly(c.Needs))
	}
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

// scoreless says why a variant has no pair and gets none, or "". An arm of which all replicates before the first
// look failed is given up: the others would cost as much and fail alike.
func (r *reader) scoreless(data, arm string) string {
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
	return ""
}

// last looks at a variant for the last time, with the n pairs that there are: so many replicates failed that there
// are none for the next planned look, whose share of alpha this one gets.
func (r *reader) last(v *Variant, c inference.Contrast[int], n int) {
	q := r.q
	q.Last = true
	if q.Rule == inference.Looks { // the other rule has looked at all pairs
		v.Course = inference.Sequential(c.Reference, c.Variant, q)
	}
	if v.Settled {
		return
	}
	v.Broken = true
	if n > 1 && v.Verdict == inference.NotTested { // the scores are all alike, whatever failed
		return
	}
	end(&v.Course, fmt.Sprintf("replicates failed, and of %d pairs no more than %d have a score", q.Max, n))
}

func counted(n int) string {
	if n == 1 {
		return "1 pair"
	}
	return fmt.Sprintf("%d pairs", n)
}
