package design

// nestedNotes says what it costs that a factor changes nothing in part of the runs.
func (b *builder) nestedNotes(coded [][]float64) {
	for j, f := range b.spec.Factors {
		on := 0
		for _, row := range coded {
			if row[j] != 0 {
				on++
			}
		}
		if on < len(coded) {
			b.note("%s changes nothing without %s: it is compared in %d of %d runs, with an interval as wide as those give", f.Name, requirement(f), on, len(coded))
		}
	}
	switch b.halves = b.nested(coded); {
	case b.halves && !orthogonal(coded):
		b.note("with such factors the runs are not orthogonal: effects are read by least squares, and aliases are computed from the runs")
	case b.halves:
		b.note("main effects stay orthogonal; aliases are computed from the runs")
	}
}

// orthogonal says that every factor is balanced, and no two go together.
func orthogonal(coded [][]float64) bool {
	if len(coded) == 0 {
		return true
	}
	for i := range coded[0] {
		sum := 0.0
		for _, row := range coded {
			sum += row[i]
		}
		for j := range i {
			d := 0.0
			for _, row := range coded {
				d += row[i] * row[j]
			}
			if d != 0 {
				return false
			}
		}
		if sum != 0 {
			return false
		}
	}
	return true
}

// repeatNote says that some runs train alike.
func (b *builder) repeatNote(runs int) {
	if n := runs - len(b.arms); n > 0 {
		b.note("%d of %d runs train%s what another one trains: further replicates of it, with seeds of their own", n, runs, map[bool]string{true: "s"}[n == 1])
	}
}
