package spec

import "fmt"

// Model is a model file with everything filled in, for a number of classes.
type Model struct {
	Name, About string
	Classes     int
	Bins        int  // distribution bins a box side
	Labels      bool // parameters are named by labels
	Layers      []Layer
	Head        Head
	Source      []byte // the file that it was made from
}

// Layer is one layer of a model. Arguments that its module has not are 0.
type Layer struct {
	Number int // its place in the file, from 0
	Label  string
	Module string
	From   []int // numbers of the layers that it reads; -1: the image

	Out, Split, Hidden      int // channels: of the result, of the first convolution that is halved, inside
	Outs                    []int
	Kernel, Stride, Repeats int
	Pick                    []int // of CBFuse: which of its groups each CBLinear gives

	Channels     int  // of the result; of a CBLinear the sum of its groups
	Step         int  // stride of the result: pixels of the image a cell
	TrainingOnly bool // no level of the main head depends on it

	at Pos
}

// Head is the detection head: its levels, from the finest stride to the coarsest, as numbers of layers.
type Head struct {
	Module          string
	Hidden          int
	Main, Auxiliary []int // Auxiliary is empty where the auxiliary head is not built
	Steps           []int // stride of each level
	Dual            bool  // the file has auxiliary levels, built or not
	Weight          float64
}

// Options say what a model file is resolved for.
type Options struct {
	Classes int // at least 1
	Bins    int // distribution bins a box side; 0: the file's
	// Weight of the auxiliary head's loss. nil: the file's. At 0 the auxiliary head, and the layers that serve it
	// alone, are left out.
	Weight *float64
}

// Path is the name under which the parameters of a layer stand: "model.4", or the layer's label.
func (m *Model) Path(number int) string {
	if m.Labels {
		return m.Layers[number].Label
	}
	return fmt.Sprintf("model.%d", number)
}

// Multiple is what width and height of an image must be multiples of: the largest stride.
func (m *Model) Multiple() int {
	most := 1
	for _, l := range m.Layers {
		most = max(most, l.Step)
	}
	return most
}
