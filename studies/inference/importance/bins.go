package importance

import (
	"slices"
	"sort"
)

// mostBins is how many places a split of a number can choose from. With no more different values than that in the
// data every gap between two of them is a place, as in trees that sort at every node.
const mostBins = 256

// bins are the data with numbers grouped into neighbouring values.
type bins struct {
	at    [][]uint8 // dimension, point
	first [][]float64
	last  [][]float64 // smallest and largest value of each bin; empty for choices
	n     []int       // bins of a dimension
}

func newBins(e *encoded) *bins {
	b := &bins{}
	for j, d := range e.dims {
		at := make([]uint8, len(e.y))
		if d.choices > 0 {
			for i, v := range e.x[j] {
				at[i] = uint8(v)
			}
			b.add(at, nil, nil, d.choices)
			continue
		}
		first, last := edges(e.x[j])
		for i, v := range e.x[j] {
			at[i] = uint8(sort.SearchFloat64s(last, v))
		}
		b.add(at, first, last, len(last))
	}
	return b
}

func (b *bins) add(at []uint8, first, last []float64, n int) {
	b.at, b.first, b.last, b.n = append(b.at, at), append(b.first, first), append(b.last, last), append(b.n, n)
}

// edges groups values into bins of about as many points each.
func edges(x []float64) (first, last []float64) {
	s := slices.Sorted(slices.Values(x))
	different := len(slices.Compact(slices.Clone(s)))
	if different <= mostBins {
		u := slices.Compact(s)
		return u, u
	}
	for start := 0; start < len(s); {
		end := start + (len(s)-start)/(mostBins-len(last))
		if len(last) == mostBins-1 {
			end = len(s)
		}
		end = max(end, start+1)
		for end < len(s) && s[end] == s[end-1] {
			end++
		}
		first, last = append(first, s[start]), append(last, s[end-1])
		start = end
	}
	return first, last
}

// between is the threshold that parts two bins.
func (b *bins) between(d, low, high int) float64 { return (b.last[d][low] + b.first[d][high]) / 2 }
