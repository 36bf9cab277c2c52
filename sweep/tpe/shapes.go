package tpe

import "math"

// shapes are the different kernels of a dimension that is a grid. Observations lie on few places there and mostly have the
// least bandwidth, so that hundreds of kernels have a few dozen shapes. What a cell weighs under each is computed once.
type shapes struct {
	of    []int        // by kernel: index of its shape
	list  [][2]float64 // centre and 1 / standard deviation; 0: even
	whole []float64    // by shape: log mass in [0, 1]
	cells map[float64][]float64
}

func newShapes(mu, inv []float64) shapes {
	s := shapes{of: make([]int, len(mu)), cells: map[float64][]float64{}}
	index := map[[2]float64]int{}
	for k := range mu {
		shape := [2]float64{mu[k], inv[k]}
		if inv[k] == 0 {
			shape[0] = 0 // NaN is no key
		}
		i, known := index[shape]
		if !known {
			i = len(s.list)
			index[shape] = i
			s.list, s.whole = append(s.list, shape), append(s.whole, math.Log(inside(shape[0], shape[1])))
		}
		s.of[k] = i
	}
	return s
}

// cell is the log mass of the cell around x of d, by shape.
func (s shapes) cell(d dimension, x float64) []float64 {
	logs, known := s.cells[x]
	if known {
		return logs
	}
	low, high := d.cell(x)
	logs = make([]float64, len(s.list))
	for i, shape := range s.list {
		if shape[1] == 0 {
			logs[i] = -math.Log(d.count)
			continue
		}
		logs[i] = math.Log(math.Max(mass(low, high, shape[0], shape[1]), 1e-300)) - s.whole[i]
	}
	s.cells[x] = logs
	return logs
}
