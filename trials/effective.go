package trials

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// AttrMismatch is a trial attribute: a list of Mismatch. It is absent where the trainer did what it was asked for.
const AttrMismatch = "mapsweep:mismatch"

// Mismatch is a parameter whose effective value is not the one that was asked for.
type Mismatch struct {
	Name      string `json:"name"`
	Requested any    `json:"requested"`
	Effective any    `json:"effective"`
	Absent    bool   `json:"absent,omitempty"` // the trainer names no such parameter
}

// sameDigits is the relative difference of numbers that count as one: a trainer may keep its settings as
// single-precision floats.
const sameDigits = 1e-6

// Mismatches compares a configuration with the one that the trainer says it used, key by key, numbers by
// value. An empty effective configuration says nothing: the trainer has no way to tell.
func Mismatches(requested, effective Params) []Mismatch {
	if len(effective) == 0 {
		return nil
	}
	var all []Mismatch
	for _, name := range requested.Names() {
		got, ok := effective[name]
		if !ok || !sameSetting(requested[name], got) {
			all = append(all, Mismatch{Name: name, Requested: requested[name], Effective: got, Absent: !ok})
		}
	}
	return all
}

func sameSetting(a, b any) bool {
	x, ok := Number(a)
	y, too := Number(b)
	if ok && too {
		return x == y || math.Abs(x-y) <= sameDigits*max(math.Abs(x), math.Abs(y))
	}
	return SameValue(a, b)
}

// String says what was asked for and what came of it.
func (m Mismatch) String() string {
	if m.Absent {
		return fmt.Sprintf("asked for %s=%s, but the trainer names no %s", m.Name, FormatValue(m.Requested), m.Name)
	}
	return fmt.Sprintf("asked for %s=%s, but the trainer took %s", m.Name, FormatValue(m.Requested), FormatValue(m.Effective))
}

// MismatchText joins mismatches into one sentence.
func MismatchText(list []Mismatch) string {
	parts := make([]string, len(list))
	for i, m := range list {
		parts[i] = m.String()
	}
	return strings.Join(parts, "; ")
}

// Mismatches reads AttrMismatch.
func (t Trial) Mismatches() []Mismatch {
	var list []Mismatch
	if json.Unmarshal(t.Attrs[AttrMismatch], &list) != nil {
		return nil
	}
	return list
}
