package stream

import (
	"math/bits"
	"math/rand/v2"
)

// New returns a random generator for one address. All 64 bits of seed count, and the low 32 bits of epoch,
// position and op; within these, different addresses never share random bits. A stream holds 2^33 numbers of 64 bits.
func New(seed int64, epoch, position, op int) *rand.Rand {
	s := new(Source)
	s.Reset(seed, epoch, position, op)
	return rand.New(s)
}

// Source is the generator behind New: a rand.Source whose address can be set anew without allocating.
// A rand.Rand over it keeps no state of its own, so it may be kept and the Source be Reset under it.
// The zero value is the stream of address 0, 0, 0, 0. Not for concurrent use.
type Source struct {
	key     [2]uint32
	counter [4]uint32
	high    uint64 // second half of the last block
	half    bool   // high is still to be given out
}

// Reset moves to the beginning of the stream at the given address.
func (s *Source) Reset(seed int64, epoch, position, op int) {
	s.key = [2]uint32{uint32(seed), uint32(uint64(seed) >> 32)}
	s.counter = [4]uint32{0, uint32(op), uint32(position), uint32(epoch)}
	s.half = false
}

// Uint64 returns the next 64 random bits.
func (s *Source) Uint64() uint64 {
	if s.half {
		s.half = false
		return s.high
	}
	b := Philox(s.counter, s.key)
	s.counter[0]++
	s.high = uint64(b[2]) | uint64(b[3])<<32
	s.half = true
	return uint64(b[0]) | uint64(b[1])<<32
}

// Multipliers and Weyl steps of Philox4x32 (Salmon et al. 2011, table 2 and section 3.3).
const (
	multiplier0 = 0xD2511F53
	multiplier1 = 0xCD9E8D57
	weyl0       = 0x9E3779B9
	weyl1       = 0xBB67AE85
	rounds      = 10
)

// Philox is the Philox4x32-10 bijection: the block of 128 random bits at counter under key.
func Philox(counter [4]uint32, key [2]uint32) [4]uint32 {
	c0, c1, c2, c3 := counter[0], counter[1], counter[2], counter[3]
	k0, k1 := key[0], key[1]
	for range rounds {
		h0, l0 := bits.Mul32(multiplier0, c0)
		h1, l1 := bits.Mul32(multiplier1, c2)
		c0, c1, c2, c3 = h1^c1^k0, l1, h0^c3^k1, l0
		k0 += weyl0
		k1 += weyl1
	}
	return [4]uint32{c0, c1, c2, c3}
}
