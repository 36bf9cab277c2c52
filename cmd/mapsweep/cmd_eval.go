package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

// scoreRow is one line of COCO numbers; a number that is not defined is absent.
type scoreRow struct {
	Class       string   `json:"class,omitempty"`
	MAP5095     *float64 `json:"mAP50-95,omitempty"`
	MAP50       *float64 `json:"mAP50,omitempty"`
	MAP75       *float64 `json:"mAP75,omitempty"`
	MAPSmall    *float64 `json:"mAP-small,omitempty"`
	MAPMedium   *float64 `json:"mAP-medium,omitempty"`
	MAPLarge    *float64 `json:"mAP-large,omitempty"`
	AR1         *float64 `json:"AR1,omitempty"`
	AR10        *float64 `json:"AR10,omitempty"`
	AR100       *float64 `json:"AR100,omitempty"`
	ARSmall     *float64 `json:"AR-small,omitempty"`
	ARMedium    *float64 `json:"AR-medium,omitempty"`
	ARLarge     *float64 `json:"AR-large,omitempty"`
	scoresInRow [12]float64
}

var scoreNames = [12]string{"mAP50-95", "mAP50", "mAP75", "mAP-small", "mAP-medium", "mAP-large",
	"AR1", "AR10", "AR100", "AR-small", "AR-medium", "AR-large"}

func newScoreRow(class string, s evaluate.Scores) scoreRow {
	r := scoreRow{Class: class, scoresInRow: s.List()}
	for i, p := range []**float64{&r.MAP5095, &r.MAP50, &r.MAP75, &r.MAPSmall, &r.MAPMedium, &r.MAPLarge,
		&r.AR1, &r.AR10, &r.AR100, &r.ARSmall, &r.ARMedium, &r.ARLarge} {
		if v := r.scoresInRow[i]; v != evaluate.Undefined {
			*p = &v
		}
	}
	return r
}

func (a *app) evalCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "eval",
		Short: "Score detections",
		Args:  args(cobra.NoArgs),
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	var gt, dt string
	var asJSON bool
	coco := &cobra.Command{
		Use:   "coco --gt GT.json --dt DT.json",
		Short: "COCO's twelve numbers and the average precision of each class",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if gt == "" || dt == "" {
				return usagef("both --gt (annotations) and --dt (detections) are needed")
			}
			return a.evalCOCO(gt, dt, asJSON)
		},
	}
	coco.Flags().StringVar(&gt, "gt", "", "COCO annotations (instances file)")
	coco.Flags().StringVar(&dt, "dt", "", "COCO results: a list of image_id, category_id, bbox, score")
	coco.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.AddCommand(coco)
	return c
}

// evalCOCO prints fractions from 0 to 1, as pycocotools does.
func (a *app) evalCOCO(gt, dt string, asJSON bool) error {
	g, err := os.Open(gt)
	if err != nil {
		return fmt.Errorf("read annotations: %w", err)
	}
	defer g.Close()
	d, err := os.Open(dt)
	if err != nil {
		return fmt.Errorf("read detections: %w", err)
	}
	defer d.Close()
	task, err := evaluate.LoadCOCO(g, d)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", gt, dt, err)
	}
	res := task.Score()
	all := newScoreRow("", res.Scores)
	var classes []scoreRow
	for i, s := range res.PerClass {
		classes = append(classes, newScoreRow(task.ClassNames[i], s))
	}
	if asJSON {
		return printJSON(a.stdout, struct {
			scoreRow
			Classes []scoreRow `json:"classes"`
			Dropped int        `json:"dropped"`
		}{all, classes, res.Dropped})
	}
	for i, name := range scoreNames {
		fmt.Fprintf(a.stdout, "%-11s %s\n", name, fraction(all.scoresInRow[i]))
	}
	fmt.Fprintf(a.stdout, "\n%-20s %9s %9s %9s\n", "class", "mAP50-95", "mAP50", "AR100")
	for _, r := range classes {
		fmt.Fprintf(a.stdout, "%-20s %9s %9s %9s\n", r.Class, fraction(r.scoresInRow[0]), fraction(r.scoresInRow[1]), fraction(r.scoresInRow[8]))
	}
	if res.Dropped > 0 {
		fmt.Fprintf(a.stderr, "%d detections left out: not finite, or of an unknown image or class\n", res.Dropped)
	}
	return nil
}

func fraction(x float64) string {
	if x == evaluate.Undefined {
		return "-"
	}
	return fmt.Sprintf("%.4f", x)
}
