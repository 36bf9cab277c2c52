package kernels

/*
#include "kernels.h"
*/
import "C"

import "sync/atomic"

// Emulated is what BF16 says where the processor has no instructions for bfloat16.
const Emulated = "emulation"

// emulated turns the processor's instructions for bfloat16 off, for tests.
var emulated atomic.Bool

// BF16 says how convolutions with ConvSpec.BF16 are computed: AVX512_BF16, the processor's instructions, or Emulated, the
// same to the bit and several times slower. It depends on ISA.
func BF16() string { return C.GoString(bf16Of(current()).name) }

func bf16Of(k table) *C.struct_ms_bf16 {
	if emulated.Load() {
		return k.bf
	}
	return C.ms_bf16_of(k)
}

// EmulateBF16 makes layers that are bound from now on do without instructions for bfloat16, for tests; restore undoes it.
func EmulateBF16() (restore func()) {
	old := emulated.Swap(true)
	return func() { emulated.Store(old) }
}
