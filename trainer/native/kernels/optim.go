package kernels

/*
#include "kernels.h"

static void k_adamw(const struct ms_kernels *k, float *w, const float *g, float *m, float *v, float *peak, int64_t n, float keep, float rate,
                    float fresh1, float beta2, float fresh2, float root2, float epsilon, float gscale, float l2) {
	const struct ms_adamw s = {keep, rate, fresh1, beta2, fresh2, root2, epsilon, gscale, l2};
	k->adamw(w, g, m, v, peak, n, &s);
}
static void k_lion(const struct ms_kernels *k, float *w, const float *g, float *m, int64_t n, float keep, float rate, float fresh1, float fresh2, float gscale) {
	const struct ms_lion s = {keep, rate, fresh1, fresh2, gscale};
	k->lion(w, g, m, n, &s);
}
static void k_accumulate(const struct ms_kernels *k, float *d, const float *s, int64_t n) { k->accumulate(d, s, n); }
*/
import "C"

import "math"

// AdamWStep holds the numbers of one step of Adam or AdamW over one range of parameters.
type AdamWStep struct {
	Rate         float64 // learning rate
	Beta1, Beta2 float64 // 0..1, below 1
	Epsilon      float64
	Decay        float64 // decoupled weight decay: w is multiplied with 1 - Rate*Decay
	L2           float64 // Adam's decay: L2*w is added to the gradient
	GradScale    float64 // the gradient is multiplied by it first: 1, or less to clip its norm
	N            int     // number of this step, from 1
}

// AdamW takes step N of AdamW over parameters w, gradients g, and the averages of gradients m and of their squares v (zero
// before step 1), all of one length. With peak, the largest v so far stands in the place of v (AMSGrad); nil: v itself.
//
//	g' = GradScale*g + L2*w;  w *= 1 - Rate*Decay;  m += (1-Beta1)*(g'-m);  v = Beta2*v + (1-Beta2)*g'*g';  peak = max(peak, v)
//	w -= Rate/(1-Beta1^N) * m / (sqrt(peak)/sqrt(1-Beta2^N) + Epsilon)
func AdamW(w, g, m, v, peak []float32, s AdamWStep) {
	mustLen(len(w), len(g), len(m), len(v))
	var top *C.float
	if peak != nil {
		mustLen(len(w), len(peak))
		top = floats(peak)
	}
	n := float64(s.N)
	c := func(x float64) C.float { return C.float(float32(x)) }
	C.k_adamw(current(), floats(w), floats(g), floats(m), floats(v), top, C.int64_t(len(w)), c(1-s.Rate*s.Decay), c(s.Rate/(1-math.Pow(s.Beta1, n))),
		c(1-s.Beta1), c(s.Beta2), c(1-s.Beta2), c(math.Sqrt(1-math.Pow(s.Beta2, n))), c(s.Epsilon), c(s.GradScale), c(s.L2))
}

// LionStep holds the numbers of one step of LION over one range of parameters.
type LionStep struct {
	Rate, Beta1, Beta2, Decay, GradScale float64 // as those of AdamWStep
}

// Lion takes a step of LION over parameters w, gradients g and their average m (zero before the first step), all of one
// length. sign(0) is 0.
//
//	g' = GradScale*g;  w = (1 - Rate*Decay) w - Rate*sign(Beta1*m + (1-Beta1)*g');  m = Beta2*m + (1-Beta2)*g'
func Lion(w, g, m []float32, s LionStep) {
	mustLen(len(w), len(g), len(m))
	c := func(x float64) C.float { return C.float(float32(x)) }
	C.k_lion(current(), floats(w), floats(g), floats(m), C.int64_t(len(w)), c(1-s.Rate*s.Decay), c(s.Rate), c(1-s.Beta1), c(1-s.Beta2), c(s.GradScale))
}

// Accumulate adds src to dst.
func Accumulate(dst, src []float32) {
	mustLen(len(dst), len(src))
	C.k_accumulate(current(), floats(dst), floats(src), C.int64_t(len(dst)))
}
