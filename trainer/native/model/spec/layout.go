package spec

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Shapes are the tensors of a file of weights: their shapes by their names.
type Shapes map[string][]int

// Layout is how the tensors of a file are laid out: as those of a model.
type Layout struct {
	Model     *Model // for the file's number of classes, with the auxiliary branch if the file has it
	Auxiliary bool   // the file has the auxiliary branch, too
	Own       bool   // the model is the one that was given
}

// ErrFolded is the error of weights that are in the form for use.
var ErrFolded = errors.New("batch normalisation is folded into its convolutions, as for use: training needs a file from before that")

// ReadLayout finds the model whose detector a file holds, by names and shapes: the one given, else the first of those
// that are built in. An auxiliary branch may be missing. Where there is none the error says what speaks against the one
// that comes nearest.
func ReadLayout(shapes Shapes, own *File) (*Layout, error) {
	candidates, err := candidates(own)
	if err != nil {
		return nil, err
	}
	nearest, most := "", 0
	for _, f := range candidates {
		l, has, lacks, err := f.layout(shapes)
		switch {
		case err != nil:
			return nil, err
		case l == nil:
			continue
		case len(lacks) == 0:
			l.Own = f == own
			return l, nil
		case has > most:
			nearest, most = fmt.Sprintf("%s comes nearest, but the file lacks %d of its tensors: %s", f.Name, len(lacks), lacks[0]), has
		}
	}
	switch {
	case shapes.folded():
		return nil, ErrFolded
	case nearest != "":
		return nil, fmt.Errorf("its tensors are those of no known model: %s", nearest)
	}
	return nil, errors.New("its tensors are those of no known model: no head of one is there")
}

// candidates are the models that a file of weights may be laid out as. Those that name tensors by labels have layouts of
// their own.
func candidates(own *File) (files []*File, err error) {
	if own != nil && !own.Labels {
		files = append(files, own)
	}
	for _, name := range names {
		f, err := Open(name)
		if err != nil {
			return nil, err
		}
		if !f.Labels {
			files = append(files, f)
		}
	}
	return files, nil
}

// layout holds a file against one model. It is nil where not even a head stands in the right place; has counts tensors of
// the detector that are there, lacks are those that are missing or have another shape.
func (f *File) layout(shapes Shapes) (l *Layout, has int, lacks []string, err error) {
	m, err := f.Resolve(Options{Classes: 1})
	if err != nil || m.Head.Module != DDetect {
		return nil, 0, nil, err
	}
	_, class, _ := m.branches(false)
	out, ok := shapes[fmt.Sprintf("model.%d.%s.0.2.bias", len(m.Layers), class)]
	if !ok || len(out) != 1 || out[0] < 1 || out[0] > maxClasses {
		return nil, 0, nil, nil
	}
	if m, err = f.Resolve(Options{Classes: out[0]}); err != nil {
		return nil, 0, nil, err
	}
	l = &Layout{Model: m, Auxiliary: len(m.Head.Auxiliary) > 0}
	for _, t := range m.State() {
		switch there := shapes.has(t); {
		case !t.Taken():
		case t.TrainingOnly:
			l.Auxiliary = l.Auxiliary && there
		case there:
			has++
		default:
			lacks = append(lacks, fmt.Sprintf("%s of shape %v", t.Name, t.Shape))
		}
	}
	if !l.Auxiliary {
		none := 0.0
		l.Model, err = f.Resolve(Options{Classes: out[0], Weight: &none})
	}
	return l, has, lacks, err
}

func (s Shapes) has(t Tensor) bool {
	shape, ok := s[t.Name]
	return ok && slices.Equal(shape, t.Shape)
}

// folded says whether convolutions have biases in the place of batch normalisation.
func (s Shapes) folded() bool {
	folded := false
	for name := range s {
		if strings.Contains(name, ".bn.") {
			return false
		}
		folded = folded || strings.HasSuffix(name, ".conv.bias")
	}
	return folded
}

// String says it in words.
func (l *Layout) String() string {
	text := fmt.Sprintf("the layers of %s for %d classes", l.Model.Name, l.Model.Classes)
	if l.Model.Classes == 1 {
		text = fmt.Sprintf("the layers of %s for one class", l.Model.Name)
	}
	if l.Auxiliary {
		text += " with its auxiliary branch"
	} else if l.Model.Head.Dual {
		text += " without its auxiliary branch"
	}
	return text
}

// Starts lists the built-in models that have this detector, and so can start from such a file.
func (l *Layout) Starts() []string {
	starts := []string{}
	for _, name := range names {
		f, err := Open(name)
		if err != nil {
			continue
		}
		if m, err := f.Resolve(Options{Classes: l.Model.Classes}); err == nil {
			if _, err := Rename(l.Model, m); err == nil {
				starts = append(starts, name)
			}
		}
	}
	return starts
}
