package spec

import "fmt"

// boxGroups is the number of groups in the box branch of DDetect: one a side.
const boxGroups = 4

// head builds one head, called "head" or "aux".
func (b *walk[T]) head(name string, levels []int) Outputs[T] {
	m := b.model
	b.ops.Enter(len(m.Layers), name == "aux")
	o := Outputs[T]{Name: name}
	var xs []T
	for _, n := range levels {
		xs = append(xs, b.read(n))
	}
	if m.Head.Module == SlimDetect {
		b.slim(&o, xs)
	} else {
		b.ddetect(&o, xs)
	}
	return o
}

// ddetect builds the levels of DDetect: 3x3, 3x3 in four groups and a biased 1x1 in four groups to 4 bins channels for
// the boxes; 3x3, 3x3 and a biased 1x1 for the classes. Widths follow from the finest level. Where a model file
// has two heads, the auxiliary one has the first names and the main one the next, whether both are built or not.
func (b *walk[T]) ddetect(o *Outputs[T], xs []T) {
	m := b.model
	first := b.ops.Channels(xs[0])
	box := up(max(first/4, 4*m.Bins, 16), 4)
	class := max(first, min(2*m.Classes, 128))
	path := fmt.Sprintf("model.%d", len(m.Layers))
	cvBox, cvClass, dfl := m.branches(o.Name == "aux")
	for i, x := range xs {
		at := fmt.Sprintf("%s.%s.%d", path, cvBox, i)
		y := b.conv(at, "0", x, box, 3, 1)
		y = b.ops.Conv(at+".1", y, Conv{Out: box, Kernel: 3, Stride: 1, Groups: boxGroups})
		o.Box = append(o.Box, b.ops.Conv(at+".2", y, Conv{Out: 4 * m.Bins, Kernel: 1, Stride: 1, Groups: boxGroups, Bias: true}))
		at = fmt.Sprintf("%s.%s.%d", path, cvClass, i)
		y = b.conv(at, "1", b.conv(at, "0", x, class, 3, 1), class, 3, 1)
		o.Class = append(o.Class, b.ops.Conv(at+".2", y, Conv{Out: m.Classes, Kernel: 1, Stride: 1, Bias: true}))
	}
	b.ops.Fixed(path+"."+dfl+".conv.weight", 1, m.Bins, 1, 1)
}

// branches are the names of a head's branches for boxes and classes and of its bins' numbers.
func (m *Model) branches(aux bool) (box, class, bins string) {
	if m.Head.Dual && !aux {
		return "cv4", "cv5", "dfl2"
	}
	return "cv2", "cv3", "dfl"
}

// slim builds the levels of SlimDetect: a 3x3 and a biased 1x1 convolution for each of boxes and classes. Names hold
// the stride.
func (b *walk[T]) slim(o *Outputs[T], xs []T) {
	m := b.model
	for i, x := range xs {
		level := fmt.Sprintf("%s%d", o.Name, m.Head.Steps[i])
		box := b.conv(level, "box.conv", x, m.Head.Hidden, 3, 1)
		class := b.conv(level, "class.conv", x, m.Head.Hidden, 3, 1)
		o.Box = append(o.Box, b.ops.Conv(level+".box.out", box, Conv{Out: 4 * m.Bins, Kernel: 1, Stride: 1, Bias: true}))
		o.Class = append(o.Class, b.ops.Conv(level+".class.out", class, Conv{Out: m.Classes, Kernel: 1, Stride: 1, Bias: true}))
	}
}

// up rounds x up to a multiple of n.
func up(x, n int) int { return (x + n - 1) / n * n }
