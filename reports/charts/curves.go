package charts

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/trials"
)

// named is how many arms beside the reference get a colour and a name; the others are drawn in grey.
const named = 6

// curvesData is the objective over epochs, by arm.
func curvesData(s *reports.Snapshot) (panelsChart, error) {
	if len(s.Blocks[0].Arms) == 0 {
		return panelsChart{}, nothing("no arms")
	}
	return armPanels(s, []string{s.Metric.Key})
}

// lossesData is every loss over epochs, by arm.
func lossesData(s *reports.Snapshot) (panelsChart, error) {
	if len(s.Blocks[0].Arms) == 0 {
		return panelsChart{}, nothing("no arms")
	}
	return armPanels(s, lossKeys(s))
}

func lossKeys(s *reports.Snapshot) []string {
	ks := slices.DeleteFunc(s.MetricKeys(), func(k string) bool { return !strings.HasPrefix(k, "loss") })
	slices.SortStableFunc(ks, func(a, b string) int { return cmp.Compare(lossRank(a), lossRank(b)) })
	return ks
}

// lossRank keeps the usual order: box, class, distribution, then others.
func lossRank(k string) int {
	if i := slices.Index([]string{"loss/box", "loss/cls", "loss/dfl"}, k); i >= 0 {
		return i
	}
	return 3
}

func armPanels(s *reports.Snapshot, keys []string) (panelsChart, error) {
	var d panelsChart
	for _, k := range keys {
		m := metric(s, k)
		p := panel{axis: m.Axis()}
		if lines := armLines(s, m); len(lines) > 0 {
			p.lines = lines
			d.panels = append(d.panels, p)
		}
	}
	if !d.finish() {
		return d, nothing("no curve was recorded")
	}
	return d, nil
}

// metric is the objective itself, or another one under its usual direction.
func metric(s *reports.Snapshot, key string) reports.Metric {
	if key == s.Metric.Key {
		return s.Metric
	}
	return reports.MetricOf(key)
}

// armLines are the arms' medians and bands, the reference first. Where there are many arms, those that end
// farthest from the reference keep their colours and names.
func armLines(s *reports.Snapshot, m reports.Metric) []curve {
	b := &s.Blocks[0]
	var lines []curve
	for i := range b.Arms {
		a := &b.Arms[i]
		c := curve{label: a.Short, color: Ink, width: 1.3}
		several := false
		for _, x := range reports.Bands(a.Curves(m.Key)) {
			c.epochs = append(c.epochs, x.Epoch)
			c.y = append(c.y, m.Scale(x.Median))
			c.low = append(c.low, m.Scale(x.Low))
			c.high = append(c.high, m.Scale(x.High))
			several = several || x.N > 1
		}
		if !several {
			c.low, c.high = nil, nil
		}
		if len(c.y) > 0 {
			lines = append(lines, c)
		}
	}
	if len(lines) == 0 {
		return nil
	}
	first := 0
	if b.Arms[0].Reference && lines[0].label == b.Arms[0].Short {
		first = 1
	}
	colour(lines, first)
	return lines
}

// colour gives colours to lines[first:], greying all but the farthest from line 0 where they are too many.
func colour(lines []curve, first int) {
	rest := lines[first:]
	if len(rest) > named {
		far := func(c curve) float64 { return math.Abs(c.y[len(c.y)-1] - lines[0].y[len(lines[0].y)-1]) }
		slices.SortStableFunc(rest, func(a, b curve) int { return cmp.Compare(far(b), far(a)) })
		for i := named; i < len(rest); i++ {
			rest[i].color, rest[i].label, rest[i].width = fade(Light, 0.7), "", 0.6
			rest[i].low, rest[i].high = nil, nil
		}
		rest[named].label = "others (" + reports.Number(float64(len(rest)-named), 0) + ")"
		rest[named].color = Light
		rest = rest[:named]
	}
	for i := range rest {
		rest[i].color = series[i%len(series)]
	}
}

// searchCurvesData is the objective over epochs, a line per trial of a search.
func searchCurvesData(s *reports.Snapshot) (panelsChart, error) {
	return trialPanels(s, []string{s.Metric.Key})
}

// searchLossesData is every loss over epochs, a line per trial of a search.
func searchLossesData(s *reports.Snapshot) (panelsChart, error) { return trialPanels(s, lossKeys(s)) }

func trialPanels(s *reports.Snapshot, keys []string) (panelsChart, error) {
	var d panelsChart
	if !s.IsSearch() {
		return d, nothing("no search")
	}
	best := -1
	if len(s.Search.Candidates) > 0 {
		best = s.Search.Candidates[0].Trials[0]
	}
	for _, k := range keys {
		m := metric(s, k)
		p := panel{axis: m.Axis()}
		var top []curve
		for _, t := range s.Trials {
			c := curve{color: fade(Mute, 0.45), width: 0.6}
			for _, x := range reports.CurveOf(t, k).Points {
				c.epochs = append(c.epochs, x.Epoch)
				c.y = append(c.y, m.Scale(x.Value))
			}
			if len(c.y) == 0 {
				continue
			}
			c.dashed = t.State == trials.Pruned || t.State == trials.Fail
			if t.Number == best {
				c.color, c.width, c.label = Blue, 1.6, "best: trial "+reports.Number(float64(best), 0)
				top = append(top, c)
				continue
			}
			p.lines = append(p.lines, c)
		}
		p.lines = append(top, p.lines...)
		if len(p.lines) > 0 {
			d.panels = append(d.panels, p)
		}
	}
	if !d.finish() {
		return d, nothing("no curve was recorded")
	}
	return d, nil
}
