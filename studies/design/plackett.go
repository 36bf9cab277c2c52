package design

import (
	"fmt"
	"slices"
)

// screening is the Plackett-Burman design of k factors in n runs: n-1 orthogonal columns of which the first k are
// taken, the first run with all factors at the baseline's level. n is one that studies.ScreeningRuns gives.
func screening(k, n int) ([][]float64, error) {
	h, ok := hadamard(n)
	if !ok {
		return nil, fmt.Errorf("no Plackett-Burman design of %d runs is known here", n)
	}
	normalise(h)
	rows := make([][]float64, n)
	for i := range h {
		rows[i] = make([]float64, k)
		for j := range k {
			rows[i][j] = -float64(h[i][j+1])
		}
	}
	return rows, nil
}

// turned is the fold-over: all runs once more, with every factor at its other level.
func turned(rows [][]float64) [][]float64 {
	out := slices.Clone(rows)
	for _, row := range rows {
		other := make([]float64, len(row))
		for j, v := range row {
			other[j] = -v
		}
		out = append(out, other)
	}
	return out
}

// hadamard makes an n x n matrix of 1 and -1 with orthogonal rows, by doubling (Sylvester 1867) or from quadratic
// residues (Paley 1933). For n = 12, 20 and 24 it is the cyclic design of Plackett and Burman (1946).
func hadamard(n int) ([][]int, bool) {
	switch {
	case n == 1:
		return [][]int{{1}}, true
	case n == 2:
		return [][]int{{1, 1}, {1, -1}}, true
	case n%4 != 0:
		return nil, false
	case n&(n-1) != 0 && prime(n-1):
		return cyclic(n), true
	}
	if half, ok := hadamard(n / 2); ok {
		return kronecker([][]int{{1, 1}, {1, -1}}, half), true
	}
	if q := n/2 - 1; prime(q) && q%4 == 1 {
		return conference(n), true
	}
	return nil, false
}

// cyclic is Paley's first construction for a prime q = n-1 of the form 4m+3: a column of ones, a row of -1, and the
// n-1 cyclic shifts of the row that is 1 at zero and at the squares modulo q.
func cyclic(n int) [][]int {
	q := n - 1
	h := [][]int{slices.Repeat([]int{-1}, n)}
	h[0][0] = 1
	for i := range q {
		row := make([]int, n)
		row[0] = 1
		for j := range q {
			row[j+1] = legendre(j-i, q)
			if j == i {
				row[j+1] = 1
			}
		}
		h = append(h, row)
	}
	return h
}

// conference is Paley's second construction for a prime q = n/2-1 of the form 4m+1: from a symmetric matrix C with
// zeros on its diagonal, 1 beside them and C C' = q I, the blocks C [1 1; 1 -1] + I [1 -1; -1 -1].
func conference(n int) [][]int {
	m := n / 2
	h := make([][]int, n)
	for i := range h {
		h[i] = make([]int, n)
	}
	for i := range m {
		for j := range m {
			a, b, c, d := 1, -1, -1, -1
			if i != j {
				v := 1
				if i > 0 && j > 0 {
					v = legendre(j-i, m-1)
				}
				a, b, c, d = v, v, v, -v
			}
			h[2*i][2*j], h[2*i][2*j+1], h[2*i+1][2*j], h[2*i+1][2*j+1] = a, b, c, d
		}
	}
	return h
}

// kronecker puts b in place of every entry of a, times that entry.
func kronecker(a, b [][]int) [][]int {
	n := len(b)
	out := make([][]int, len(a)*n)
	for i := range out {
		out[i] = make([]int, len(a[0])*n)
		for j := range out[i] {
			out[i][j] = a[i/n][j/n] * b[i%n][j%n]
		}
	}
	return out
}

// normalise turns rows and columns, so that the first of each has ones only.
func normalise(h [][]int) {
	for _, row := range h {
		if row[0] < 0 {
			for j := range row {
				row[j] = -row[j]
			}
		}
	}
	for j, v := range h[0] {
		if v < 0 {
			for i := range h {
				h[i][j] = -h[i][j]
			}
		}
	}
}

// legendre is 1 if a is a square modulo the odd prime q, -1 if not, 0 if q divides it.
func legendre(a, q int) int {
	a = ((a % q) + q) % q
	if a == 0 {
		return 0
	}
	for x := 1; x <= q/2; x++ {
		if x*x%q == a {
			return 1
		}
	}
	return -1
}

func prime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return n > 1
}
