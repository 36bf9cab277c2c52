package spec

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Resolve fills in a model for a number of classes. The error is [Faults] where the file is wrong: all of them, as far
// as one does not hide another.
func (f *File) Resolve(o Options) (*Model, error) {
	if o.Classes < 1 || o.Classes > maxClasses {
		return nil, fmt.Errorf("model %s: %d classes: 1 to %d are possible", f.Name, o.Classes, maxClasses)
	}
	if o.Bins != 0 && (o.Bins < 2 || o.Bins > maxBins) {
		return nil, fmt.Errorf("model %s: %d bins a box side: 2 to %d are possible", f.Name, o.Bins, maxBins)
	}
	weight := f.Head.Weight
	if o.Weight != nil {
		weight = *o.Weight
	}
	if weight < 0 || weight > 0 && len(f.Head.Auxiliary) == 0 {
		return nil, fmt.Errorf("model %s: auxiliary weight %g: the model has no auxiliary head, so that only 0 is possible", f.Name, weight)
	}
	r := &resolver{report: report{file: f.path}, file: f, numbers: map[string]int{}}
	r.model = &Model{Name: f.Name, About: f.About, Classes: o.Classes, Bins: f.Bins, Labels: f.Labels, Source: f.Source}
	if o.Bins != 0 {
		r.model.Bins = o.Bins
	}
	r.labels()
	r.layers()
	if len(r.faults) == 0 {
		r.head(weight)
	}
	if len(r.faults) == 0 {
		r.serve()
	}
	if len(r.faults) == 0 {
		if p := r.model.Cost(r.model.Multiple(), r.model.Multiple()).Params; p > maxParams {
			r.add(f.named["layers"], "%d parameters: too wide or too deep; at most %d are possible", p, maxParams)
		}
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return r.model, nil
}

// resolver fills in one model.
type resolver struct {
	report
	file    *File
	model   *Model
	numbers map[string]int // of labels
}

// labels collects them. Of two alike, the first stays.
func (r *resolver) labels() {
	for i, l := range r.file.Layers {
		if l.As == "" {
			continue
		}
		if first, ok := r.numbers[l.As]; ok {
			r.add(l.at["as"], "layer %d is called %s, as layer %d is: labels must differ", i, l.As, first)
			continue
		}
		r.numbers[l.As] = i
	}
}

func (r *resolver) layers() {
	for i, in := range r.file.Layers {
		l := Layer{Number: i, Label: in.As, Module: in.Module, at: in.Pos, Kernel: 3, Stride: 1, Repeats: 1}
		before := len(r.faults)
		m, ok := modules[in.Module]
		if !ok && !in.broken {
			r.add(in.at["module"], "layer %d: unknown module %s: %s", i, in.Module, known(in.Module, sortedKeys(modules)))
		} else if !in.broken {
			r.arguments(&l, in, m)
		}
		l.From = r.sources(i, in)
		if r.file.Labels && in.As == "" {
			r.add(in.Pos, "layer %d has no label: with names: labels every layer needs one (as)", i)
		}
		if len(r.faults) == before && !in.broken {
			r.shape(&l, in, m)
		}
		r.model.Layers = append(r.model.Layers, l)
	}
}

// arguments brings them to the layer, with the file's width and depth.
func (r *resolver) arguments(l *Layer, in FileLayer, m module) {
	missing, surplus := m.lacking(in)
	if len(missing) > 0 {
		r.add(in.Pos, "layer %d: %s needs %s", l.Number, l.Module, strings.Join(missing, " and "))
	}
	for _, key := range surplus {
		r.add(in.at[key], "layer %d: %s has no argument %s", l.Number, l.Module, key)
	}
	one := map[string]*int{"out": &l.Out, "split": &l.Split, "hidden": &l.Hidden, "kernel": &l.Kernel, "stride": &l.Stride, "repeats": &l.Repeats}
	for key, v := range in.Args {
		scaled := make([]int, len(v))
		for i, x := range v {
			scaled[i] = r.scale(key, x)
		}
		switch {
		case one[key] != nil:
			*one[key] = scaled[0]
		case key == "outs":
			l.Outs = scaled
		case key == "pick":
			l.Pick = scaled
		}
	}
	if l.Kernel == 2 || l.Kernel == 1 && l.Stride == 2 {
		r.add(in.Pos, "layer %d: kernel %d with stride %d: there are 1 with 1, 3 with 1 and 3 with 2", l.Number, l.Kernel, l.Stride)
	}
}

// scale applies the file's width to channels, rounded up to a multiple of 8, and its depth to repeats.
func (r *resolver) scale(key string, x int) int {
	a := arguments[key]
	switch {
	case a.channels && r.file.Width != 1:
		return 8 * int(math.Ceil(float64(x)*r.file.Width/8))
	case a.repeats && r.file.Depth != 1:
		return max(1, int(math.Round(float64(x)*r.file.Depth)))
	}
	return x
}

// sources turns labels into numbers. Layers are computed in the order of the file, so that one can read those before
// it only.
func (r *resolver) sources(i int, in FileLayer) (from []int) {
	if len(in.From) == 0 {
		return []int{i - 1}
	}
	for k, label := range in.From {
		n, ok := r.numbers[label]
		switch {
		case label == Above:
			n = i - 1
		case label == Image:
			n = -1
		case !ok:
			r.add(in.from[k], "layer %d reads %s, and no layer is called so: %s", i, label, known(label, append(sortedKeys(r.numbers), Above, Image)))
			continue
		case n == i:
			r.add(in.from[k], "layer %d reads itself: a cycle", i)
			continue
		case n > i:
			r.add(in.from[k], "layer %d reads %s, which stands after it (layer %d): a cycle, or a wrong order; move it above", i, label, n)
			continue
		}
		from = append(from, n)
	}
	return from
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
