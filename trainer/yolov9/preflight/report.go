package preflight

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Level says how bad a fault is.
type Level string

// The levels, worst first.
const (
	Error   Level = "error"   // training cannot start, stops half-way, or learns something else than the data say
	Warning Level = "warning" // training runs, but something is lost, or it may not be what was meant
	Note    Level = "note"    // good to know
)

// Area is the part of the whole that a fault lies in.
type Area string

// The areas, in the order of a report.
const (
	AreaCheckout Area = "checkout"
	AreaModel    Area = "model"
	AreaPython   Area = "python"
	AreaData     Area = "data"
	AreaDisk     Area = "disk"
	AreaMemory   Area = "memory"
	AreaGPU      Area = "gpu"
)

var (
	levels = []Level{Error, Warning, Note}
	areas  = []Area{AreaCheckout, AreaModel, AreaPython, AreaData, AreaDisk, AreaMemory, AreaGPU}
)

// Fault is one finding, or many of one kind.
type Fault struct {
	Level  Level    `json:"level"`
	Area   Area     `json:"area"`
	Kind   string   `json:"kind"`             // short and stable, such as "class-range"
	What   string   `json:"what"`             // what is wrong, and what the official code makes of it
	Do     string   `json:"do,omitempty"`     // what to do about it
	Where  string   `json:"where,omitempty"`  // a file, file:line or folder: the first place
	Count  int      `json:"count"`            // how many there are of this kind
	Places []string `json:"places,omitempty"` // the first few, with what is particular to each, if there is more to say than Where
}

// String is the fault as a paragraph.
func (f Fault) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %s", f.Level, f.Area, f.What)
	if f.Count > 1 {
		fmt.Fprintf(&b, " (%d times)", f.Count)
	}
	if len(f.Places) == 0 && f.Where != "" {
		fmt.Fprintf(&b, "\n  at %s", f.Where)
	}
	for _, p := range f.Places {
		fmt.Fprintf(&b, "\n  at %s", p)
	}
	if more := f.Count - len(f.Places); more > 0 && len(f.Places) > 0 {
		fmt.Fprintf(&b, "\n  and %d more", more)
	}
	if f.Do != "" {
		fmt.Fprintf(&b, "\n  do: %s", f.Do)
	}
	return b.String()
}

// Faults is a list of faults.
type Faults []Fault

// Count is the number of entries of a level.
func (f Faults) Count(l Level) int {
	n := 0
	for _, x := range f {
		if x.Level == l {
			n++
		}
	}
	return n
}

// Find returns the fault of a kind.
func (f Faults) Find(kind string) (Fault, bool) {
	i := slices.IndexFunc(f, func(x Fault) bool { return x.Kind == kind })
	if i < 0 {
		return Fault{}, false
	}
	return f[i], true
}

// Err is nil if no fault is an error, and else names the first and counts them.
func (f Faults) Err() error {
	n := f.Count(Error)
	if n == 0 {
		return nil
	}
	i := slices.IndexFunc(f, func(x Fault) bool { return x.Level == Error })
	first := f[i].What
	if f[i].Where != "" {
		first = f[i].Where + ": " + first
	}
	if f[i].Do != "" {
		first += ": " + f[i].Do
	}
	if n > 1 {
		return fmt.Errorf("preflight found %d errors: first %s", n, first)
	}
	return fmt.Errorf("preflight found an error: %s", first)
}

// Write writes the list for people.
func (f Faults) Write(w io.Writer) error {
	for _, x := range f {
		if _, err := fmt.Fprintln(w, x); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%s, %s, %s\n", plural(f.Count(Error), "error"), plural(f.Count(Warning), "warning"), plural(f.Count(Note), "note"))
	return err
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// sorted puts the worst first, then by area; within these the order of finding stays.
func (f Faults) sorted() Faults {
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(slices.Index(levels, a.Level), slices.Index(levels, b.Level)),
			cmp.Compare(slices.Index(areas, a.Area), slices.Index(areas, b.Area)))
	})
	return f
}

// one makes a fault that occurs once.
func one(l Level, a Area, kind, where, do, format string, args ...any) Fault {
	return Fault{Level: l, Area: a, Kind: kind, What: fmt.Sprintf(format, args...), Do: do, Where: where, Count: 1}
}

// placesPerFault is how many places of a fault are told one by one.
const placesPerFault = 5

// rule is a kind of fault that may occur many times.
type rule struct {
	kind     string
	level    Level
	what, do string
}

// tally groups faults of the data by rule.
type tally struct {
	faults Faults
	index  map[string]int
}

// add counts a place of a rule; detail says what is particular to it, or is "".
func (t *tally) add(r rule, where, detail string) {
	if t.index == nil {
		t.index = map[string]int{}
	}
	i, ok := t.index[r.kind]
	if !ok {
		i = len(t.faults)
		t.index[r.kind] = i
		t.faults = append(t.faults, Fault{Level: r.level, Area: AreaData, Kind: r.kind, What: r.what, Do: r.do, Where: where})
	}
	f := &t.faults[i]
	f.Count++
	if len(f.Places) < placesPerFault {
		if detail != "" {
			where += ": " + detail
		}
		f.Places = append(f.Places, where)
	}
}
