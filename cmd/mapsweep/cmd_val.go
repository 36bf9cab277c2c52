package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native"
)

// yoloNMS are the limits with which the official YOLOv9 program validates.
var yoloNMS = evaluate.NMSOptions{Score: .001, IoU: .7, Top: 30000, Keep: 300}

func (a *app) valCommand() *cobra.Command {
	o := detectOptions{conf: short(evaluate.DefaultNMS.Score), iou: evaluate.DefaultNMS.IoU, most: evaluate.DefaultNMS.Keep}
	var data, split, charts string
	var asJSON bool
	c := &cobra.Command{
		Use:   "val WEIGHTS",
		Short: "Score a trained detector on a data set: COCO AP, yolo mAP, curves, confusion matrix",
		Long: `Val finds objects in every picture of a split and scores them in two ways, which are different numbers:

  COCO AP    as pycocotools computes it, and as training scores: the same weights, data and split give the same numbers but for
             rounding; on a GPU like that of training, the same
  yolo mAP   as the official YOLOv9 program computes it: its own matching, its interpolation over 101 points, and its
             limits of confidence 0.001, overlap 0.7 and 300 detections, unless flags set others for both

` + weightsHelp + `
` + filesHelp + ` Where neither names the
classes, they are taken for those of the data set, if there are as many.
A trial brings its data set and split along. Sizes (small, medium, large) are in pixels of the fitted picture, as in training.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			if err := o.check(c); err != nil {
				return err
			}
			w, err := a.findWeights(c.Context(), given[0])
			if err != nil {
				return err
			}
			if data != "" {
				w.data, w.split = data, "val"
			}
			if split != "" {
				w.split = split
			}
			if w.split == "" {
				w.split = "val"
			}
			if w.data == "" {
				return usagef("--data is needed: a checkpoint by itself does not say which data set to score it on")
			}
			limits := [2]evaluate.NMSOptions{evaluate.DefaultNMS, yoloNMS}
			if c.Flags().Changed("conf") || c.Flags().Changed("iou") || c.Flags().Changed("max-det") {
				limits = [2]evaluate.NMSOptions{o.nms(), o.nms()}
			}
			v, err := a.validate(c.Context(), w, o, limits)
			if err != nil {
				return err
			}
			if charts != "" {
				if err := v.writeCharts(charts); err != nil {
					return err
				}
			}
			if asJSON {
				return printJSON(a.stdout, v.report())
			}
			v.print(a.stdout)
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&data, "data", "", "data set: a built-in one, or the path of a YOLO, Pascal VOC or COCO data set (default: the trial's)")
	f.StringVar(&split, "split", "", "train, val or test (default: the trial's, else val)")
	f.StringVar(&charts, "charts", "", "folder for the curves and the confusion matrix as SVG, PNG and CSV")
	f.BoolVar(&asJSON, "json", false, "print as JSON")
	o.add(c, " (yolo mAP: 0.001)", "", " (yolo mAP: 300)")
	return c
}

// validation is what val found.
type validation struct {
	weights  weights
	detector *native.Detector // closed
	limits   [2]evaluate.NMSOptions
	pictures int
	objects  []int // by class, crowds not counted
	coco     *evaluate.Result
	yolo     *evaluate.YOLOResult
	confused evaluate.Confusion
}

// validate scores a detector. limits are those of COCO AP and of yolo mAP.
func (a *app) validate(ctx context.Context, w weights, o detectOptions, limits [2]evaluate.NMSOptions) (*validation, error) {
	d, end, err := a.openDetector(ctx, o, w.path)
	if err != nil {
		return nil, err
	}
	defer end()
	set, err := dataset.Load(ctx, w.data, dataset.Options{Size: d.Size, Log: slog.New(lineLog{w: a.notes})})
	if err != nil {
		return nil, err
	}
	a.adoptNames(d, w.data, set.Classes)
	if err := sameClasses(d, w.data, set.Classes); err != nil {
		return nil, err
	}
	images, err := set.Split(w.split)
	if err != nil {
		return nil, err
	}
	found, err := findObjects(ctx, d, images, o.threads, limits)
	if err != nil {
		return nil, err
	}
	truths, n, k := native.Truths(images), len(images), len(d.Classes)
	v := &validation{weights: w, detector: d, limits: limits, pictures: n, objects: make([]int, k)}
	for _, t := range truths {
		if !t.Crowd {
			v.objects[t.Class]++
		}
	}
	v.coco = evaluate.COCOParallel(truths, found[0], n, k, o.threads)
	v.yolo = evaluate.YOLO(truths, found[1], n, k)
	v.confused = evaluate.Confuse(truths, found[1], n, k, evaluate.ConfusionScore, evaluate.ConfusionIoU)
	return v, nil
}

// findObjects runs images through the network and suppresses what it finds, once for each of the limits. The order is
// that of the images.
func findObjects(ctx context.Context, d *native.Detector, images []dataset.Image, threads int, limits [2]evaluate.NMSOptions) (found [2][]evaluate.Detection, err error) {
	by := make([][2][]evaluate.Detection, len(images))
	err = inGroups(ctx, d, len(images), threads, func(ctx context.Context, d *native.Detector, from, to int) error {
		return d.Find(ctx, images[from:to], limits[:], func(i, l int, all []evaluate.Candidate) {
			for _, c := range all {
				by[from+i][l] = append(by[from+i][l], evaluate.Detection{Image: from + i, Class: c.Class, Score: float64(c.Score),
					Box: evaluate.Corners(float64(c.X0), float64(c.Y0), float64(c.X1), float64(c.Y1))})
			}
		})
	})
	for _, b := range by {
		for l := range limits {
			found[l] = append(found[l], b[l]...)
		}
	}
	return found, err
}
