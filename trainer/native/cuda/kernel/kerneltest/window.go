package kerneltest

import (
	"math/rand/v2"

	"github.com/mapsweep/mapsweep/trainer/native/cuda/kernel"
)

// Window is a window of lanes in a wider buffer, all of whose values a test knows.
type Window struct {
	N, H, W          int
	First, C, Stride int // lanes First..First+C-1 of Stride
	Values           []float32
}

// RandomWindow fills a buffer with random values around 0, as a type holds them.
func RandomWindow(t kernel.Type, r *rand.Rand, n, h, w, first, c, stride int) Window {
	return Window{n, h, w, first, c, stride, Random(t, r, n*h*w*stride)}
}

// Pixels is the number of pixels of all images.
func (w Window) Pixels() int { return w.N * w.H * w.W }

// At is the place of a lane of a pixel.
func (w Window) At(pixel, lane int) *float32 { return &w.Values[pixel*w.Stride+w.First+lane] }

// Pixel is the number of a pixel.
func (w Window) Pixel(n, y, x int) int { return (n*w.H+y)*w.W + x }

// Copy has the same shape and values of its own.
func (w Window) Copy() Window {
	w.Values = append([]float32(nil), w.Values...)
	return w
}

// PutWindow copies the buffer to the GPU.
func (b *Bench) PutWindow(t kernel.Type, w Window) kernel.View {
	b.t.Helper()
	p := b.PutValues(t, w.Values)
	return kernel.View{P: p, N: int32(w.N), H: int32(w.H), W: int32(w.W), C: int32(w.Stride), Stride: int32(w.Stride)}.Part(t, w.First, w.C)
}

// GetWindow copies the whole buffer of a window of PutWindow back.
func (b *Bench) GetWindow(t kernel.Type, v kernel.View, like Window) Window {
	b.t.Helper()
	like.Values = b.GetValues(t, v.P.Add(-int64(like.First)*t.Bytes()), len(like.Values))
	return like
}
