package design

import "math/bits"

// directions are the primitive polynomials and initial direction numbers of Joe and Kuo (new-joe-kuo-6, 2008) for
// dimensions 2 to 21; the first dimension is van der Corput's. A polynomial x^s + a1 x^(s-1) + ... + 1 is written by
// its bits.
var directions = []struct {
	polynomial uint32
	initial    []uint32
}{
	{3, []uint32{1}},
	{7, []uint32{1, 3}},
	{11, []uint32{1, 3, 1}},
	{13, []uint32{1, 1, 1}},
	{19, []uint32{1, 1, 3, 3}},
	{25, []uint32{1, 3, 5, 13}},
	{37, []uint32{1, 1, 5, 5, 17}},
	{41, []uint32{1, 1, 5, 5, 5}},
	{47, []uint32{1, 1, 7, 11, 19}},
	{55, []uint32{1, 1, 5, 1, 1}},
	{59, []uint32{1, 1, 1, 3, 11}},
	{61, []uint32{1, 3, 5, 5, 31}},
	{67, []uint32{1, 3, 3, 9, 7, 49}},
	{91, []uint32{1, 1, 1, 15, 21, 21}},
	{97, []uint32{1, 3, 1, 13, 27, 49}},
	{103, []uint32{1, 1, 1, 15, 7, 5}},
	{109, []uint32{1, 3, 1, 15, 13, 25}},
	{115, []uint32{1, 1, 5, 5, 19, 61}},
	{131, []uint32{1, 3, 7, 11, 23, 15, 103}},
	{137, []uint32{1, 3, 7, 13, 13, 15, 69}},
}

// digits is the number of binary digits of a coordinate.
const digits = 32

// generating are the direction numbers of a dimension: column i of its generating matrix, the first binary digit of
// a coordinate on top.
func generating(dim int) (v [digits]uint32) {
	if dim == 0 {
		for i := range v {
			v[i] = 1 << (digits - 1 - i)
		}
		return v
	}
	d := directions[dim-1]
	s := len(d.initial)
	for i := range v {
		if i < s {
			v[i] = d.initial[i] << (digits - 1 - i)
			continue
		}
		v[i] = v[i-s] ^ v[i-s]>>s
		for k := 1; k < s; k++ {
			if d.polynomial>>(s-k)&1 == 1 {
				v[i] ^= v[i-k]
			}
		}
	}
	return v
}

// sobol is the first n points of the Sobol sequence in d dimensions, by the digits of each coordinate, in the order of
// a Gray code (Antonov and Saleev 1979). The first n of more points are the same.
func sobol(n, d int) [][]uint32 {
	points := make([][]uint32, n)
	last := make([]uint32, d)
	vs := make([][digits]uint32, d)
	for j := range vs {
		vs[j] = generating(j)
	}
	for i := range points {
		if i > 0 {
			c := bits.TrailingZeros32(uint32(i))
			for j := range last {
				last[j] ^= vs[j][c]
			}
		}
		points[i] = append([]uint32(nil), last...)
	}
	return points
}

// scrambled is the Sobol sequence with Owen's nested uniform scrambling (1995): each digit of a coordinate is turned
// or not by a coin that depends on the seed, the dimension, and the digits before it. Every point is uniform in the
// cube, and the points keep the even spread of the sequence. Coordinates are in (0, 1).
func scrambled(n, d int, seed int64) [][]float64 {
	out := make([][]float64, n)
	for i, p := range sobol(n, d) {
		out[i] = make([]float64, d)
		for j, x := range p {
			out[i][j] = (float64(scramble(x, mix(uint64(seed)^mix(uint64(j))))) + 0.5) / (1 << digits)
		}
	}
	return out
}

func scramble(x uint32, seed uint64) uint32 {
	var out uint32
	for b := range digits {
		above := uint64(x) >> (digits - b) // the digits before this one
		coin := uint32(mix(seed^mix(above|uint64(b+1)<<40)) & 1)
		out = out<<1 | (x>>(digits-1-b)&1 ^ coin)
	}
	return out
}
