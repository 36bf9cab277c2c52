package native

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
	"github.com/mapsweep/mapsweep/trainer/native/weights"
)

// ErrNoSize is in the error for a file of weights that does not say how large the pictures of its training were, where
// nobody else does either.
var ErrNoSize = errors.New("the size of its pictures is not known")

// foreign is a file of safetensors or a checkpoint of PyTorch that is to find objects.
type foreign struct {
	set    *weights.Set
	shapes spec.Shapes // of its floating tensors
}

// isCheckpoint says whether a file begins as a checkpoint of this trainer.
func isCheckpoint(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	begin := make([]byte, len(magic))
	n, _ := f.ReadAt(begin, 0) // a shorter file is none
	return string(begin[:n]) == magic, nil
}

// readForeign reads a file as a network of inference needs it: a header as a checkpoint has it, the part of the training's
// state that the weights are, and tensors by name. What the file does not say itself comes from o; where neither names
// the model, it is the built-in one whose tensors the file has. named says whether its classes have names.
func readForeign(path string, o DetectorOptions) (h header, part string, tensors map[string][]float32, named bool, err error) {
	fail := func(err error) (header, string, map[string][]float32, bool, error) {
		return header{}, "", nil, false, err
	}
	set, err := weights.Read(path)
	if err != nil {
		return fail(fmt.Errorf("no checkpoint of the native trainer, no safetensors and none of PyTorch: %w", err))
	}
	f := foreign{set, spec.Shapes{}}
	tensors = map[string][]float32{}
	for _, t := range set.Tensors {
		if t.Type != weights.Int64 {
			f.shapes[t.Name], tensors[t.Name] = t.Shape, t.Values
		}
	}
	a, classes, err := f.model(o.Model)
	if err != nil {
		return fail(err)
	}
	h = header{Model: a.name, File: a.source(), Size: o.Size}
	if err := f.sound(a, classes); err != nil {
		return fail(err)
	}
	if h.Classes, named, err = f.names(classes, o.Classes); err != nil {
		return fail(err)
	}
	if h.Size == 0 {
		if h.Size = f.number("image_size"); h.Size == 0 {
			return fail(ErrNoSize)
		}
	}
	h.Epoch, part = f.number("epoch"), partWeights
	if set.Meta["part"] == partAverage {
		part = partAverage
	}
	return h, part, tensors, named, nil
}

// number is a number in the words about the file; 0: there is none.
func (f foreign) number(key string) int {
	n, err := strconv.Atoi(f.set.Meta[key])
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// model finds the model of the file, and how many classes it tells apart: the one given, or the one that the file names,
// or the first that is built in and fits.
func (f foreign) model(given string) (architecture, int, error) {
	said := f.set.Meta["model"]
	own := strings.Contains(said, "@") // a model file, and its hash
	switch {
	case given != "":
	case own:
		return architecture{}, 0, optionError(OptionModel, "it is of %s, a model that is not built in: its model file is needed", said)
	case slices.Contains(spec.Names(), said):
		return f.of(said)
	default:
		return f.recognise()
	}
	a, classes, err := f.of(given)
	if err == nil && own && a.name != said {
		err = fmt.Errorf("it is of %s, and %s is %s, another model", said, given, a.name)
	}
	if err != nil && !errors.Is(err, spec.ErrFolded) {
		err = &OptionError{OptionModel, err}
	}
	return a, classes, err
}

// of holds the file against a model.
func (f foreign) of(model string) (architecture, int, error) {
	a, err := openArchitecture(model)
	if err != nil {
		return a, 0, err
	}
	l, lacks, err := a.file.Fit(f.shapes)
	if err == nil && len(lacks) > 0 {
		err = fmt.Errorf("it is no %s: %s", a.name, spec.Lacks(lacks))
	}
	if err != nil {
		return a, 0, err
	}
	return a, l.Model.Classes, nil
}

// recognise tries the models that are built in.
func (f foreign) recognise() (architecture, int, error) {
	l, err := spec.ReadLayout(f.shapes, nil)
	if err != nil {
		return architecture{}, 0, err
	}
	a, err := openArchitecture(l.Model.Name)
	return a, l.Model.Classes, err
}
