package charts

import (
	"errors"
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
)

// ErrNothing is returned by Draw when a study holds nothing that the chart could show.
var ErrNothing = errors.New("nothing to draw")

// Chart is one kind of picture.
type Chart struct {
	Name    string // of its files: "effects"
	Title   string // "Effect of each change"
	Caption string
	// Draw draws the snapshot's first block, or returns ErrNothing.
	Draw func(*reports.Snapshot) (*plot.Plot, error)
	// Size is how large the plot wants to be drawn.
	Size func(*reports.Snapshot) (w, h vg.Length)
}

// All lists every chart, in the order of a report.
var All = []Chart{
	{"effects", "What changed, and by how much",
		"Differences to the reference with the same seed, best first; lines are 95 % t intervals over seeds, each variant alone. " +
			"The verdict also asks for p below 0.05 after Holm's correction. Grey band: no relevant effect.",
		chart(clearestArms, effectsData, effectsDraw), sized(clearestArms, effectsData, effectsSize)},
	{"comparison", "Every trial",
		"One dot per trial, bar at the mean, dashed line at the reference's mean.",
		chart(clearestArms, comparisonData, comparisonDraw), sized(clearestArms, comparisonData, comparisonSize)},
	{"curves", "Learning curves",
		"Median over seeds with the middle 80 %, over the trials that reached the epoch.",
		chart(clearestArms, curvesData, panelsDraw), sized(clearestArms, curvesData, panelsSize)},
	{"slopes", "Seed by seed",
		"Each line is one seed: the reference on the left, the variant on the right. Seeds disagree where one line rises and another falls.",
		chart(clearestArms, slopesData, slopesDraw), sized(clearestArms, slopesData, slopesSize)},
	{"losses", "Losses",
		"Training losses, median over seeds with the middle 80 %.",
		chart(clearestArms, lossesData, panelsDraw), sized(clearestArms, lossesData, panelsSize)},
	{"history", "Search history",
		"Each dot is a trial in the order in which they ended; the line is the best complete trial so far.",
		chart(everything, historyData, historyDraw), sized(everything, historyData, historySize)},
	{"slices", "Slices",
		"Score against each parameter; the other parameters vary too, so that a slope may be theirs. Blue: the best; hollow: stopped early.",
		chart(everything, slicesData, slicesDraw), sized(everything, slicesData, slicesSize)},
	{"search-curves", "Learning curves",
		"One line per trial; dashed lines are trials that were stopped early.",
		chart(someTrials, searchCurvesData, panelsDraw), sized(someTrials, searchCurvesData, panelsSize)},
	{"search-losses", "Losses",
		"Training losses, one line per trial; dashed lines are trials that were stopped early.",
		chart(someTrials, searchLossesData, panelsDraw), sized(someTrials, searchLossesData, panelsSize)},
}

// Find returns the chart of that name.
func Find(name string) (Chart, bool) {
	for _, c := range All {
		if c.Name == name {
			return c, true
		}
	}
	return Chart{}, false
}

// chart joins the choice of what is shown, a data step and a draw step.
func chart[D any](choose pick, data func(*reports.Snapshot) (D, error), paint func(D, *canvas)) func(*reports.Snapshot) (*plot.Plot, error) {
	return func(s *reports.Snapshot) (*plot.Plot, error) {
		s, note := choose(s)
		d, err := data(s)
		if err != nil {
			return nil, err
		}
		return newPlot(func(c *canvas) {
			if note != "" {
				c.text(tickStyle, note, pt(c.Min.X, c.Min.Y+5), left)
				c.Min.Y += noteHeight
			}
			paint(d, c)
		}), nil
	}
}

func sized[D any](choose pick, data func(*reports.Snapshot) (D, error), want func(D) (w, h vg.Length)) func(*reports.Snapshot) (w, h vg.Length) {
	return func(s *reports.Snapshot) (w, h vg.Length) {
		s, note := choose(s)
		d, err := data(s)
		if err != nil {
			return pageWidth, pageWidth / 2
		}
		w, h = want(d)
		if note != "" {
			h += noteHeight
		}
		return w, h
	}
}

func nothing(why string) error { return fmt.Errorf("%w: %s", ErrNothing, why) }
