package kernels_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// tall is a layer of one channel block whose y is x, on one picture of many rows whose numbers are all far from zero: sums in
// float32 over the whole picture would lose a good part of the variance.
type tall struct {
	x, da []float64 // [16][pixels]
	spec  kernels.ConvSpec
}

// newTall makes numbers that bfloat16 holds, so that y is the same in both precisions.
func newTall(t *testing.T, k int) *tall {
	const c, h, w = kernels.Lanes, 256, 32
	r := rand.New(rand.NewPCG(uint64(k), 5))
	x, da := newGuarded(t, 1, c, h, w), newGuarded(t, 1, c, h, w)
	b := &tall{x: make([]float64, c*h*w), da: random(r, c*h*w, 0.5, 8)}
	for i := range b.x {
		b.x[i] = math.Round(16*(8+r.NormFloat64())) / 16
	}
	x.put(b.x)
	da.put(b.da)
	b.spec = kernels.ConvSpec{K: k, S: 1, IC: c, OC: c, BN: true, X: x.View, Y: newGuarded(t, 1, c, h, w).View, A: newGuarded(t, 1, c, h, w).View,
		DA: da.View, Momentum: 1, Eps: 1e-3, Gamma: mem(t, c), DGamma: mem(t, c), Beta: mem(t, c), DBeta: mem(t, c), Mean: mem(t, c), Var: mem(t, c)}
	b.spec.W, b.spec.DW = mem(t, b.spec.WeightLen()), mem(t, b.spec.WeightLen())
	one := make([]float32, c*c*k*k)
	for o := range c {
		one[(o*c+o)*k*k+k*k/2] = 1
		b.spec.Gamma[o] = 1
	}
	kernels.PackWeights(b.spec.W, one, kernels.Row(c), kernels.Row(c), k)
	return b
}

// want is each channel's mean and unbiased variance, and the sums of dz and of dz times the normalised y, where dz is da
// times slope(z) and z is arms times the normalised y.
func (b *tall) want(arms float64, slope func(z float64) float64) (mean, variance, dbeta, dgamma []float64) {
	m := len(b.x) / kernels.Lanes
	for o := range kernels.Lanes {
		y, da := b.x[o*m:][:m], b.da[o*m:][:m]
		mu, second, sum, product := 0.0, 0.0, 0.0, 0.0
		for _, v := range y {
			mu += v / float64(m)
		}
		for _, v := range y {
			second += (v - mu) * (v - mu)
		}
		rstd := 1 / math.Sqrt(second/float64(m)+1e-3)
		for i, v := range y {
			hat := (v - mu) * rstd
			dz := da[i] * slope(arms*hat)
			sum += dz
			product += dz * hat
		}
		mean, variance = append(mean, mu), append(variance, second/float64(m-1))
		dbeta, dgamma = append(dbeta, sum), append(dgamma, product)
	}
	return mean, variance, dbeta, dgamma
}

func siluSlope(z float64) float64 { s := sigmoid(z); return s * (1 + z*(1-s)) }

// TestSums: sums of normalisation are float32 within few rows of pixels and float64 from there on.
func TestSums(t *testing.T) {
	judge := func(t *testing.T, b *tall, s kernels.ConvSpec, arms float64, slope func(float64) float64) {
		mean, variance, dbeta, dgamma := b.want(arms, slope)
		near(t, "mean", wide(s.Mean), mean, 1e-7)
		near(t, "variance", wide(s.Var), variance, 3e-6)
		near(t, "dbeta", wide(s.DBeta), dbeta, 1e-6)
		near(t, "dgamma", wide(s.DGamma), dgamma, 5e-6)
	}
	one := func(float64) float64 { return 1 }
	eachBF16(t, func(t *testing.T) {
		for _, bf16 := range []bool{false, true} {
			for _, linear := range []bool{false, true} {
				t.Run(fmt.Sprintf("bf16=%t linear=%t", bf16, linear), func(t *testing.T) {
					b := newTall(t, 1)
					b.spec.BF16, b.spec.Linear = bf16, linear
					k, err := kernels.NewConv(b.spec)
					if err != nil {
						t.Fatal(err)
					}
					defer k.Close()
					k.Forward(true)
					k.Backward()
					slope := siluSlope
					if linear {
						slope = one
					}
					judge(t, b, b.spec, 1, slope)
				})
			}
			for _, form := range []kernels.Form{kernels.Direct, kernels.Winograd} {
				t.Run(fmt.Sprintf("bf16=%t two arms, form %d", bf16, form), func(t *testing.T) {
					b, point := newTall(t, 3), newTall(t, 1).spec
					b.spec.BF16, b.spec.Form = bf16, form
					k, err := kernels.NewRep(b.spec, point)
					if err != nil {
						t.Fatal(err)
					}
					defer k.Close()
					k.Forward(true)
					k.Backward()
					judge(t, b, b.spec, 2, siluSlope)
					judge(t, b, point, 2, siluSlope)
				})
			}
		}
		t.Run("bias", func(t *testing.T) {
			b := newTall(t, 1)
			b.spec.BN = false
			k, err := kernels.NewConv(b.spec)
			if err != nil {
				t.Fatal(err)
			}
			defer k.Close()
			k.Forward(true)
			k.Backward()
			_, _, dbeta, _ := b.want(1, one)
			near(t, "dbias", wide(b.spec.DBeta), dbeta, 1e-7)
		})
	})
}
