package optuna

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// Value types. NaN is legal for intermediate values only.
const (
	finite = "FINITE"
	infPos = "INF_POS"
	infNeg = "INF_NEG"
	nan    = "NAN"
)

// EncodeValue splits a value into its column (nil unless finite) and its type.
func EncodeValue(v float64) (column any, kind string) {
	switch {
	case math.IsNaN(v):
		return nil, nan
	case math.IsInf(v, 1):
		return nil, infPos
	case math.IsInf(v, -1):
		return nil, infNeg
	}
	return v, finite
}

// DecodeValue joins column and type. A finite type without a number is NaN: the file was written by hand.
func DecodeValue(column *float64, kind string) (float64, error) {
	switch kind {
	case finite:
		if column == nil {
			return math.NaN(), nil
		}
		return *column, nil
	case infPos:
		return math.Inf(1), nil
	case infNeg:
		return math.Inf(-1), nil
	case nan:
		return math.NaN(), nil
	}
	return 0, fmt.Errorf("value type %q is none of FINITE, INF_POS, INF_NEG, NAN", kind)
}

// ParseDirection reads a direction. Optuna takes NOT_SET, which old files hold, for MINIMIZE.
func ParseDirection(text string) (trials.Direction, error) {
	switch text {
	case "MAXIMIZE":
		return trials.Maximize, nil
	case "MINIMIZE", "NOT_SET":
		return trials.Minimize, nil
	}
	return "", fmt.Errorf("direction %q is neither MAXIMIZE nor MINIMIZE", text)
}

const timeLayout = "2006-01-02 15:04:05.000000"

// FormatTime writes a date as Optuna 5 does: UTC without zone, six digits after the point.
// (Optuna 4 writes and reads local time in the same column.)
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// ParseTime reads a date; the empty text is the zero time. A missing fraction and a "T" are accepted.
func ParseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return time.Parse("2006-01-02 15:04:05.999999999", strings.Replace(text, "T", " ", 1))
}
