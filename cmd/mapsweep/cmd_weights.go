package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
	file "github.com/mapsweep/mapsweep/trainer/native/weights"
)

func (a *app) weightsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "weights",
		Short: "Files of weights: write those of a trained detector, look into a file",
		Args:  args(cobra.NoArgs),
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.weightsExportCommand(), a.weightsShowCommand())
	return c
}

func (a *app) weightsExportCommand() *cobra.Command {
	var force bool
	var size int
	c := &cobra.Command{
		Use:   "export WEIGHTS FILE.safetensors|FILE.onnx",
		Short: "Write the weights of a trained detector under PyTorch's names, or the detector as a model of ONNX",
		Long: `Export writes what the ending of the file's name says.

.safetensors has the names, shapes and order of PyTorch's state: it loads strictly into a network of the same layers. gelan-n,
which is the native trainer's own, keeps its own names. Classes, image size and epoch stand in the file's metadata.
trainer.weights and 'mapsweep train --weights' read such a file.

.onnx has the detector in the form for use: batch normalisation folded, the arms of RepConv melted into one, nothing of what
serves training alone. Input images: float32 [N, 3, H, W], RGB, 0 to 1, any N. Output output: float32 [N, 4 + classes, points],
for each point centre x, centre y, width and height of a box in pixels of the input, and a score from 0 to 1 for each class;
suppression is left to the reader. Class names, stride, image size, model, epoch and version stand in the metadata.

` + weightsHelp,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, given []string) error {
			out := given[1]
			extension := strings.ToLower(filepath.Ext(out))
			switch {
			case extension != ".safetensors" && extension != ".onnx":
				return usagef("%s: the name must end in .safetensors or .onnx, which is what is written", out)
			case extension != ".onnx" && c.Flags().Changed("image-size"):
				return usagef("--image-size is of use for .onnx only")
			case size < 0:
				return usagef("--image-size %d is negative", size)
			}
			if _, err := os.Lstat(out); err == nil && !force {
				return fmt.Errorf("%s is there already: give another name, or --force to replace it", out)
			}
			w, err := a.findWeights(c.Context(), given[0])
			if err != nil {
				return err
			}
			if extension == ".onnx" {
				return a.exportONNX(w, out, size)
			}
			s, err := native.Export(w.path)
			if err != nil {
				return err
			}
			if err := file.WriteSafetensors(out, s); err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "wrote %s: %s of %s after epoch %s, %s, %s values\n", out, s.Meta["part"], s.Meta["model"], s.Meta["epoch"],
				count(len(s.Tensors), "tensor"), whole(elements(s)))
			return nil
		},
	}
	c.Flags().BoolVar(&force, "force", false, "replace a file that is there")
	c.Flags().IntVar(&size, "image-size", 0, "for .onnx: side of the pictures that it takes, in pixels (default: that of training)")
	return c
}

func (a *app) exportONNX(w weights, out string, size int) error {
	e, err := native.ExportONNX(w.path, size, version)
	if err != nil {
		return err
	}
	if err := e.WriteFile(out); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "wrote %s: %s of %s after epoch %d, images of %d x %d, %s, output of %d numbers for each of %s\n", out, e.Part, e.Model, e.Epoch,
		e.Size, e.Size, count(e.Nodes, "operation"), 4+len(e.Classes), count(e.Anchors, "point"))
	return nil
}

// weightsFile is `mapsweep weights show --json`.
type weightsFile struct {
	Meta    map[string]string `json:"metadata"`
	Tensors []weightsTensor   `json:"tensors"`
	Layout  weightsLayout     `json:"layout"`
}

// weightsLayout says which model's tensors a file has, or why none's.
type weightsLayout struct {
	Model     string   `json:"model,omitempty"`
	Classes   int      `json:"classes,omitempty"`
	Auxiliary bool     `json:"auxiliary"`
	Starts    []string `json:"starts"` // built-in models that take the whole detector from it
	None      string   `json:"none,omitempty"`
}

// layoutOf compares a file with the models that are built in.
func layoutOf(s *file.Set) (weightsLayout, string) {
	shapes := spec.Shapes{}
	for _, t := range s.Tensors {
		shapes[t.Name] = t.Shape
	}
	l, err := spec.ReadLayout(shapes, nil)
	if err != nil {
		return weightsLayout{Starts: []string{}, None: err.Error()}, fmt.Sprintf("layout not known: %v", err)
	}
	v := weightsLayout{Model: l.Model.Name, Classes: l.Model.Classes, Auxiliary: l.Auxiliary, Starts: l.Starts()}
	return v, fmt.Sprintf("%s: weights to start from for %s", l, strings.Join(v.Starts, ", "))
}

type weightsTensor struct {
	Name  string    `json:"name"`
	Type  file.Type `json:"dtype"`
	Shape []int     `json:"shape"`
}

func (a *app) weightsShowCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show FILE",
		Short: "List the tensors of a file of safetensors or of a checkpoint of PyTorch (.pt)",
		Long: `Show lists the tensors of a file, and says which model of the family has them and which models can start from
it (trainer.weights): a yolov9 model has the detector of the gelan model of the same letter, in layers of other numbers.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, given []string) error {
			s, err := file.Read(given[0])
			if errors.Is(err, file.ErrFormat) {
				return fmt.Errorf("%w; of a checkpoint of the native trainer 'mapsweep weights export' makes such a file", err)
			}
			if err != nil {
				return err
			}
			layout, words := layoutOf(s)
			v := weightsFile{Meta: s.Meta, Tensors: []weightsTensor{}, Layout: layout}
			for _, t := range s.Tensors {
				v.Tensors = append(v.Tensors, weightsTensor{t.Name, t.Type, append([]int{}, t.Shape...)})
			}
			if asJSON {
				return printJSON(a.stdout, v)
			}
			for _, t := range v.Tensors {
				fmt.Fprintf(a.stdout, "%-4s %-20s %s\n", t.Type, strings.Trim(fmt.Sprint(t.Shape), "[]"), t.Name)
			}
			fmt.Fprintf(a.stdout, "%s, %s values\n", count(len(v.Tensors), "tensor"), whole(elements(s)))
			fmt.Fprintln(a.stdout, words)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

// elements is the number of values in the tensors of a set.
func elements(s *file.Set) (n int64) {
	for _, t := range s.Tensors {
		n += int64(len(t.Values) + len(t.Ints))
	}
	return n
}
