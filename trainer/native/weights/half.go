package weights

import "math"

// fromHalf widens an IEEE 754 binary16.
func fromHalf(h uint16) float32 {
	sign, exponent, fraction := uint32(h&0x8000)<<16, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0: // zero and subnormal: fraction times 2^-24
		v := math.Float32bits(float32(fraction) * (1.0 / (1 << 24)))
		return math.Float32frombits(v | sign)
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// toHalf narrows to the nearest binary16, ties to even; what is too large becomes infinite.
func toHalf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign, rest := uint16(bits>>16&0x8000), bits&0x7fffffff
	switch {
	case rest > 0x7f800000: // not a number stays one
		return sign | 0x7e00
	case rest >= 0x477ff000: // 65520 and more
		return sign | 0x7c00
	case rest < 0x38800000: // below 2^-14: in units of 2^-24
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(rest))*(1<<24)))
	}
	return sign | uint16((rest-(127-15)<<23+0xfff+rest>>13&1)>>13)
}

// fromBrain widens a bfloat16: the upper half of a float32.
func fromBrain(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// toBrain narrows to the nearest bfloat16, ties to even.
func toBrain(f float32) uint16 {
	bits := math.Float32bits(f)
	if bits&0x7fffffff > 0x7f800000 {
		return uint16(bits>>16) | 0x40
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}
