package spec

import "fmt"

// elan is ELAN1: a 1x1 convolution to Split channels; a 3x3 on its second half; a 3x3 on that; a 1x1 on all four pieces.
func (b *walk[T]) elan(name string, x T, l Layer) T {
	return b.aggregate(name, x, l, func(part string, x T) T {
		return b.conv(name, part, x, l.Hidden, 3, 1)
	})
}

// repElan is RepNCSPELAN4: ELAN1 with a CSP block before each 3x3 convolution.
func (b *walk[T]) repElan(name string, x T, l Layer) T {
	return b.aggregate(name, x, l, func(part string, x T) T {
		inner := name + "." + b.part(part)
		return b.conv(inner, "1", b.csp(inner+".0", x, l.Hidden, l.Repeats), l.Hidden, 3, 1)
	})
}

func (b *walk[T]) aggregate(name string, x T, l Layer, stage func(part string, x T) T) T {
	half := []int{l.Split / 2, l.Split / 2}
	halves := b.ops.Split(b.conv(name, "cv1", x, l.Split, 1, 1, half...), half)
	u := stage("cv2", halves[1])
	v := stage("cv3", u)
	return b.conv(name, "cv4", b.ops.Concat(name+".all", []T{halves[0], halves[1], u, v}), l.Out, 1, 1)
}

// csp is RepNCSP: two 1x1 convolutions to half of out, bottlenecks on the first, and a 1x1 on both.
func (b *walk[T]) csp(name string, x T, out, repeats int) T {
	hidden := out / 2
	y := b.conv(name, "cv1", x, hidden, 1, 1)
	for i := range repeats {
		y = b.bottleneck(fmt.Sprintf("%s.m.%d", name, i), y, hidden)
	}
	z := b.conv(name, "cv2", x, hidden, 1, 1)
	return b.conv(name, "cv3", b.ops.Concat(name+".all", []T{y, z}), out, 1, 1)
}

// bottleneck is RepNBottleneck: a RepConv, a 3x3 convolution, and the input added.
func (b *walk[T]) bottleneck(name string, x T, channels int) T {
	y := b.conv(name, "cv2", b.ops.RepConv(name+".cv1", x, channels), channels, 3, 1)
	return b.ops.Add(name+".sum", x, y)
}

// down is ADown: the 2x2 mean; its first half through a 3x3 convolution with stride 2, its second through a 3x3 maximum
// with stride 2 and a 1x1 convolution.
func (b *walk[T]) down(name string, x T, l Layer) T {
	c := b.ops.Channels(x)
	halves := b.ops.Split(b.ops.AvgPool(name+".mean", x), []int{c / 2, c / 2})
	first := b.conv(name, "cv1", halves[0], l.Out/2, 3, 2)
	second := b.conv(name, "cv2", b.ops.MaxPool(name+".max", halves[1], 3, 2), l.Out/2, 1, 1)
	return b.ops.Concat(name+".all", []T{first, second})
}

// spp is SPPELAN: a 1x1 convolution, three 5x5 maxima one on another, and a 1x1 on all four.
func (b *walk[T]) spp(name string, x T, l Layer) T {
	all := []T{b.conv(name, "cv1", x, l.Hidden, 1, 1)}
	for i := range 3 {
		all = append(all, b.ops.MaxPool(fmt.Sprintf("%s.cv%d", name, i+2), all[i], 5, 1))
	}
	return b.conv(name, "cv5", b.ops.Concat(name+".all", all), l.Out, 1, 1)
}
