package claims

import (
	"fmt"
	"strconv"
	"strings"
)

// NoFigure is what Figure says of a claim that was published without one.
const NoFigure = "no figure"

// Figure is the published figure in short: "+0.9 to +1.4 points", "+1.3 points of mAP50",
// "mAP50 68.2 -> 69.5 -> 70.9", "8 h 12 min -> 5 h 46 min".
func (c Claim) Figure() string {
	if c.Expected == nil {
		if scores := c.Scores(); scores != "" {
			return scores
		}
		return NoFigure
	}
	s := signed(c.Expected.Low)
	if c.Expected.High != c.Expected.Low {
		s += " to " + signed(c.Expected.High)
	}
	s += " " + string(c.Unit)
	if c.Named {
		s += " of " + c.Metric
	}
	return s
}

// Scores are the published scores in order, or "": "mAP50 71.1 ± 0.9 -> 72.4 ± 0.3".
func (c Claim) Scores() string {
	var parts []string
	for _, r := range c.Reported {
		s := duration(r.Value)
		if c.Unit == Points {
			s = strconv.FormatFloat(r.Value, 'f', 1, 64)
		}
		if r.Spread != nil {
			s += " ± " + strconv.FormatFloat(*r.Spread, 'f', 1, 64)
		}
		parts = append(parts, s)
	}
	if len(parts) == 0 {
		return ""
	}
	line := strings.Join(parts, " -> ")
	if c.Unit == Points {
		return c.Metric + " " + line
	}
	return line
}

func signed(x float64) string { return fmt.Sprintf("%+.1f", x) }

// duration of some seconds as people say it: 8 h 12 min.
func duration(seconds float64) string {
	m := int(seconds/60 + 0.5)
	return fmt.Sprintf("%d h %d min", m/60, m%60)
}
