package main

import (
	"fmt"
	"io"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

// valReport is the JSON of val.
type valReport struct {
	Checkpoint string   `json:"checkpoint"`
	Model      string   `json:"model"`
	Epoch      int      `json:"epoch"` // 0: not known
	Average    bool     `json:"moving_average"`
	ImageSize  int      `json:"image_size"`
	Data       string   `json:"data"`
	Split      string   `json:"split"`
	Pictures   int      `json:"pictures"`
	Objects    int      `json:"objects"`
	COCO       valCOCO  `json:"coco"`
	YOLO       valYOLO  `json:"yolo"`
	Confusion  valMixed `json:"confusion"`
}

// valLimits are those of suppression.
type valLimits struct {
	Confidence float64 `json:"confidence"`
	IoU        float64 `json:"iou"`
	MaxDet     int     `json:"max_det"`
}

type valCOCO struct {
	valLimits
	scoreRow
	Classes []scoreRow `json:"classes"`
}

type valYOLO struct {
	valLimits
	yoloRow
	BestConfidence *float64  `json:"best_confidence,omitempty"` // where precision, recall and f1 are taken
	Classes        []yoloRow `json:"classes"`
}

// yoloRow is one line of yolo numbers; one that is not defined is absent.
type yoloRow struct {
	Class     string   `json:"class,omitempty"`
	Objects   int      `json:"objects"`
	MAP       *float64 `json:"mAP50-95,omitempty"`
	MAP50     *float64 `json:"mAP50,omitempty"`
	Precision *float64 `json:"precision,omitempty"`
	Recall    *float64 `json:"recall,omitempty"`
	F1        *float64 `json:"f1,omitempty"`
}

// valMixed is the confusion matrix: rows are what objects were detected as, columns what they are.
type valMixed struct {
	Confidence float64  `json:"confidence"`
	IoU        float64  `json:"iou"`
	Names      []string `json:"names"` // the last is the background
	Counts     [][]int  `json:"counts"`
}

func defined(v float64) *float64 {
	if v == evaluate.Undefined {
		return nil
	}
	return &v
}

func newLimits(o evaluate.NMSOptions) valLimits {
	return valLimits{Confidence: short(o.Score), IoU: o.IoU, MaxDet: o.Keep}
}

// classMAP is the mean over thresholds.
func classMAP(c evaluate.YOLOClass) float64 {
	if c.Objects == 0 {
		return evaluate.Undefined
	}
	sum := 0.
	for _, v := range c.AP {
		sum += v
	}
	return sum / float64(len(c.AP))
}

func (v *validation) total() (n int) {
	for _, o := range v.objects {
		n += o
	}
	return n
}

func (v *validation) names() []string {
	return append(append([]string(nil), v.detector.Classes...), "background")
}

func (v *validation) report() valReport {
	d := v.detector
	r := valReport{Checkpoint: d.Path, Model: d.Model, Epoch: d.Epoch, Average: d.Average, ImageSize: d.Size, Data: v.weights.data, Split: v.weights.split,
		Pictures: v.pictures, Objects: v.total(),
		COCO: valCOCO{valLimits: newLimits(v.limits[0]), scoreRow: newScoreRow("", v.coco.Scores)},
		YOLO: valYOLO{valLimits: newLimits(v.limits[1]), BestConfidence: defined(v.yolo.Confidence), yoloRow: yoloRow{Objects: v.total(),
			MAP: defined(v.yolo.MAP), MAP50: defined(v.yolo.MAP50), Precision: defined(v.yolo.Precision), Recall: defined(v.yolo.Recall), F1: defined(v.yolo.F1)}},
		Confusion: valMixed{evaluate.ConfusionScore, evaluate.ConfusionIoU, v.names(), v.confused}}
	for k, name := range d.Classes {
		y := v.yolo.PerClass[k]
		r.COCO.Classes = append(r.COCO.Classes, newScoreRow(name, v.coco.PerClass[k]))
		r.YOLO.Classes = append(r.YOLO.Classes, yoloRow{name, y.Objects, defined(classMAP(y)), defined(y.AP[0]), defined(y.Precision), defined(y.Recall), defined(y.F1)})
	}
	return r
}

// print writes fractions from 0 to 1, as eval does.
func (v *validation) print(w io.Writer) {
	d := v.detector
	kind := "weights"
	if d.Average {
		kind = "moving average of the weights"
	}
	after := ""
	if d.Epoch > 0 {
		after = fmt.Sprintf("after epoch %d, ", d.Epoch)
	}
	fmt.Fprintf(w, "%s: %s, %d classes, %s%s\n", d.Path, d.Model, len(d.Classes), after, kind)
	fmt.Fprintf(w, "data %s, split %s: %d pictures fitted into %d x %d pixels, %d objects\n\n", v.weights.data, v.weights.split, v.pictures, d.Size, d.Size, v.total())
	fmt.Fprintf(w, "COCO AP (confidence above %v, overlap %v, %d detections a picture)\n", short(v.limits[0].Score), v.limits[0].IoU, v.limits[0].Keep)
	for i, s := range v.coco.List() {
		fmt.Fprintf(w, "  %-11s %s", scoreNames[i], fraction(s))
		if i%3 == 2 {
			fmt.Fprintln(w)
		}
	}
	y := v.yolo
	fmt.Fprintf(w, "\nyolo mAP (confidence above %v, overlap %v, %d detections a picture; the official program's arithmetic)\n", short(v.limits[1].Score), v.limits[1].IoU, v.limits[1].Keep)
	fmt.Fprintf(w, "  mAP50-95    %s  mAP50       %s\n", fraction(y.MAP), fraction(y.MAP50))
	fmt.Fprintf(w, "  precision   %s  recall      %s  F1          %s  at confidence %s, where the smoothed mean F1 is best\n\n", fraction(y.Precision), fraction(y.Recall), fraction(y.F1), fraction(y.Confidence))
	v.printClasses(w)
	v.printConfusion(w)
}

func (v *validation) printClasses(w io.Writer) {
	wide := nameWidth(v.detector.Classes)
	fmt.Fprintf(w, "%-*s %7s | %8s %8s %8s %8s %8s %8s | %8s %8s %9s %8s\n", wide, "", "", "COCO", "", "", "", "", "", "yolo", "", "", "")
	fmt.Fprintf(w, "%-*s %7s | %8s %8s %8s %8s %8s %8s | %8s %8s %9s %8s\n", wide, "class", "objects", "mAP50-95", "mAP50", "small", "medium", "large", "AR100", "mAP50-95", "mAP50", "precision", "recall")
	for k, name := range v.detector.Classes {
		s, y := v.coco.PerClass[k], v.yolo.PerClass[k]
		fmt.Fprintf(w, "%-*s %7d | %8s %8s %8s %8s %8s %8s | %8s %8s %9s %8s\n", wide, name, v.objects[k], fraction(s.AP), fraction(s.AP50), fraction(s.APSmall), fraction(s.APMedium), fraction(s.APLarge),
			fraction(s.AR100), fraction(classMAP(y)), fraction(y.AP[0]), fraction(y.Precision), fraction(y.Recall))
	}
}

// printedClasses is the largest matrix that fits into lines of text; larger ones are in --charts and --json.
const printedClasses = 12

func (v *validation) printConfusion(w io.Writer) {
	names := v.names()
	if len(v.detector.Classes) > printedClasses {
		return
	}
	wide := nameWidth(names)
	fmt.Fprintf(w, "\nconfusion (confidence above %v, overlap above %v): columns are the objects' classes, rows what they were detected as\n%*s", evaluate.ConfusionScore, evaluate.ConfusionIoU, wide, "")
	short := func(s string) string {
		if r := []rune(s); len(r) > 10 {
			return string(r[:9]) + "…"
		}
		return s
	}
	for _, n := range names {
		fmt.Fprintf(w, " %10s", short(n))
	}
	fmt.Fprintln(w)
	for p, row := range v.confused {
		fmt.Fprintf(w, "%-*s", wide, names[p])
		for _, n := range row {
			fmt.Fprintf(w, " %10d", n)
		}
		fmt.Fprintln(w)
	}
}

func nameWidth(names []string) int {
	wide := len("background")
	for _, n := range names {
		wide = max(wide, len([]rune(n)))
	}
	return wide
}
