package kernel

import "github.com/mapsweep/mapsweep/trainer/native/cuda"

// Round writes n FP32 values as bf16, rounded to nearest even. Both begin at multiples of 32 bytes.
func Round(from, to cuda.Ptr, n int64) cuda.Launch {
	args := struct {
		from, to cuda.Ptr
		n        int64
	}{from, to, n}
	return flat("round_bf16", (n+7)/8, cuda.Args(args))
}

// Widen writes n bf16 values as FP32. Both begin at multiples of 32 bytes.
func Widen(from, to cuda.Ptr, n int64) cuda.Launch {
	args := struct {
		from, to cuda.Ptr
		n        int64
	}{from, to, n}
	return flat("widen_bf16", (n+7)/8, cuda.Args(args))
}
