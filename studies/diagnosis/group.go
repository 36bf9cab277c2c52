package diagnosis

import (
	"cmp"
	"slices"
	"strconv"
)

// Group is a finding that several trials of a study share.
type Group struct {
	Rule      string  `json:"rule"`
	Title     string  `json:"title"`
	State     State   `json:"state"`
	Trials    []int   `json:"trials"` // numbers
	Of        int     `json:"of"`     // trials to which the rule applies
	Ranges    []Range `json:"ranges"`
	Threshold string  `json:"threshold"`
	Source    string  `json:"source"`
	Meaning   string  `json:"meaning"`
	Note      string  `json:"note,omitempty"`
	Instead   string  `json:"instead,omitempty"`
	Levers    []Lever `json:"levers,omitempty"`
}

// Range is a number over the trials of a group.
type Range struct {
	Name   string  `json:"name"`
	Unit   Unit    `json:"unit,omitempty"`
	Low    float64 `json:"low"`
	Median float64 `json:"median"`
	High   float64 `json:"high"`
	N      int     `json:"n"`
	Where  string  `json:"where,omitempty"` // the epochs, unless they differ from trial to trial
}

// String is "14.8 to 18.3 points (median 16.2)", or the one value that all have.
func (r Range) String() string {
	low, high := Format(r.Low, r.Unit), Format(r.High, r.Unit)
	switch {
	case low == high:
		return high
	case r.Unit == AtEpoch:
		low = digits(r.Low, r.Unit)
		return "epochs " + low + " to " + digits(r.High, r.Unit)
	}
	text := digits(r.Low, r.Unit) + " to " + high
	if r.N > 2 {
		text += " (median " + digits(r.Median, r.Unit) + ")"
	}
	return text
}

// Summary is a study seen by all rules.
type Summary struct {
	Trials     int     `json:"trials"`               // that were judged
	Unmeasured []int   `json:"unmeasured,omitempty"` // trials without a single epoch
	Groups     []Group `json:"groups"`               // worst first, then by the number of trials
}

// Count is the number of rules whose worst state in any trial this is.
func (s Summary) Count(state State) (n int) {
	seen := map[string]bool{}
	for _, g := range s.Groups { // worst first
		if !seen[g.Rule] && g.State == state {
			n++
		}
		seen[g.Rule] = true
	}
	return n
}

// In are the groups in a state, in order.
func (s Summary) In(state State) []Group {
	var gs []Group
	for _, g := range s.Groups {
		if g.State == state {
			gs = append(gs, g)
		}
	}
	return gs
}

// Summarize puts trials that share a finding together: the same rule, state and meaning.
func Summarize(reports []Report) Summary {
	sum := Summary{Groups: []Group{}}
	type key struct {
		rule, meaning, threshold string
		state                    State
	}
	at := map[key]int{}
	order := map[key]int{}
	applies := map[string]int{}
	var members [][]Finding
	rank, _ := Rules()
	for _, r := range reports {
		if r.Epochs == 0 {
			sum.Unmeasured = append(sum.Unmeasured, r.Trial)
		}
		if r.Epochs > 0 || len(r.Findings) > 0 {
			sum.Trials++
		}
		for _, f := range r.Findings {
			applies[f.Rule]++
			k := key{f.Rule, f.Meaning, f.Threshold, f.State}
			i, ok := at[k]
			if !ok {
				i = len(sum.Groups)
				at[k] = i
				order[k] = slices.Index(rank, f.Rule)
				sum.Groups = append(sum.Groups, Group{Rule: f.Rule, Title: f.Title, State: f.State, Threshold: f.Threshold,
					Source: f.Source, Meaning: f.Meaning, Note: f.Note, Instead: f.Instead})
				members = append(members, nil)
			}
			sum.Groups[i].Trials = append(sum.Groups[i].Trials, r.Trial)
			members[i] = append(members[i], f)
		}
	}
	for i := range sum.Groups {
		g := &sum.Groups[i]
		g.Of = applies[g.Rule]
		g.Ranges = ranges(members[i])
		g.Levers = together(members[i])
	}
	slices.SortStableFunc(sum.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(a.State.rank(), b.State.rank()), cmp.Compare(len(b.Trials), len(a.Trials)),
			cmp.Compare(slices.Index(rank, a.Rule), slices.Index(rank, b.Rule)))
	})
	return sum
}

// ranges spans the numbers of findings by name. A finding that has a name twice (the box loss at two epochs)
// gives two ranges.
func ranges(fs []Finding) []Range {
	out := []Range{}
	type key struct {
		name string
		unit Unit
		nth  int
	}
	values := map[key][]float64{}
	where := map[key][]Number{}
	var order []key
	for _, f := range fs {
		seen := map[string]int{}
		for _, n := range f.Numbers {
			k := key{n.Name, n.Unit, seen[n.Name]}
			seen[n.Name]++
			if values[k] == nil {
				order = append(order, k)
			}
			values[k] = append(values[k], n.Value)
			where[k] = append(where[k], n)
		}
	}
	for _, k := range order {
		v := slices.DeleteFunc(values[k], func(x float64) bool { return !finite(x) })
		if len(v) == 0 {
			continue
		}
		r := Range{Name: k.name, Unit: k.unit, Low: slices.Min(v), Median: median(v), High: slices.Max(v), N: len(v)}
		r.Where = span(where[k])
		out = append(out, r)
	}
	return out
}

// span says at which epochs numbers were read: the same for all, or for single epochs the first and the last.
func span(ns []Number) string {
	same, single := true, true
	from, to := ns[0].From, ns[0].To
	for _, n := range ns {
		same = same && n.From == ns[0].From && n.To == ns[0].To
		single = single && n.From == n.To && n.From > 0
		from, to = min(from, n.From), max(to, n.To)
	}
	switch {
	case same:
		return ns[0].Where()
	case single:
		return "at one of " + Number{From: from, To: to}.Where()
	}
	return ""
}

// together joins the levers of findings; the value of each becomes the list of the trials' values.
func together(fs []Finding) []Lever {
	var ls []Lever
	var now [][]string
	for _, f := range fs {
		for _, l := range f.Levers {
			i := slices.IndexFunc(ls, l.same)
			if i < 0 {
				i = len(ls)
				ls, now = append(ls, l), append(now, nil)
			}
			now[i] = append(now[i], l.Now)
		}
	}
	for i := range ls {
		ls[i].Now = nowValues(now[i])
	}
	return ls
}

// Numbers writes trial numbers, runs of them shortened: "0 to 4, 7, 9".
func Numbers(ns []int) string {
	text := ""
	for i := 0; i < len(ns); {
		j := i
		for j+1 < len(ns) && ns[j+1] == ns[j]+1 {
			j++
		}
		if text != "" {
			text += ", "
		}
		text += strconv.Itoa(ns[i])
		switch {
		case j == i+1:
			text += ", " + strconv.Itoa(ns[j])
		case j > i:
			text += " to " + strconv.Itoa(ns[j])
		}
		i = j + 1
	}
	return text
}
