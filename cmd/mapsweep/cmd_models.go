package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/reports/tables"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
)

// modelRow is a model in `mapsweep models list --json`, and the head of `models show --json`.
type modelRow struct {
	Model      string  `json:"model"`
	About      string  `json:"about,omitempty"`
	Classes    int     `json:"classes"`
	ImageSize  int     `json:"image_size"`
	Multiple   int     `json:"image_size_multiple"` // image sizes are multiples of it
	Layers     int     `json:"layers"`              // of the model file, and the head
	Auxiliary  bool    `json:"auxiliary"`           // a head and layers that serve training alone
	Strides    []int   `json:"strides"`
	Bins       int     `json:"bins"`
	Params     int64   `json:"parameters"`
	Fixed      int64   `json:"parameters_fixed"` // of these, never learned
	Inference  int64   `json:"parameters_inference"`
	TrainGFLOP float64 `json:"gflop_training"` // forward; backward takes about twice as much again
	GFLOP      float64 `json:"gflop_inference"`
}

// layerRow is a layer in `mapsweep models show --json`.
type layerRow struct {
	Layer        int     `json:"layer"`
	Label        string  `json:"label,omitempty"`
	Module       string  `json:"module"`
	From         []int   `json:"from"` // -1: the image
	Channels     int     `json:"channels,omitempty"`
	Stride       int     `json:"stride,omitempty"`
	TrainingOnly bool    `json:"training_only"`
	Params       int64   `json:"parameters"`
	Inference    int64   `json:"parameters_inference"`
	TrainGFLOP   float64 `json:"gflop_training"`
	GFLOP        float64 `json:"gflop_inference"`
}

func (a *app) modelsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "models",
		Short: "The detectors of the native trainer, and what a model file of yours costs",
		Args:  args(cobra.NoArgs),
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.modelsListCommand(), a.modelsShowCommand())
	return c
}

// modelFlags are those that both commands have.
type modelFlags struct {
	classes, size int
	json          bool
}

func (f *modelFlags) add(c *cobra.Command) {
	c.Flags().IntVar(&f.classes, "classes", 80, "number of classes")
	c.Flags().IntVar(&f.size, "image-size", 640, "pixels a side")
	c.Flags().BoolVar(&f.json, "json", false, "print as JSON")
}

// count resolves a model and counts it.
func (f *modelFlags) count(name string) (*spec.Model, spec.Count, error) {
	file, err := spec.Open(name)
	if err != nil {
		return nil, spec.Count{}, usagef("%w", err)
	}
	m, err := file.Resolve(spec.Options{Classes: f.classes})
	if err != nil {
		return nil, spec.Count{}, usagef("%w", err)
	}
	if k := m.Multiple(); f.size < k || f.size%k != 0 || f.size > 1<<13 {
		return nil, spec.Count{}, usagef("--image-size %d: %s needs a multiple of %d, at most %d", f.size, m.Name, k, 1<<13)
	}
	return m, m.Cost(f.size, f.size), nil
}

func (f *modelFlags) row(m *spec.Model, c spec.Count) modelRow {
	return modelRow{
		Model: m.Name, About: m.About, Classes: f.classes, ImageSize: f.size, Multiple: m.Multiple(), Layers: len(m.Layers) + 1,
		Auxiliary: len(m.Head.Auxiliary) > 0, Strides: m.Head.Steps, Bins: m.Bins, Params: c.Params, Fixed: c.Fixed, Inference: c.Inference,
		TrainGFLOP: spec.GFLOP(c.TrainMultiplyAdds), GFLOP: spec.GFLOP(c.MultiplyAdds),
	}
}

func (a *app) modelsListCommand() *cobra.Command {
	var f modelFlags
	c := &cobra.Command{
		Use:   "list",
		Short: "List the models with their parameters and operations",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			t := tables.Table{Name: "models", Columns: []tables.Column{{Title: "model"}, {Title: "parameters", Right: true}, {Title: "inference", Right: true},
				{Title: "GFLOP training", Right: true}, {Title: "inference", Right: true}, {Title: "auxiliary"}, {Title: "about"}}}
			var rows []modelRow
			for _, name := range spec.Names() {
				m, count, err := f.count(name)
				if err != nil {
					return err
				}
				r := f.row(m, count)
				rows = append(rows, r)
				t.Rows = append(t.Rows, textCells(r.Model, whole(r.Params), whole(r.Inference), gflop(r.TrainGFLOP), gflop(r.GFLOP), mark(r.Auxiliary), r.About))
			}
			if f.json {
				return printJSON(a.stdout, rows)
			}
			t.Notes = []string{fmt.Sprintf("%d classes, images of %d x %d. %s", f.classes, f.size, f.size, modelNote)}
			return tables.Terminal(a.stdout, []tables.Table{t}, a.tableOptions())
		},
	}
	f.add(c)
	return c
}

const modelNote = "GFLOP: 1e9 floating-point operations of the convolutions of one image, forward, a multiply-add counted as two. " +
	"Inference: without what serves training alone, batch normalisation folded and the two arms of RepConv melted into one."

func (a *app) modelsShowCommand() *cobra.Command {
	var f modelFlags
	var file bool
	c := &cobra.Command{
		Use:   "show MODEL",
		Short: "Show the layers of a model, or of a model file, with the parameters and operations of each",
		Example: `  mapsweep models show yolov9-t --classes 3 --image-size 320
  mapsweep models show gelan-t --file > mine.yaml
  mapsweep models show mine.yaml`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, given []string) error {
			m, count, err := f.count(given[0])
			if err != nil {
				return err
			}
			switch {
			case file:
				_, err = a.stdout.Write(m.Source)
				return err
			case f.json:
				return printJSON(a.stdout, struct {
					modelRow
					PerLayer []layerRow `json:"per_layer"`
				}{f.row(m, count), layerRows(m, count)})
			}
			return tables.Terminal(a.stdout, []tables.Table{layerTable(f.row(m, count), layerRows(m, count), m)}, a.tableOptions())
		},
	}
	f.add(c)
	c.Flags().BoolVar(&file, "file", false, "print the model file itself, to begin one of your own")
	return c
}

func layerRows(m *spec.Model, c spec.Count) (rows []layerRow) {
	for i, cost := range c.Layers {
		r := layerRow{Layer: i, Params: cost.Params, Inference: cost.Inference,
			TrainGFLOP: spec.GFLOP(cost.TrainMultiplyAdds), GFLOP: spec.GFLOP(cost.MultiplyAdds)}
		if i < len(m.Layers) {
			l := m.Layers[i]
			r.Label, r.Module, r.From, r.Channels, r.Stride, r.TrainingOnly = l.Label, l.Module, l.From, l.Channels, l.Step, l.TrainingOnly
		} else {
			r.Module = m.Head.Module
			r.From = append(append(r.From, m.Head.Main...), m.Head.Auxiliary...)
		}
		rows = append(rows, r)
	}
	return rows
}

func layerTable(sum modelRow, rows []layerRow, m *spec.Model) tables.Table {
	t := tables.Table{Name: "layers", Columns: []tables.Column{{Title: "layer", Right: true}, {Title: "label"}, {Title: "module"}, {Title: "from"}, {Title: "channels", Right: true},
		{Title: "stride", Right: true}, {Title: "parameters", Right: true}, {Title: "inference", Right: true}, {Title: "GFLOP training", Right: true}, {Title: "inference", Right: true}}}
	for _, r := range rows {
		inference, infer := whole(r.Inference), gflop(r.GFLOP)
		if r.TrainingOnly {
			inference, infer = "-", "-"
		}
		t.Rows = append(t.Rows, textCells(strconv.Itoa(r.Layer), r.Label, r.Module, sources(m, r), blank(r.Channels), blank(r.Stride), whole(r.Params), inference, gflop(r.TrainGFLOP), infer))
	}
	t.Rows = append(t.Rows, textCells("", "", "all", "", "", "", whole(sum.Params), whole(sum.Inference), gflop(sum.TrainGFLOP), gflop(sum.GFLOP)))
	t.Notes = []string{fmt.Sprintf("%s: %d classes, images of %d x %d (multiples of %d). %s", about(sum), sum.Classes, sum.ImageSize, sum.ImageSize, sum.Multiple, modelNote)}
	return t
}

// about is the model's name and what its file says of it.
func about(r modelRow) string {
	if r.About == "" {
		return r.Model
	}
	return r.Model + " (" + r.About + ")"
}

// sources names the layers that a layer reads; the one before it is not said.
func sources(m *spec.Model, r layerRow) string {
	if len(r.From) == 1 && r.From[0] == r.Layer-1 {
		return ""
	}
	var all []string
	for _, n := range r.From {
		switch {
		case n < 0:
			all = append(all, spec.Image)
		case m.Layers[n].Label != "" && n != r.Layer-1:
			all = append(all, m.Layers[n].Label)
		default:
			all = append(all, strconv.Itoa(n))
		}
	}
	return strings.Join(all, " ")
}

func textCells(texts ...string) (row []tables.Cell) {
	for _, s := range texts {
		row = append(row, tables.Cell{Text: s})
	}
	return row
}

// whole prints a count with a blank between thousands.
func whole(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

func blank(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func gflop(x float64) string { return strconv.FormatFloat(x, 'f', 3, 64) }

func mark(yes bool) string {
	if yes {
		return "yes"
	}
	return ""
}
