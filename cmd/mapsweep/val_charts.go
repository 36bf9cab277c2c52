package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/mapsweep/mapsweep/reports/charts"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

// writeCharts writes the curves and the confusion matrix into a folder as SVG and PNG, and their numbers as CSV.
func (v *validation) writeCharts(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("make folder of the charts: %w", err)
	}
	var errs []error
	if v.yolo.Mean.F1 != nil { // else no object
		at := v.yolo.Confidence
		errs = append(errs,
			writeChart(dir, "precision-recall", v.levels("recall", "precision at IoU 0.5", -1, func(c evaluate.Curves) []float64 { return c.ByRecall })),
			writeChart(dir, "precision", v.levels("confidence", "precision at IoU 0.5", at, func(c evaluate.Curves) []float64 { return c.Precision })),
			writeChart(dir, "recall", v.levels("confidence", "recall at IoU 0.5", at, func(c evaluate.Curves) []float64 { return c.Recall })),
			writeChart(dir, "f1", v.levels("confidence", "F1 at IoU 0.5", at, func(c evaluate.Curves) []float64 { return c.F1 })),
			writeCSV(filepath.Join(dir, "curves.csv"), v.curveRows()))
	}
	errs = append(errs,
		writeChart(dir, "confusion", func(w io.Writer, format string) error {
			return charts.WriteConfusion(w, charts.Confusion{Names: v.detector.Classes, Counts: v.confused}, format)
		}),
		writeCSV(filepath.Join(dir, "confusion.csv"), v.confusionRows()))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("write charts: %w", err)
	}
	return nil
}

// levels makes the chart of one kind of curve, of all classes that have objects.
func (v *validation) levels(x, y string, at float64, of func(evaluate.Curves) []float64) func(io.Writer, string) error {
	l := charts.Levels{X: x, Y: y, At: at, Mean: charts.Level{Name: "all classes, AP50 " + fraction(v.yolo.MAP50), Values: of(v.yolo.Mean)}}
	for k, c := range v.yolo.PerClass {
		if c.Objects > 0 {
			l.Lines = append(l.Lines, charts.Level{Name: fraction(c.AP[0]) + "  " + v.detector.Classes[k], Values: of(c.Curves)})
		}
	}
	if at >= 0 {
		l.X += " (dashed: best mean F1, smoothed, at " + fraction(at) + ")"
	}
	return func(w io.Writer, format string) error { return charts.WriteLevels(w, l, format) }
}

func writeChart(dir, name string, write func(io.Writer, string) error) error {
	var errs []error
	for _, format := range []string{"svg", "png"} {
		var b bytes.Buffer
		err := write(&b, format)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name+"."+format), b.Bytes(), 0o666)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func writeCSV(path string, rows [][]string) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o666)
}

// curveRows lists every point of every curve; class "" is the mean.
func (v *validation) curveRows() [][]string {
	rows := [][]string{{"class", "x", "precision_at_confidence_x", "recall_at_confidence_x", "f1_at_confidence_x", "precision_at_recall_x"}}
	text := func(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }
	add := func(name string, c evaluate.Curves) {
		for i := range c.F1 {
			rows = append(rows, []string{name, text(float64(i) / float64(len(c.F1)-1)), text(c.Precision[i]), text(c.Recall[i]), text(c.F1[i]), text(c.ByRecall[i])})
		}
	}
	add("", v.yolo.Mean)
	for k, c := range v.yolo.PerClass {
		add(v.detector.Classes[k], c.Curves)
	}
	return rows
}

func (v *validation) confusionRows() [][]string {
	names := v.names()
	rows := [][]string{append([]string{"detected as"}, names...)}
	for p, counts := range v.confused {
		row := []string{names[p]}
		for _, n := range counts {
			row = append(row, strconv.Itoa(n))
		}
		rows = append(rows, row)
	}
	return rows
}
