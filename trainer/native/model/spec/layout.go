package spec

import (
	"errors"
	"fmt"
	"slices"
)

// Shapes are the tensors of a file of weights: their shapes by their names.
type Shapes map[string][]int

// Layout is how the tensors of a file are laid out: as those of a model.
type Layout struct {
	Model     *Model // for the file's number of classes, with the auxiliary branch if the file has it
	Auxiliary bool   // the file has the auxiliary branch, too
	Own       bool   // the model is the one that was given
	has       int    // tensors of the detector that the file has
}

// ErrFolded is the error of weights that are in the form for use.
var ErrFolded = errors.New("its batch normalisation is folded into its convolutions, as for use: a file from before that is needed")

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
		l, lacks, err := f.Fit(shapes)
		switch {
		case err != nil:
			return nil, err
		case len(lacks) == 0:
			l.Own = f == own
			return l, nil
		case l.has > most:
			nearest, most = fmt.Sprintf("; nearest is %s: %s", f.Name, Lacks(lacks)), l.has
		}
	}
	return nil, fmt.Errorf("its tensors are those of no model that is built in%s", nearest)
}

// candidates are the models that a file of weights may be laid out as.
func candidates(own *File) (files []*File, err error) {
	if own != nil {
		files = append(files, own)
	}
	for _, name := range names {
		f, err := Open(name)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// Lacks says of tensors that a file does not have how many they are, and the first.
func Lacks(names []string) string {
	if len(names) == 1 {
		return names[0] + " is missing or of another shape"
	}
	return fmt.Sprintf("%s and %d more of its tensors are missing or of another shape", names[0], len(names)-1)
}

// Fit holds a file of weights against a model: lacks names the tensors of the detector that are missing or have another
// shape. Where there are some the layout says no more than a number of classes.
func (f *File) Fit(shapes Shapes) (l *Layout, lacks []string, err error) {
	classes, err := f.classes(shapes)
	if err != nil {
		return nil, nil, err
	}
	dual, none := float64(min(1, len(f.Head.Auxiliary))), 0.0
	m, err := f.Resolve(Options{Classes: max(1, classes), Weight: &dual})
	if err != nil {
		return nil, nil, err
	}
	l = &Layout{Model: m, Auxiliary: dual > 0}
	for _, t := range m.State() {
		switch there := shapes.has(t); {
		case !t.Taken():
		case t.TrainingOnly:
			l.Auxiliary = l.Auxiliary && there
		case there:
			l.has++
		default:
			lacks = append(lacks, t.Name)
		}
	}
	if !l.Auxiliary {
		l.Model, err = f.Resolve(Options{Classes: max(1, classes), Weight: &none})
	}
	if len(lacks) > 0 && shapes.folded(l.Model.State()) {
		err = ErrFolded
	}
	return l, lacks, err
}

// classes is how many a file tells apart, by the bias of the class branches, which has an element for each; 0 where it has
// none.
func (f *File) classes(shapes Shapes) (int, error) {
	none := 0.0
	one, err := f.Resolve(Options{Classes: 1, Weight: &none})
	if err != nil {
		return 0, err
	}
	two, err := f.Resolve(Options{Classes: 2, Weight: &none})
	if err != nil {
		return 0, err
	}
	others := two.State()
	for i, t := range one.State() {
		if t.Role != Bias || t.Shape[0] == others[i].Shape[0] {
			continue
		}
		if s := shapes[t.Name]; len(s) == 1 && s[0] > 0 && s[0] <= maxClasses {
			return s[0], nil
		}
		break
	}
	return 0, nil
}

func (s Shapes) has(t Tensor) bool {
	shape, ok := s[t.Name]
	return ok && slices.Equal(shape, t.Shape)
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
