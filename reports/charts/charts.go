package charts

import (
	"errors"
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies"
)

// ErrNothing is returned by Draw when a study holds nothing that the chart could show.
var ErrNothing = errors.New("nothing to draw")

// Chart is one kind of picture.
type Chart struct {
	Name    string // of its files: "effects"
	Title   string // "Effect of each change"
	Caption string // what every study's reader is told; Words is that of one
	// Draw draws the snapshot's first block, or returns ErrNothing.
	Draw func(*reports.Snapshot) (*plot.Plot, error)
	// Size is how large the plot wants to be drawn.
	Size func(*reports.Snapshot) (w, h vg.Length)
}

// Words is the caption under the chart of a study.
func (c Chart) Words(s *reports.Snapshot) string {
	if c.Name == "sequence" && s.Sequential() && s.Spec.Settle.Rule == studies.RuleAnytime {
		return "Interval of each effect against the number of replicates, after each of them; shaded what all so far leave over, at each variant's share of the level. " +
			"Verdicts better and worse weigh all variants together (e-BH), and can come before the shade leaves zero."
	}
	if c.Name != "effects" || len(s.Blocks) == 0 {
		return c.Caption
	}
	b := &s.Blocks[0]
	level := s.Spec.Rules.Level()
	w := "Differences to the reference with the same seed, best first; "
	if s.Sequential() {
		w += fmt.Sprintf("lines are intervals as of the look that settled each variant, which over all looks and variants hold together with %g %%.", 100*(1-level))
	} else {
		w += fmt.Sprintf("lines are %g %% t intervals over seeds, each variant alone. The verdict also asks for p below %g after %s's correction.", 100*(1-level), level, s.Correction(b))
	}
	if b.Margin > 0 {
		w += " Grey band: no relevant effect."
	}
	return w
}

// All lists every chart, in the order of a report.
var All = []Chart{
	{"effects", "What changed, and by how much",
		"Differences to the reference with the same seed, best first, with their intervals. Grey band: no relevant effect.",
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
	{"sequence", "How each variant was settled",
		"Interval of each effect against the number of replicates: a bar for each look, shaded what all looks so far leave over. " +
			"A variant is settled when the shade leaves zero, or lies within the grey band of no relevant effect.",
		chart(clearestArms, sequenceData, sequenceDraw), sized(clearestArms, sequenceData, sequenceSize)},
	{"half-normal", "Which effects stand out",
		"Sizes of all effects against what chance alone would give. Effects that are chance lie on a line through the origin; those that are more lie above it.",
		chart(everything, halfNormalData, halfNormalDraw), sized(everything, halfNormalData, halfNormalSize)},
	{"interactions", "Two factors at a time",
		"Mean scores over all trials with those levels. Parallel lines: the two changes add up; lines that are not: one changes what the other does.",
		chart(everything, interactionsData, interactionsDraw), sized(everything, interactionsData, interactionsSize)},
	{"losses", "Losses",
		"Training losses, median over seeds with the middle 80 %.",
		chart(clearestArms, lossesData, panelsDraw), sized(clearestArms, lossesData, panelsSize)},
	{"front", "Pareto front",
		"Each dot is a complete trial; blue are those that no other one beats in all objectives, at least as good in each and better in one.",
		chart(everything, frontData, frontDraw), sized(everything, frontData, frontSize)},
	{"hypervolume", "How the front grew",
		"Volume of what the complete trials so far dominate, up to the worst value of each objective and a tenth of the range beyond, as a share of that at the end.",
		chart(everything, volumeData, volumeDraw), sized(everything, volumeData, volumeSize)},
	{"history", "Search history",
		"Each dot is a trial in the order in which they ended; the line is the best complete trial so far.",
		chart(everything, historyData, historyDraw), sized(everything, historyData, historySize)},
	{"slices", "Slices",
		"Score against each parameter; the other parameters vary too, so that a slope may be theirs. Blue: the best, or with several objectives the Pareto front; hollow: stopped early; cross: a constraint is broken.",
		chart(everything, slicesData, slicesDraw), sized(everything, slicesData, slicesSize)},
	{"importance", "Which parameters mattered",
		"Share of the variance of scores over the space that each parameter explains by itself; lines are the spread over the trees of the forest.",
		chart(everything, importanceData, importanceDraw), sized(everything, importanceData, importanceSize)},
	{"pairs", "Pairs of parameters",
		"Share of the variance that two parameters explain together, beyond what each explains by itself (on the diagonal).",
		chart(everything, heatData, heatDraw), sized(everything, heatData, heatSize)},
	{"marginals", "Mean score along each parameter",
		"Predicted by the forest, averaged over all other parameters; shaded: spread over its trees. Where few trials lie it is a guess.",
		chart(everything, marginalsData, marginalsDraw), sized(everything, marginalsData, marginalsSize)},
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
