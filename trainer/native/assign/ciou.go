package assign

import "math"

// Box holds corners in pixels. As a gradient it holds the derivative by each corner.
type Box struct{ X0, Y0, X1, Y1 float64 }

// eps keeps the divisions of CIoU finite, as the reference trainers do.
const eps = 1e-7

// pair holds what CIoU and its gradient share.
type pair struct {
	iw, ih float64 // sides of the intersection, not negative
	wa, ha float64 // sides of a
	union  float64 // area of the union + eps
	iou    float64
	cw, ch float64 // sides of the smallest enclosing box
	diag   float64 // cw^2 + ch^2 + eps
	dx, dy float64 // twice the distance of the centres, a - b
	rho    float64 // squared distance of the centres
	turn   float64 // atan(wb/hb) - atan(wa/ha)
	v      float64 // 4/pi^2 turn^2
	alpha  float64 // weight of v
}

func newPair(a, b Box) pair {
	var p pair
	p.iw = max(min(a.X1, b.X1)-max(a.X0, b.X0), 0)
	p.ih = max(min(a.Y1, b.Y1)-max(a.Y0, b.Y0), 0)
	p.wa, p.ha = a.X1-a.X0, a.Y1-a.Y0
	wb, hb := b.X1-b.X0, b.Y1-b.Y0
	inter := p.iw * p.ih
	p.union = p.wa*p.ha + wb*hb - inter + eps
	p.iou = inter / p.union
	p.cw = max(a.X1, b.X1) - min(a.X0, b.X0)
	p.ch = max(a.Y1, b.Y1) - min(a.Y0, b.Y0)
	p.diag = p.cw*p.cw + p.ch*p.ch + eps
	p.dx = a.X0 + a.X1 - b.X0 - b.X1
	p.dy = a.Y0 + a.Y1 - b.Y0 - b.Y1
	p.rho = (p.dx*p.dx + p.dy*p.dy) / 4
	p.turn = math.Atan(wb/(hb+eps)) - math.Atan(p.wa/(p.ha+eps))
	p.v = 4 / (math.Pi * math.Pi) * p.turn * p.turn
	p.alpha = p.v / (p.v - p.iou + 1 + eps)
	return p
}

func (p *pair) ciou() float64 { return p.iou - p.rho/p.diag - p.alpha*p.v }

// CIoU is the complete intersection over union of a prediction and an object:
// IoU - rho^2/c^2 - alpha v (Zheng et al. 2020, arXiv:1911.08287, equations 7 to 11).
// It lies in (-2, 1] and is 1 (up to 1e-7) where the boxes are equal.
func CIoU(pred, object Box) float64 {
	p := newPair(pred, object)
	return p.ciou()
}

// CIoUGrad also returns the derivative by the corners of pred. alpha is held
// constant, as the paper does. Where two edges coincide, the derivative of min and
// max is shared in halves.
func CIoUGrad(pred, object Box) (float64, Box) {
	p := newPair(pred, object)
	// How the intersection's and the enclosing box's far and near edges follow pred's.
	nearX, farX := follows(pred.X0, object.X0), follows(object.X1, pred.X1)
	nearY, farY := follows(pred.Y0, object.Y0), follows(object.Y1, pred.Y1)

	dInter := (1 + p.iou) / p.union // d iou / d intersection
	dArea := -p.iou / p.union       // d iou / d area of pred
	gw, gh := dInter*p.ih, dInter*p.iw
	if p.iw == 0 {
		gw = 0
	}
	if p.ih == 0 {
		gh = 0
	}
	// max(x0) rises with pred's edge where pred's lies inside; min(x0) where it lies outside.
	g := Box{X0: -gw * (1 - nearX), Y0: -gh * (1 - nearY), X1: gw * (1 - farX), Y1: gh * (1 - farY)}

	far := p.rho / (p.diag * p.diag) // - d(rho/diag) / d diag
	cx, cy := 2*p.cw*far, 2*p.ch*far
	g.X0 -= cx * nearX
	g.X1 += cx * farX
	g.Y0 -= cy * nearY
	g.Y1 += cy * farY
	mx, my := p.dx/(2*p.diag), p.dy/(2*p.diag)
	g.X0 -= mx
	g.X1 -= mx
	g.Y0 -= my
	g.Y1 -= my

	h := p.ha + eps
	r := p.wa / h
	slope := p.alpha * 8 / (math.Pi * math.Pi) * p.turn / (1 + r*r) // -alpha dv / d ratio
	dw := dArea*p.ha + slope/h
	dh := dArea*p.wa - slope*r/h
	g.X0 -= dw
	g.X1 += dw
	g.Y0 -= dh
	g.Y1 += dh
	return p.ciou(), g
}

// follows is the derivative of min(a, b) by a.
func follows(a, b float64) float64 {
	switch {
	case a < b:
		return 1
	case a > b:
		return 0
	}
	return 0.5
}
