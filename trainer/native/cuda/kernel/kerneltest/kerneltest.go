// Package kerneltest runs kernels in tests, on the emulated GPU or a true one, with values that go in and come out as
// float32.
package kerneltest

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/emulator"
	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
)

// Bench is a GPU with the kernels loaded and a stream. Memory that a test takes is given back at its end.
type Bench struct {
	GPU    *cuda.GPU
	Module *cuda.Module
	Stream *cuda.Stream

	t testing.TB
}

// New opens the GPU for a test.
func New(t testing.TB) *Bench {
	t.Helper()
	b := &Bench{t: t, GPU: emulator.Open(t)}
	var err error
	if b.Module, err = b.GPU.Load(kernel.Image()); err != nil {
		t.Fatal(err)
	}
	if b.Stream, err = b.GPU.NewStream(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.must(b.Stream.Close()) })
	return b
}

func (b *Bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// Run launches and waits.
func (b *Bench) Run(launches ...cuda.Launch) {
	b.t.Helper()
	b.must(b.Module.Run(b.Stream, launches...))
	b.must(b.Stream.Wait())
}

// Alloc takes zeroed memory.
func (b *Bench) Alloc(bytes int64) cuda.Ptr {
	b.t.Helper()
	p, err := b.GPU.Alloc(bytes)
	b.must(err)
	b.t.Cleanup(func() { b.must(b.GPU.Free(p)) })
	return p
}

// Put copies a slice of plain values to memory of its own.
func Put[T any](b *Bench, v []T) cuda.Ptr {
	b.t.Helper()
	p := b.Alloc(int64(len(v)) * int64(unsafe.Sizeof(*new(T))))
	b.must(b.Stream.CopyIn(p, bytesOf(v)))
	b.must(b.Stream.Wait())
	return p
}

// Get copies n values back.
func Get[T any](b *Bench, p cuda.Ptr, n int) []T {
	b.t.Helper()
	v := make([]T, n)
	b.must(b.Stream.CopyOut(bytesOf(v), p))
	b.must(b.Stream.Wait())
	return v
}

func bytesOf[T any](v []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(*new(T))))
}

// PutValues copies float32 values as values of a type.
func (b *Bench) PutValues(t kernel.Type, v []float32) cuda.Ptr {
	b.t.Helper()
	if t == kernel.Float32 {
		return Put(b, v)
	}
	h := make([]uint16, len(v))
	for i, x := range v {
		h[i] = Bits(x)
	}
	return Put(b, h)
}

// GetValues copies values of a type back as float32.
func (b *Bench) GetValues(t kernel.Type, p cuda.Ptr, n int) []float32 {
	b.t.Helper()
	if t == kernel.Float32 {
		return Get[float32](b, p, n)
	}
	v := make([]float32, n)
	for i, h := range Get[uint16](b, p, n) {
		v[i] = math.Float32frombits(uint32(h) << 16)
	}
	return v
}

// Bits rounds to bf16, to nearest even.
func Bits(v float32) uint16 {
	u := math.Float32bits(v)
	if u&0x7fffffff > 0x7f800000 {
		return 0x7fff
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}

// Round is v as a type holds it.
func Round(t kernel.Type, v float32) float32 {
	if t == kernel.Float32 {
		return v
	}
	return math.Float32frombits(uint32(Bits(v)) << 16)
}

// Random makes n values around 0, -1..1, as a type holds them.
func Random(t kernel.Type, r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = Round(t, 2*r.Float32()-1)
	}
	return v
}

// Types are the types to test with.
var Types = []kernel.Type{kernel.Float32, kernel.BFloat16}

// Seed is a generator for a test of the given name.
func Seed(name string) *rand.Rand {
	var s [32]byte
	copy(s[:], name)
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(s[:8]), binary.LittleEndian.Uint64(s[8:16])))
}
