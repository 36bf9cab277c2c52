package fold

import (
	"errors"
	"fmt"
	"math"

	"github.com/mapsweep/mapsweep/trainer/native/layers"
)

// ErrMissing is in the error for a tensor that is not there, or is of another size.
var ErrMissing = errors.New("tensor is missing or of another size")

// Conv is a convolution as inference computes it.
type Conv struct {
	Weights []float32 // OIHW: output channels, input channels of a group, kernel height and width
	Bias    []float32 // by output channel
}

// Tensors are the tensors of a trained model by their names, in logical order: OIHW, or by channel.
type Tensors struct {
	Named map[string][]float32
	// Labels: NAME.weight, .gamma, .beta, .mean and .var, as gelan-n has them; otherwise NAME.conv.weight, NAME.bn.weight,
	// .bias, .running_mean and .running_var.
	Labels bool
}

// Biased returns a convolution that has a bias and no normalisation: out output channels, fan weights each.
func (t Tensors) Biased(name string, out, fan int) (Conv, error) {
	w, err := t.find(name+".weight", out*fan)
	if err != nil {
		return Conv{}, err
	}
	b, err := t.find(name+".bias", out)
	return Conv{w, b}, err
}

// Normalised folds the batch normalisation of a convolution.
func (t Tensors) Normalised(name string, out, fan int) (Conv, error) {
	w, b, err := t.scaled(name, out, fan)
	if err != nil {
		return Conv{}, err
	}
	return Conv{rounded(w), rounded(b)}, nil
}

// Rep melts the arms NAME.conv1, 3x3, and NAME.conv2, 1x1, of in to out channels into one of 3x3.
func (t Tensors) Rep(name string, out, in int) (Conv, error) {
	wide, bias, err := t.scaled(name+".conv1", out, 9*in)
	if err != nil {
		return Conv{}, err
	}
	point, more, err := t.scaled(name+".conv2", out, in)
	if err != nil {
		return Conv{}, err
	}
	for i, v := range point {
		wide[9*i+4] += v
	}
	for i, v := range more {
		bias[i] += v
	}
	return Conv{rounded(wide), rounded(bias)}, nil
}

// scaled returns folded weights and biases before rounding.
func (t Tensors) scaled(name string, out, fan int) (w, b []float64, err error) {
	names := [5]string{".conv.weight", ".bn.weight", ".bn.bias", ".bn.running_mean", ".bn.running_var"}
	if t.Labels {
		names = [5]string{".weight", ".gamma", ".beta", ".mean", ".var"}
	}
	var v [5][]float32
	for i, n := range names {
		size := out
		if i == 0 {
			size = out * fan
		}
		if v[i], err = t.find(name+n, size); err != nil {
			return nil, nil, err
		}
	}
	w, b = make([]float64, out*fan), make([]float64, out)
	for o := range out {
		s := float64(v[1][o]) / math.Sqrt(float64(v[4][o])+layers.NormEps)
		b[o] = float64(v[2][o]) - s*float64(v[3][o])
		for i := o * fan; i < (o+1)*fan; i++ {
			w[i] = s * float64(v[0][i])
		}
	}
	return w, b, nil
}

func (t Tensors) find(name string, size int) ([]float32, error) {
	v, ok := t.Named[name]
	if !ok || len(v) != size {
		return nil, fmt.Errorf("%s: %d values, %d are needed: %w", name, len(v), size, ErrMissing)
	}
	return v, nil
}

func rounded(v []float64) []float32 {
	r := make([]float32, len(v))
	for i := range v {
		r[i] = float32(v[i])
	}
	return r
}
