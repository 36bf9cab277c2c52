package kernel

import (
	"github.com/mapsweep/mapsweep/trainer/native/assign"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// LossSettingsBytes is the size of what Loss.Settings points to.
const LossSettingsBytes = 9 * 8

// lossSettings are LossSettings of settings.cuh.
type lossSettings struct {
	gainBox, gainClass, gainDFL float64
	weight                      float64
	smoothing, positive, gamma  float64
	alpha, beta                 float64
}

// LossSettings are the bytes for Loss.Settings: gains, the weight of the head (1 for the main one), how classes are counted, and
// the exponents of the assignment.
func LossSettings(g loss.Gains, weight float64, c loss.Classes, m assign.Method) []byte {
	if c.Weight == 0 {
		c.Weight = 1
	}
	m = usual(m)
	return cuda.Args(lossSettings{g.Box, g.Class, g.DFL, weight, c.Smoothing, c.Weight, c.Gamma, m.Alpha, m.Beta})
}

func usual(m assign.Method) assign.Method {
	if m == (assign.Method{}) {
		return assign.Usual
	}
	return m
}
