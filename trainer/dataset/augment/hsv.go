package augment

// scale is the factors of changes by the given shares.
func (change HSV) scale() [3]float32 {
	return [3]float32{float32(1 + change.Hue), float32(1 + change.Saturation), float32(1 + change.Value)}
}

// exactColour writes the sample to out, the hue, saturation and value of its colours multiplied by the given factors:
// hue around the circle, the others up to 1 (Smith: "Color gamut transform pairs", SIGGRAPH 1978).
func (a *Augmenter) exactColour(out []float32, scale [3]float32) {
	hue, saturation, value := scale[0], scale[1], scale[2]
	pix := a.canvas[0].Pix
	out = out[:len(pix)]
	for i := 0; i+2 < len(pix); i += 3 {
		h, s, v := toHSV(a.level[pix[i]], a.level[pix[i+1]], a.level[pix[i+2]])
		if h *= hue; h >= 6 {
			h -= 6
		}
		out[i], out[i+1], out[i+2] = toRGB(h, min(s*saturation, 1), min(v*value, 1))
	}
}

// toHSV is the hue, 0 to below 6, the saturation and the value of a colour; grey has hue 0.
func toHSV(r, g, b float32) (h, s, v float32) {
	v = max(r, g, b)
	span := v - min(r, g, b)
	if span == 0 {
		return 0, 0, v
	}
	switch v {
	case r:
		if h = (g - b) / span; h < 0 {
			h += 6
		}
	case g:
		h = 2 + (b-r)/span
	default:
		h = 4 + (r-g)/span
	}
	return h, span / v, v
}

// toRGB is the inverse.
func toRGB(h, s, v float32) (r, g, b float32) {
	sector := int(h)
	f := h - float32(sector)
	low, down, up := v*(1-s), v*(1-float32(s*f)), v*(1-float32(s*(1-f)))
	switch sector {
	case 0:
		return v, up, low
	case 1:
		return down, v, low
	case 2:
		return low, v, up
	case 3:
		return low, down, v
	case 4:
		return up, low, v
	}
	return v, low, down
}
