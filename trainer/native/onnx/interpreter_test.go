package onnx_test

import (
	"fmt"
	"math"
	"slices"
)

// run computes a file's graph as plainly as its operators are defined, and returns the output.
func (d document) run(images array) array {
	values := map[string]array{"images": images}
	for name, c := range d.constants {
		values[name] = c
	}
	for _, n := range d.nodes {
		var in []array
		for _, name := range n.inputs {
			v, ok := values[name]
			if !ok && name != "" {
				panic(fmt.Sprintf("%s reads %s, which nobody wrote", n.outputs[0], name))
			}
			in = append(in, v)
		}
		for i, y := range n.run(in) {
			values[n.outputs[i]] = y
		}
	}
	return values["output"]
}

func (n operation) run(in []array) []array {
	x := in[0]
	switch n.op {
	case "Conv":
		return []array{n.conv(x, in[1], in[2])}
	case "Sigmoid":
		return []array{x.each(func(v float64) float64 { return 1 / (1 + math.Exp(-v)) })}
	case "Add":
		return []array{broadcast(x, in[1], func(a, b float64) float64 { return a + b })}
	case "Sub":
		return []array{broadcast(x, in[1], func(a, b float64) float64 { return a - b })}
	case "Mul":
		return []array{broadcast(x, in[1], func(a, b float64) float64 { return a * b })}
	case "Concat":
		return []array{concat(in, n.ints["axis"][0])}
	case "Split":
		return split(x, in[1].i, n.ints["axis"][0])
	case "MaxPool":
		return []array{n.pool(x, math.Inf(-1), func(sum, v float64) float64 { return max(sum, v) }, 1)}
	case "AveragePool":
		k := n.ints["kernel_shape"]
		return []array{n.pool(x, 0, func(sum, v float64) float64 { return sum + v }, float64(k[0]*k[1]))}
	case "Resize":
		if n.texts["mode"] != "nearest" || n.texts["coordinate_transformation_mode"] != "asymmetric" || n.texts["nearest_mode"] != "floor" {
			panic(fmt.Sprint(n.texts))
		}
		return []array{resize(x, in[2].f)}
	case "Softmax":
		return []array{softmax(x, n.ints["axis"][0])}
	case "ReduceSum":
		if n.ints["keepdims"][0] != 0 {
			panic("keepdims")
		}
		return []array{sum(x, int(in[1].i[0]))}
	case "Reshape":
		return []array{{shape: reshaped(x.shape, in[1].i), f: x.f}}
	}
	panic("operator " + n.op)
}

func size(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}

func zeros(shape ...int) array { return array{shape: shape, f: make([]float32, size(shape))} }

func (a array) each(f func(float64) float64) array {
	y := zeros(a.shape...)
	for i, v := range a.f {
		y.f[i] = float32(f(float64(v)))
	}
	return y
}

func (n operation) conv(x, w, bias array) array {
	k, s, p, groups := n.ints["kernel_shape"][0], n.ints["strides"][0], n.ints["pads"][0], n.ints["group"][0]
	N, C, H, W, O := x.shape[0], x.shape[1], x.shape[2], x.shape[3], w.shape[0]
	if w.shape[1] != C/groups || w.shape[2] != k || len(bias.f) != O {
		panic(fmt.Sprint("weights ", w.shape, " for ", x.shape))
	}
	y := zeros(N, O, (H+2*p-k)/s+1, (W+2*p-k)/s+1)
	at := 0
	for b := range N {
		for o := range O {
			first := o / (O / groups) * w.shape[1]
			for h := range y.shape[2] {
				for v := range y.shape[3] {
					sum := float64(bias.f[o])
					for c := range w.shape[1] {
						for i := range k {
							for j := range k {
								r, q := h*s+i-p, v*s+j-p
								if r >= 0 && r < H && q >= 0 && q < W {
									sum += float64(x.f[((b*C+first+c)*H+r)*W+q]) * float64(w.f[((o*w.shape[1]+c)*k+i)*k+j])
								}
							}
						}
					}
					y.f[at] = float32(sum)
					at++
				}
			}
		}
	}
	return y
}

func (n operation) pool(x array, from float64, f func(sum, v float64) float64, over float64) array {
	k, s, p := n.ints["kernel_shape"][0], n.ints["strides"][0], 0
	if pads := n.ints["pads"]; len(pads) > 0 {
		p = pads[0]
	}
	H, W := x.shape[2], x.shape[3]
	y := zeros(x.shape[0], x.shape[1], (H+2*p-k)/s+1, (W+2*p-k)/s+1)
	at := 0
	for plane := range x.shape[0] * x.shape[1] {
		for h := range y.shape[2] {
			for v := range y.shape[3] {
				sum := from
				for i := range k {
					for j := range k {
						r, q := h*s+i-p, v*s+j-p
						if r >= 0 && r < H && q >= 0 && q < W {
							sum = f(sum, float64(x.f[(plane*H+r)*W+q]))
						}
					}
				}
				y.f[at] = float32(sum / over)
				at++
			}
		}
	}
	return y
}

// broadcast repeats extents of 1, and missing ones in front, as numpy does.
func broadcast(a, b array, f func(a, b float64) float64) array {
	shape := make([]int, max(len(a.shape), len(b.shape)))
	extent := func(x array, axis int) int {
		if i := axis - len(shape) + len(x.shape); i >= 0 {
			return x.shape[i]
		}
		return 1
	}
	for i := range shape {
		shape[i] = max(extent(a, i), extent(b, i))
	}
	y := zeros(shape...)
	at := func(x array, i int) float64 {
		index, step := 0, 1
		for axis := len(shape) - 1; axis >= 0; axis-- {
			if n := extent(x, axis); n > 1 {
				index += i % shape[axis] % n * step
				step *= n
			}
			i /= shape[axis]
		}
		return float64(x.f[index])
	}
	for i := range y.f {
		y.f[i] = float32(f(at(a, i), at(b, i)))
	}
	return y
}

// around are the numbers of values before an axis, along it, and behind it.
func around(shape []int, axis int) (before, along, behind int) {
	return size(shape[:axis]), shape[axis], size(shape[axis+1:])
}

func concat(in []array, axis int) array {
	shape := slices.Clone(in[0].shape)
	for _, x := range in[1:] {
		shape[axis] += x.shape[axis]
	}
	y := array{shape: shape}
	for i := range size(shape[:axis]) {
		for _, x := range in {
			_, along, behind := around(x.shape, axis)
			y.f = append(y.f, x.f[i*along*behind:(i+1)*along*behind]...)
		}
	}
	return y
}

func split(x array, sizes []int64, axis int) (ys []array) {
	before, along, behind := around(x.shape, axis)
	from := 0
	for _, n := range sizes {
		y := array{shape: slices.Clone(x.shape)}
		y.shape[axis] = int(n)
		for i := range before {
			y.f = append(y.f, x.f[(i*along+from)*behind:(i*along+from+int(n))*behind]...)
		}
		from += int(n)
		ys = append(ys, y)
	}
	if from != along {
		panic("split")
	}
	return ys
}

func resize(x array, scales []float32) array {
	H, W := x.shape[2], x.shape[3]
	y := zeros(x.shape[0], x.shape[1], int(float32(H)*scales[2]), int(float32(W)*scales[3]))
	at := 0
	for plane := range x.shape[0] * x.shape[1] {
		for h := range y.shape[2] {
			for w := range y.shape[3] {
				y.f[at] = x.f[(plane*H+int(float32(h)/scales[2]))*W+int(float32(w)/scales[3])]
				at++
			}
		}
	}
	return y
}

func softmax(x array, axis int) array {
	before, along, behind := around(x.shape, axis)
	y := zeros(x.shape...)
	for i := range before {
		for j := range behind {
			at := func(k int) int { return (i*along+k)*behind + j }
			top, total := math.Inf(-1), 0.0
			for k := range along {
				top = max(top, float64(x.f[at(k)]))
			}
			for k := range along {
				total += math.Exp(float64(x.f[at(k)]) - top)
			}
			for k := range along {
				y.f[at(k)] = float32(math.Exp(float64(x.f[at(k)])-top) / total)
			}
		}
	}
	return y
}

func sum(x array, axis int) array {
	before, along, behind := around(x.shape, axis)
	y := zeros(slices.Delete(slices.Clone(x.shape), axis, axis+1)...)
	for i := range before {
		for j := range behind {
			total := 0.0
			for k := range along {
				total += float64(x.f[(i*along+k)*behind+j])
			}
			y.f[i*behind+j] = float32(total)
		}
	}
	return y
}

// reshaped resolves a wanted shape: 0 is the extent as it was, -1 what is left.
func reshaped(shape []int, want []int64) (out []int) {
	rest, open := size(shape), -1
	for i, n := range want {
		switch {
		case n == 0:
			n = int64(shape[i])
		case n < 0:
			n, open = 1, i
		}
		out = append(out, int(n))
		rest /= int(n)
	}
	if open >= 0 {
		out[open] = rest
	}
	if size(out) != size(shape) {
		panic("reshape")
	}
	return out
}
