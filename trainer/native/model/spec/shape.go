package spec

// input is the stride, and the channels, of layer n; those of the image for -1.
func (r *resolver) input(n int) (step, channels int) {
	if n < 0 {
		return 1, 3
	}
	return r.model.Layers[n].Step, r.model.Layers[n].Channels
}

// shape computes channels and stride of a layer, and checks what it reads.
func (r *resolver) shape(l *Layer, in FileLayer, m module) {
	if !r.readable(l, in, m) {
		return
	}
	step, channels := r.input(l.From[len(l.From)-1])
	l.Step, l.Channels = m.stride(*l, step), l.Out
	switch l.Module {
	case "Upsample":
		l.Channels = channels
		if step < 2 {
			r.add(l.at, "layer %d: Upsample of a layer with stride %d: nothing is finer than the image", l.Number, step)
		}
	case "Silence":
		l.Channels = channels
	case "Concat":
		l.Channels = 0
		for _, n := range l.From {
			_, c := r.input(n)
			l.Channels += c
		}
	case "CBLinear":
		for _, c := range l.Outs {
			l.Channels += c
		}
	case "CBFuse":
		l.Channels = channels
		r.fuse(l, in, channels)
	}
	r.bounds(l, in, channels)
}

// readable checks the layers that l reads: how many, which, and their strides.
func (r *resolver) readable(l *Layer, in FileLayer, m module) bool {
	before := len(r.faults)
	switch n := len(l.From); {
	case m.inputs > 0 && n != m.inputs:
		r.add(in.at["from"], "layer %d: %s reads one layer, not %d", l.Number, l.Module, n)
	case m.inputs == 0 && n < 2:
		r.add(in.Pos, "layer %d: %s reads two layers or more, not %d: list them in from", l.Number, l.Module, n)
	}
	for k, n := range l.From {
		at := in.Pos
		if k < len(in.from) {
			at = in.from[k]
		}
		step, _ := r.input(n)
		last, _ := r.input(l.From[len(l.From)-1])
		switch {
		case n >= 0 && r.model.Layers[n].Step == 0: // its own fault is told
			return false
		case r.isImage(n) && !m.image:
			r.add(at, "layer %d: %s cannot read the image: begin with Conv", l.Number, l.Module)
		case r.isImage(n) && l.Module == "Conv" && (l.Kernel != 3 || l.Stride != 2):
			r.add(at, "layer %d: a Conv that reads the image has kernel 3 and stride 2", l.Number)
		case n >= 0 && r.model.Layers[n].Module == "CBLinear" && (l.Module != "CBFuse" || k == len(l.From)-1):
			r.add(at, "layer %d: %s reads groups of a CBLinear: only CBFuse can, before its last input", l.Number, l.Module)
		case l.Module == "Concat" && step != last:
			r.add(at, "layer %d: Concat of strides %d and %d: they must be equal", l.Number, step, last)
		}
	}
	return len(r.faults) == before
}

// isImage says whether layer n is the image, or passes it on.
func (r *resolver) isImage(n int) bool {
	for n >= 0 && r.model.Layers[n].Module == "Silence" {
		n = r.model.Layers[n].From[0]
	}
	return n < 0
}

// fuse checks the groups that a CBFuse picks.
func (r *resolver) fuse(l *Layer, in FileLayer, channels int) {
	if len(l.Pick) != len(l.From)-1 {
		r.add(in.at["pick"], "layer %d: pick names %d groups for %d layers of CBLinear (all that it reads but the last)", l.Number, len(l.Pick), len(l.From)-1)
		return
	}
	for k, n := range l.From[:len(l.From)-1] {
		if n < 0 || r.model.Layers[n].Module != "CBLinear" {
			r.add(in.from[k], "layer %d: CBFuse reads groups of CBLinear before its last input", l.Number)
			continue
		}
		outs := r.model.Layers[n].Outs
		if l.Pick[k] >= len(outs) {
			r.add(in.at["pick"], "layer %d picks group %d of %s, which has %d, from 0", l.Number, l.Pick[k], in.From[k], len(outs))
			continue
		}
		if c := outs[l.Pick[k]]; c != channels {
			r.add(in.at["pick"], "layer %d: group %d of %s has %d channels, and what it is added to has %d", l.Number, l.Pick[k], in.From[k], c, channels)
		}
	}
}

// bounds checks what modules ask of channels.
func (r *resolver) bounds(l *Layer, in FileLayer, channels int) {
	even := func(key string, x int) {
		if x%2 != 0 {
			at, ok := in.at[key]
			if !ok {
				at = in.Pos
			}
			r.add(at, "layer %d: %s of %s is %d: it is halved, and must be even", l.Number, key, l.Module, x)
		}
	}
	switch l.Module {
	case "ADown":
		even("out", l.Out)
		even("input", channels)
	case "ELAN1":
		even("split", l.Split)
	case "RepNCSPELAN4":
		even("split", l.Split)
		even("hidden", l.Hidden)
	}
	if l.Step > maxStride {
		r.add(in.Pos, "layer %d has stride %d: too deep; at most %d is possible", l.Number, l.Step, maxStride)
	}
	if l.Channels > maxChannels {
		r.add(in.Pos, "layer %d has %d channels: at most %d are possible", l.Number, l.Channels, maxChannels)
	}
}
