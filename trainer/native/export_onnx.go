package native

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/mapsweep/mapsweep/trainer/native/fold"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
	"github.com/mapsweep/mapsweep/trainer/native/onnx"
	"github.com/mapsweep/mapsweep/trainer/native/weights"
)

// Exported is a detector that is ready to be written as a file of ONNX.
type Exported struct {
	*onnx.File
	Model   string
	Classes []string
	Size    int // pixels a side
	Epoch   int // epochs that the checkpoint had finished
	Part    string
}

// ExportONNX reads a checkpoint, or the best one of a trial's directory, else its last, and makes a model of ONNX of it,
// for images of size pixels a side (0: that of training): what a Detector computes, without suppression. The file names
// classes (names, a JSON list), stride, imgsz, task, model, epoch and version, which is mapsweep's.
func ExportONNX(path string, size int, version string) (*Exported, error) {
	path, err := checkpointAt(path)
	if err != nil {
		return nil, err
	}
	h, part, named, err := readScored(path)
	if err != nil {
		return nil, err
	}
	e, err := exportONNX(h, named, size, version)
	if err != nil {
		return nil, fmt.Errorf("export checkpoint %s: %w", path, err)
	}
	e.Part = part
	return e, nil
}

func exportONNX(h header, named map[string][]float32, size int, version string) (*Exported, error) {
	m, err := h.inference()
	if err != nil {
		return nil, err
	}
	if size == 0 {
		size = h.Size
	}
	names, err := json.Marshal(h.Classes)
	if err != nil {
		return nil, err
	}
	f, err := onnx.New(m, fold.Tensors{Named: named, Labels: m.Labels}, size, size, version,
		onnx.Entry{Key: "names", Value: string(names)},
		onnx.Entry{Key: "stride", Value: strconv.Itoa(m.Multiple())},
		onnx.Entry{Key: "imgsz", Value: fmt.Sprintf("[%d, %d]", size, size)},
		onnx.Entry{Key: "task", Value: "detect"},
		onnx.Entry{Key: "model", Value: h.Model},
		onnx.Entry{Key: "epoch", Value: strconv.Itoa(h.Epoch)},
		onnx.Entry{Key: "mapsweep", Value: version})
	if err != nil {
		return nil, err
	}
	return &Exported{File: f, Model: h.Model, Classes: h.Classes, Size: size, Epoch: h.Epoch}, nil
}

// WriteFile writes a file in one step that either happens or does not.
func (e *Exported) WriteFile(path string) error {
	if err := weights.Replace(path, e.Write); err != nil {
		return fmt.Errorf("write weights: %w", err)
	}
	return nil
}

// inference is the model that a checkpoint holds, without what serves training alone.
func (h header) inference() (*spec.Model, error) {
	file, err := h.architecture()
	if err != nil {
		return nil, fmt.Errorf("it is of a model that this program does not know: %w", err)
	}
	none := 0.0
	return file.Resolve(spec.Options{Classes: len(h.Classes), Weight: &none})
}
