package diagnosis

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Unit says what a number is, and with it how people read it.
type Unit string

// The units. Score and Share are fractions 0..1 in Value; people read points and percent.
const (
	Plain    Unit = ""
	Score    Unit = "score" // of an average precision: shown in points
	Share    Unit = "share" // shown in percent
	Epochs   Unit = "epochs"
	Steps    Unit = "steps"
	Pictures Unit = "pictures"
	Trials   Unit = "trials"
	MiB      Unit = "MiB"
	Seconds  Unit = "s"
	AtEpoch  Unit = "epoch" // the number of an epoch
)

// Number is one figure behind a finding.
type Number struct {
	Name  string
	Value float64
	Unit  Unit
	From  int // first epoch that it was computed from; 0: none
	To    int // last one
}

// MarshalJSON writes a value that is not finite as null.
func (n Number) MarshalJSON() ([]byte, error) {
	var v *float64
	if finite(n.Value) {
		v = &n.Value
	}
	return json.Marshal(struct {
		Name  string   `json:"name"`
		Value *float64 `json:"value"`
		Unit  Unit     `json:"unit,omitempty"`
		From  int      `json:"from_epoch,omitempty"`
		To    int      `json:"to_epoch,omitempty"`
	}{n.Name, v, n.Unit, n.From, n.To})
}

// String is the value with its unit: "18.3 points", "62 %".
func (n Number) String() string { return Format(n.Value, n.Unit) }

// Where says which epochs the number is of: "epoch 20", "epochs 1 to 10", or "".
func (n Number) Where() string {
	switch {
	case n.From == 0 && n.To == 0:
		return ""
	case n.From == n.To || n.From == 0:
		return "epoch " + strconv.Itoa(n.To)
	}
	return "epochs " + strconv.Itoa(n.From) + " to " + strconv.Itoa(n.To)
}

// Format writes a value as people read it.
func Format(x float64, u Unit) string {
	text, unit := digits(x, u), unitWord(x, u)
	if u == AtEpoch {
		return "epoch " + text
	}
	if unit == "" {
		return text
	}
	return text + " " + unit
}

// digits writes the number alone, with a true minus sign.
func digits(x float64, u Unit) string {
	var t string
	switch {
	case !finite(x):
		return "not a number"
	case u == Score:
		t = strconv.FormatFloat(100*x, 'f', 1, 64)
	case u == Share && math.Abs(x) < 0.1:
		t = strconv.FormatFloat(100*x, 'f', 1, 64)
	case u == Share:
		t = strconv.FormatFloat(100*x, 'f', 0, 64)
	case u == Plain, u == Seconds:
		t = strconv.FormatFloat(x, 'f', places(x), 64)
	default:
		t = strconv.FormatFloat(x, 'f', 0, 64)
	}
	if strings.HasPrefix(t, "-") {
		if strings.Trim(t, "-0.") == "" {
			return t[1:]
		}
		return "−" + t[1:]
	}
	return t
}

// places is the number of decimals that three significant digits need.
func places(x float64) int {
	x = math.Abs(x)
	if x == 0 {
		return 0
	}
	return min(max(2-int(math.Floor(math.Log10(x))), 0), 8)
}

func unitWord(x float64, u Unit) string {
	switch u {
	case Score:
		return "points"
	case Share:
		return "%"
	case Plain, AtEpoch:
		return ""
	}
	if x == 1 {
		return strings.TrimSuffix(string(u), "s")
	}
	return string(u)
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
