package charts

import (
	"cmp"
	"image/color"
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/trials"
)

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
		p := panel{axis: m.Axis(), bounded: m.Points}
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

// armLines are the arms' medians and bands, the reference first. Where there are many arms, those whose scores lie
// farthest from the reference's keep colours and names, the same ones in every panel.
func armLines(s *reports.Snapshot, m reports.Metric) []curve {
	b := &s.Blocks[0]
	colors, more := armColors(s)
	var lines []curve
	for i := range b.Arms {
		a := &b.Arms[i]
		c := curve{label: a.Short, width: 1.3}
		several := false
		for _, x := range reports.Bands(a.Curves(m.Key)) {
			c.epochs = append(c.epochs, x.Epoch)
			c.y = append(c.y, m.Scale(x.Median))
			c.low = append(c.low, m.Scale(x.Low))
			c.high = append(c.high, m.Scale(x.High))
			several = several || x.N > 1
		}
		if len(c.y) == 0 {
			continue
		}
		var ok bool
		if c.color, ok = colors[a.Name]; !ok {
			c.color, c.label, c.width = fade(Light, 0.7), "", 0.6
		}
		if !several || !ok {
			c.low, c.high = nil, nil
		}
		lines = append(lines, c)
	}
	slices.SortStableFunc(lines, func(a, b curve) int { return cmp.Compare(unnamed(a), unnamed(b)) })
	if i := slices.IndexFunc(lines, func(c curve) bool { return c.label == "" }); i >= 0 {
		lines[i].label, lines[i].color = "others ("+reports.Number(float64(more), 0)+")", Light
	}
	return lines
}

func unnamed(c curve) int {
	if c.label == "" {
		return 1
	}
	return 0
}

// armColors gives the reference ink and the other arms a colour each; where there are more arms than colours, those
// with the largest effects get them. more is the number of arms without.
func armColors(s *reports.Snapshot) (colors map[string]color.NRGBA, more int) {
	b := &s.Blocks[0]
	colors = map[string]color.NRGBA{}
	var rest []string
	far := map[string]float64{}
	for _, a := range b.Arms {
		if a.Reference {
			colors[a.Name] = Ink
			continue
		}
		rest = append(rest, a.Name)
		if e, ok := b.Effect(a.Name); ok && !math.IsNaN(e.Mean) {
			far[a.Name] = math.Abs(e.Mean)
		}
	}
	if more = len(rest) - len(series); more > 0 {
		slices.SortStableFunc(rest, func(x, y string) int { return cmp.Compare(far[y], far[x]) })
		rest = rest[:len(series)]
	}
	for i, n := range rest {
		colors[n] = series[i]
	}
	return colors, max(more, 0)
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
	best, name := bestTrials(s)
	for _, k := range keys {
		m := metric(s, k)
		p := panel{axis: m.Axis(), bounded: m.Points}
		var top []curve
		for _, t := range s.Trials {
			if t.Continued() {
				continue // the curve of the one that goes on has its epochs
			}
			c := curve{color: fade(Mute, 0.45), width: 0.6}
			for _, x := range reports.CurveOf(t, k).Points {
				c.epochs = append(c.epochs, x.Epoch)
				c.y = append(c.y, m.Scale(x.Value))
			}
			if len(c.y) == 0 {
				continue
			}
			c.dashed = t.State == trials.Pruned || t.State == trials.Fail
			if best[t.Number] {
				if c.color, c.width = Blue, 1.6; len(best) > 1 {
					c.width = 1
				}
				if len(top) == 0 {
					c.label = name
				}
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
